"""A top with three pins around toreq_ports, so that tools can place a core that has hundreds."""

from toreq_hw.rtl.bus.named_ports import NAMED_TOP, named_ports
from toreq_hw.rtl.parameters import CoreParameters

HARNESS = "toreq_harness"


def harness_verilog(parameters: CoreParameters) -> str:
    """Inputs come out of a shift register; outputs go into registers, and their parity to a pin.

    So no logic of the core is optimised away, and its clock can be measured.
    """
    ports = named_ports(parameters)
    inputs = [port for port in ports if port.is_input]
    outputs = [port for port in ports if not port.is_input]
    width_in = sum(port.shape.width for port in inputs)
    width_out = sum(port.shape.width for port in outputs)
    connections, low = [".clk(clk)", ".rst(shifted[0])"], 1
    for port in inputs:
        connections.append(f".{port.name}(shifted[{low} +: {port.shape.width}])")
        low += port.shape.width
    low = 0
    for port in outputs:
        connections.append(f".{port.name}(answers[{low} +: {port.shape.width}])")
        low += port.shape.width
    joined = ",\n    ".join(connections)
    return (
        "// Written by toreq-hw: three pins around a core, to see its size and clock.\n"
        f"module {HARNESS} (input wire clk, input wire in, output reg out);\n"
        f"  reg [{width_in}:0] shifted;\n"
        f"  wire [{width_out - 1}:0] answers;\n"
        f"  reg [{width_out - 1}:0] held;\n"
        "  always @(posedge clk) begin\n"
        f"    shifted <= {{shifted[{width_in - 1}:0], in}};\n"
        "    held <= answers;\n"
        "    out <= ^held;\n"
        "  end\n"
        f"  {NAMED_TOP} core (\n    {joined}\n  );\n"
        "endmodule\n"
    )
