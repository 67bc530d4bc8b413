// The core behind Wishbone, and what masters it. Inputs change in the half cycle that the clock is low.
  reg wb_cyc = 0, wb_stb = 0, wb_we = 0;
  reg [7:0] wb_adr = 0;
  reg [3:0] wb_sel = 0;
  reg [31:0] wb_value = 0;
  wire [31:0] wb_answer;
  wire wb_ack, wb_err;

  toreq_wishbone core (
    .wb_clk_i(clk),
    .wb_rst_i(rst),
    .wb_cyc_i(wb_cyc),
    .wb_stb_i(wb_stb),
    .wb_we_i(wb_we),
    .wb_adr_i(wb_adr),
    .wb_sel_i(wb_sel),
    .wb_dat_i(wb_value),
    .wb_dat_o(wb_answer),
    .wb_ack_o(wb_ack),
    .wb_err_o(wb_err),
    .irq(irq)
  );

  // One cycle of the bus. refused: err in place of ack.
  task cycle(input writes, input [7:0] address, input [31:0] value, input [3:0] lanes);
    begin
      rest;
      wb_cyc = 1'b1;
      wb_stb = 1'b1;
      wb_we = writes;
      wb_adr = address;
      wb_value = value;
      wb_sel = lanes;
      tick;
      while (wb_ack !== 1'b1 && wb_err !== 1'b1) tick;
      found = wb_answer;
      refused = wb_err;
      wb_cyc = 1'b0;
      wb_stb = 1'b0;
    end
  endtask

  task write_register(input [7:0] address, input [31:0] value);
    begin
      quiet = 0;
      cycle(1'b1, address, value, 4'hf);
    end
  endtask

  task read_register(input [7:0] address);
    begin
      quiet = 0;
      cycle(1'b0, address, 32'd0, 4'hf);
    end
  endtask

  // Reads STATUS until one of these bits is set.
  task wait_for(input [31:0] bits);
    begin
      quiet = 0;
      found = 0;
      while ((found & bits) == 0) cycle(1'b0, STATUS, 32'd0, 4'hf);
    end
  endtask

  task send_image(input integer number);
    integer at;
    for (at = 0; at < IMAGE_WORDS; at = at + 1) begin
      wait_for(32'h10);
      if (at == IMAGE_WORDS - 1)
        cycle(1'b1, INPUT_LAST, image_words[number*IMAGE_WORDS+at], LAST_KEEP);
      else cycle(1'b1, INPUT, image_words[number*IMAGE_WORDS+at], 4'hf);
      check("a word is taken", 0, {31'd0, refused});
    end
  endtask

  task receive_word;
    begin
      wait_for(32'h20);
      last = found[6];
      cycle(1'b0, OUTPUT, 32'd0, 4'hf);
      check("a word is given", 0, {31'd0, refused});
    end
  endtask
