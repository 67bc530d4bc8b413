// A bench of the core behind its bus that checks itself: images in, packets out, every state, every
// register of a result, and the interrupt, compared with what the simulator of toreq-hw computed.
// It ends with PASS and status 0, or with FAIL and $fatal. +dump leaves a waveform in bus_bench.fst.
`timescale 1ns / 1ps

module bus_bench;
  `include "sizes.vh"
  `include "bus.vh"

  localparam ANSWERS = IMAGES * PHASES;
  localparam integer QUIET_LIMIT = 10_000_000;

  reg clk = 1'b0;
  reg rst = 1'b1;
  always #5 clk = ~clk;

  reg [31:0] image_words[0:IMAGES*IMAGE_WORDS-1];
  reg [LABEL_BITS-1:0] labels[0:IMAGES-1];
  reg [31:0] packets[0:ANSWERS*PACKET_WORDS-1];
  reg [31:0] masks[0:PACKET_WORDS-1];
  reg [31:0] received[0:PACKET_WORDS-1];

  reg [31:0] noise = 32'h2545F491;
  integer image, phase, word, base;
  integer failures = 0;
  integer quiet = 0;
  reg [31:0] found = 0;
  reg refused = 1'b0;
  reg last = 1'b0;
  wire irq;

  task fail(input [8*16-1:0] what, input [31:0] wanted, input [31:0] got);
    begin
      failures = failures + 1;
      if (failures <= 10)
        $display("FAIL image %0d, phase %0d, %0s: must be %0h, found %0h",
                 image, phase, what, wanted, got);
    end
  endtask

  // The next half cycle, in which outputs are steady and inputs may change.
  task tick;
    begin
      @(negedge clk);
      #1 noise = {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};
      quiet = quiet + 1;
      if (quiet > QUIET_LIMIT) begin
        $display("FAIL image %0d, phase %0d: nothing comes", image, phase);
        $fatal(1, "differs from the simulator of toreq-hw");
      end
    end
  endtask

  task rest;
    begin
      tick;
      while (noise[2:0] == 3'd0) tick;
    end
  endtask

  `include "bus_master.vh"

  task check(input [8*16-1:0] what, input [31:0] wanted, input [31:0] got);
    if (got !== wanted) fail(what, wanted, got);
  endtask

  task check_register(input [7:0] address, input [8*16-1:0] what, input [31:0] wanted);
    begin
      read_register(address);
      check("a read is done", 0, {31'd0, refused});
      check(what, wanted, found);
    end
  endtask

  task write_done(input [7:0] address, input [31:0] value);
    begin
      write_register(address, value);
      check("a write is done", 0, {31'd0, refused});
    end
  endtask

  task wait_for_interrupt;
    begin
      quiet = 0;
      while (irq !== 1'b1) tick;
    end
  endtask

  task clear_interrupt(input [8*16-1:0] what, input [31:0] wanted);
    begin
      wait_for_interrupt;
      check_register(INTERRUPT, what, wanted);
      write_done(INTERRUPT, wanted);
      repeat (3) tick;
      check("irq is cleared", 0, {31'd0, irq});
    end
  endtask

  task run_phase;
    begin
      base = (image * PHASES + phase) * PACKET_WORDS;
      write_done(COMMAND, {{16 - LABEL_BITS{1'b0}}, labels[image], 8'd1, phase[7:0]});
      if (phase == 0) send_image(image);
      for (word = 0; word < PACKET_WORDS; word = word + 1) begin
        receive_word;
        received[word] = found;
        if ((found & masks[word]) !== (packets[base+word] & masks[word]))
          fail(word < STATE_WORDS ? "states" : "summary", packets[base+word], found);
        check("last", word == PACKET_WORDS - 1 ? 1 : 0, {31'd0, last});
      end
      clear_interrupt("a result", 32'd1);
      for (word = 0; word < SUMMARY_WORDS; word = word + 1)
        check_register(RESULT + 4 * word[7:0], "a register", received[STATE_WORDS+word]);
    end
  endtask

  initial begin
    $readmemh("image_words.hex", image_words);
    $readmemh("labels.hex", labels);
    $readmemh("packets.hex", packets);
    $readmemh("packet_masks.hex", masks);
    if ($test$plusargs("dump")) begin
      $dumpfile("bus_bench.fst");
      $dumpvars(0, bus_bench);
    end
    image = 0;
    phase = 0;
    repeat (4) tick;
    rst = 1'b0;
    repeat (2) tick;
    check_register(ID, "ID", ID_VALUE);
    check_register(NETWORK, "NETWORK", NETWORK_VALUE);
    write_done(CONTROL, 32'd4);
    write_done(INTERRUPT_ENABLE, 32'd3);
    for (image = 0; image < IMAGES; image = image + 1)
      for (phase = 0; phase < PHASES; phase = phase + 1) run_phase;
    write_register(ID, 32'd0);
    check("ID is read only", 1, {31'd0, refused});
    check_register(FAULTS, "no faults", 32'd0);
    write_done(COMMAND, 32'd200);
    clear_interrupt("a fault", 32'd2);
    check_register(FAULTS, "a command fault", 32'h0001_0004);
    write_done(CONTROL, 32'd1);
    repeat (3) tick;
    check_register(FAULTS, "faults go", 32'd0);
    if (failures == 0) begin
      $display("PASS: %0d phases of %0d images over the bus", ANSWERS, IMAGES);
      $finish;
    end else begin
      $display("FAIL: %0d differences over the bus", failures);
      $fatal(1, "differs from the simulator of toreq-hw");
    end
  end
endmodule
