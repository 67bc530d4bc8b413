// The core behind AXI, and what masters it. Inputs change in the half cycle that the clock is low.
  reg [31:0] s_axis_tdata = 0;
  reg [3:0] s_axis_tkeep = 0;
  reg s_axis_tlast = 0, s_axis_tvalid = 0;
  wire s_axis_tready;
  wire [31:0] m_axis_tdata;
  wire [3:0] m_axis_tkeep;
  wire m_axis_tlast, m_axis_tvalid;
  reg m_axis_tready = 0;
  reg [7:0] s_axi_awaddr = 0, s_axi_araddr = 0;
  reg s_axi_awvalid = 0, s_axi_wvalid = 0, s_axi_bready = 0, s_axi_arvalid = 0, s_axi_rready = 0;
  reg [31:0] s_axi_wdata = 0;
  wire s_axi_awready, s_axi_wready, s_axi_bvalid, s_axi_arready, s_axi_rvalid;
  wire [1:0] s_axi_bresp, s_axi_rresp;
  wire [31:0] s_axi_rdata;

  toreq_axi core (
    .aclk(clk),
    .aresetn(~rst),
    .s_axis_tdata(s_axis_tdata),
    .s_axis_tkeep(s_axis_tkeep),
    .s_axis_tlast(s_axis_tlast),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tkeep(m_axis_tkeep),
    .m_axis_tlast(m_axis_tlast),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tready(m_axis_tready),
    .s_axi_awaddr(s_axi_awaddr),
    .s_axi_awprot(3'd0),
    .s_axi_awvalid(s_axi_awvalid),
    .s_axi_awready(s_axi_awready),
    .s_axi_wdata(s_axi_wdata),
    .s_axi_wstrb(4'hf),
    .s_axi_wvalid(s_axi_wvalid),
    .s_axi_wready(s_axi_wready),
    .s_axi_bresp(s_axi_bresp),
    .s_axi_bvalid(s_axi_bvalid),
    .s_axi_bready(s_axi_bready),
    .s_axi_araddr(s_axi_araddr),
    .s_axi_arprot(3'd0),
    .s_axi_arvalid(s_axi_arvalid),
    .s_axi_arready(s_axi_arready),
    .s_axi_rdata(s_axi_rdata),
    .s_axi_rresp(s_axi_rresp),
    .s_axi_rvalid(s_axi_rvalid),
    .s_axi_rready(s_axi_rready),
    .irq(irq)
  );

  // Address and data in any order. refused: SLVERR.
  task write_register(input [7:0] address, input [31:0] value);
    reg address_goes, value_goes;
    begin
      quiet = 0;
      rest;
      s_axi_awaddr = address;
      s_axi_wdata = value;
      s_axi_awvalid = noise[3];
      s_axi_wvalid = ~noise[3];
      address_goes = 1'b0;
      value_goes = 1'b0;
      while (!(address_goes && value_goes)) begin
        #1;
        address_goes = address_goes | (s_axi_awvalid & s_axi_awready);
        value_goes = value_goes | (s_axi_wvalid & s_axi_wready);
        tick;
        s_axi_awvalid = ~address_goes;
        s_axi_wvalid = ~value_goes;
      end
      s_axi_awvalid = 1'b0;
      s_axi_wvalid = 1'b0;
      rest;
      s_axi_bready = 1'b1;
      while (s_axi_bvalid !== 1'b1) tick;
      refused = s_axi_bresp != 2'd0;
      tick;
      s_axi_bready = 1'b0;
    end
  endtask

  task read_register(input [7:0] address);
    begin
      quiet = 0;
      rest;
      s_axi_araddr = address;
      s_axi_arvalid = 1'b1;
      while (s_axi_arready !== 1'b1) tick;
      tick;
      s_axi_arvalid = 1'b0;
      rest;
      s_axi_rready = 1'b1;
      while (s_axi_rvalid !== 1'b1) tick;
      found = s_axi_rdata;
      refused = s_axi_rresp != 2'd0;
      tick;
      s_axi_rready = 1'b0;
    end
  endtask

  task send_image(input integer number);
    integer at;
    for (at = 0; at < IMAGE_WORDS; at = at + 1) begin
      quiet = 0;
      rest;
      s_axis_tdata = image_words[number*IMAGE_WORDS+at];
      s_axis_tlast = at == IMAGE_WORDS - 1;
      s_axis_tkeep = s_axis_tlast ? LAST_KEEP : 4'hf;
      s_axis_tvalid = 1'b1;
      #1;
      while (s_axis_tready !== 1'b1) tick;
      tick;
      s_axis_tvalid = 1'b0;
    end
  endtask

  task receive_word;
    begin
      quiet = 0;
      rest;
      m_axis_tready = 1'b1;
      #1;
      while (m_axis_tvalid !== 1'b1) tick;
      found = m_axis_tdata;
      last = m_axis_tlast;
      tick;
      m_axis_tready = 1'b0;
    end
  endtask
