// A bench that checks itself: images through toreq_ports, every state and result compared with
// what the simulator of toreq-hw computed. It ends with PASS and status 0, or with FAIL and $fatal.
// Sources rest and sinks refuse in pseudo-random cycles. +dump leaves a waveform in bench.fst.
`timescale 1ns / 1ps

module bench;
  `include "sizes.vh"

  localparam ANSWERS = IMAGES * PHASES;
  localparam ROWS = ANSWERS * SLICES;
  localparam [31:0] QUIET_LIMIT = 32'd10_000_000;

  reg clk = 1'b0;
  reg rst = 1'b1;
  always #5 clk = ~clk;

  reg [INPUT_BITS-1:0] input_values[0:IMAGES*INPUTS-1];
  reg [LABEL_BITS-1:0] labels[0:IMAGES-1];
  reg [ROW_BITS-1:0] rows[0:ROWS-1];
  reg [ROW_BITS-1:0] masks[0:SLICES-1];
  reg [223:0] results[0:ANSWERS-1];

  initial begin
    $readmemh("inputs.hex", input_values);
    $readmemh("labels.hex", labels);
    $readmemh("states.hex", rows);
    $readmemh("masks.hex", masks);
    $readmemh("results.hex", results);
    if ($test$plusargs("dump")) begin
      $dumpfile("bench.fst");
      $dumpvars(0, bench);
    end
    repeat (4) @(posedge clk);
    #1 rst = 1'b0;
  end

  reg [31:0] noise = 32'h2545F491;
  always @(posedge clk) noise <= {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};

  reg inputs_valid = 1'b0;
  reg inputs_last = 1'b0;
  reg [INPUT_BITS-1:0] inputs_value = 0;
  wire inputs_ready;
  reg commands_valid = 1'b0;
  reg [COMMAND_BITS-1:0] commands_command = 0;
  reg [LABEL_BITS-1:0] commands_label = 0;
  wire commands_ready;
  reg states_ready = 1'b0;
  wire states_valid, states_last;
  wire [COMMAND_BITS-1:0] states_phase;
  wire [SLICE_BITS-1:0] states_slice;
  wire [ROW_BITS-1:0] states_row;
  reg summary_ready = 1'b0;
  wire summary_valid, summary_settled;
  wire [COMMAND_BITS-1:0] summary_phase;
  wire [LABEL_BITS-1:0] summary_label;
  wire [SWEEP_BITS-1:0] summary_sweeps;
  wire [COUNTER_BITS-1:0] summary_ticks, summary_events, summary_saturations;
  wire [COUNTER_BITS-1:0] summary_beats, summary_cycles;
  wire [INPUT_EVENT_BITS-1:0] summary_input_events;
  wire [5:0] faults;
  wire idle;

  toreq_ports core (
    .clk(clk),
    .rst(rst),
    .inputs_value(inputs_value),
    .inputs_index({INDEX_BITS{1'b0}}),
    .inputs_dense(1'b1),
    .inputs_last(inputs_last),
    .inputs_valid(inputs_valid),
    .inputs_ready(inputs_ready),
    .commands_command(commands_command),
    .commands_report(1'b1),
    .commands_label(commands_label),
    .commands_valid(commands_valid),
    .commands_ready(commands_ready),
    .loads_space({SPACE_BITS{1'b0}}),
    .loads_address({ADDRESS_BITS{1'b0}}),
    .loads_data({DATA_BITS{1'b0}}),
    .loads_valid(1'b0),
    .loads_ready(),
`ifdef TOREQ_LEARNS
    .reads_space({SPACE_BITS{1'b0}}),
    .reads_address({ADDRESS_BITS{1'b0}}),
    .reads_valid(1'b0),
    .reads_ready(),
    .readings_data(),
    .readings_valid(),
    .readings_ready(1'b1),
`endif
    .states_phase(states_phase),
    .states_slice(states_slice),
    .states_last(states_last),
    .states_row(states_row),
    .states_valid(states_valid),
    .states_ready(states_ready),
    .summary_phase(summary_phase),
    .summary_settled(summary_settled),
    .summary_label(summary_label),
    .summary_sweeps(summary_sweeps),
    .summary_ticks(summary_ticks),
    .summary_events(summary_events),
    .summary_input_events(summary_input_events),
    .summary_saturations(summary_saturations),
    .summary_beats(summary_beats),
    .summary_cycles(summary_cycles),
    .summary_valid(summary_valid),
    .summary_ready(summary_ready),
    .monitor_strobe(),
    .monitor_is_input(),
    .monitor_neuron(),
    .monitor_delta(),
    .monitor_sweep(),
    .faults(faults),
    .fault_count(),
    .idle(idle)
  );

  integer input_at = 0;
  integer command_at = 0;
  integer row_at = 0;
  integer answer_at = 0;
  integer failures = 0;
  reg [31:0] quiet = 0;

  always @(posedge clk)
    if (!rst && (!inputs_valid || inputs_ready)) begin
      inputs_valid <= input_at < IMAGES * INPUTS && noise[1:0] != 2'd0;
      if (input_at < IMAGES * INPUTS && noise[1:0] != 2'd0) begin
        inputs_value <= input_values[input_at];
        inputs_last <= input_at % INPUTS == INPUTS - 1;
        input_at <= input_at + 1;
      end
    end

  always @(posedge clk)
    if (!rst && (!commands_valid || commands_ready)) begin
      commands_valid <= command_at < ANSWERS && noise[3:2] != 2'd0;
      if (command_at < ANSWERS && noise[3:2] != 2'd0) begin
        commands_command <= command_at % PHASES;
        commands_label <= labels[command_at/PHASES];
        command_at <= command_at + 1;
      end
    end

  task fail(input [8*12-1:0] what, input [223:0] wanted, input [223:0] found);
    begin
      failures = failures + 1;
      if (failures <= 10)
        $display("FAIL image %0d, phase %0d, %0s: must be %0h, found %0h",
                 answer_at / PHASES, answer_at % PHASES, what, wanted, found);
    end
  endtask

  wire [223:0] expected = results[answer_at < ANSWERS ? answer_at : 0];
  wire [ROW_BITS-1:0] mask = masks[row_at%SLICES];
  wire [ROW_BITS-1:0] row = rows[row_at < ROWS ? row_at : 0] & mask;

  always @(posedge clk) begin
    states_ready <= noise[4];
    summary_ready <= noise[6:5] != 2'd0;
    quiet <= states_valid || summary_valid ? 32'd0 : quiet + 32'd1;
    if (!rst && states_valid === 1'b1 && states_ready) begin
      if ((states_row & mask) !== row) fail("states", row, states_row & mask);
      if (states_slice !== row_at % SLICES) fail("slice", row_at % SLICES, states_slice);
      if (states_phase !== answer_at % PHASES) fail("state phase", answer_at % PHASES, states_phase);
      if (states_last !== (row_at % SLICES == SLICES - 1)) fail("last", ~states_last, states_last);
      row_at <= row_at + 1;
    end
    if (!rst && summary_valid === 1'b1 && summary_ready) begin
      if (summary_phase !== answer_at % PHASES) fail("phase", answer_at % PHASES, summary_phase);
      if (summary_settled !== expected[0]) fail("settled", expected[0], summary_settled);
      if (summary_label !== expected[32+:LABEL_BITS])
        fail("label", expected[32+:LABEL_BITS], summary_label);
      if (summary_sweeps !== expected[64+:SWEEP_BITS])
        fail("sweeps", expected[64+:SWEEP_BITS], summary_sweeps);
      if (summary_ticks !== expected[96+:COUNTER_BITS])
        fail("ticks", expected[96+:COUNTER_BITS], summary_ticks);
      if (summary_events !== expected[128+:COUNTER_BITS])
        fail("events", expected[128+:COUNTER_BITS], summary_events);
      if (summary_input_events !== expected[160+:INPUT_EVENT_BITS])
        fail("input events", expected[160+:INPUT_EVENT_BITS], summary_input_events);
      if (faults !== 6'd0) fail("faults", 0, faults);
      if (row_at !== (answer_at + 1) * SLICES) fail("rows", (answer_at + 1) * SLICES, row_at);
      answer_at = answer_at + 1;
    end
    if (quiet > QUIET_LIMIT) fail("patience", ANSWERS, answer_at);
    if (answer_at == ANSWERS || quiet > QUIET_LIMIT) begin
      if (failures == 0) begin
        $display("PASS: %0d phases of %0d images, %0d rows of states", answer_at, IMAGES, row_at);
        $finish;
      end else begin
        $display("FAIL: %0d differences in %0d phases", failures, answer_at);
        $fatal(1, "differs from the simulator of toreq-hw");
      end
    end
  end
endmodule
