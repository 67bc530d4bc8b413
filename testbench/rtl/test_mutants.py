"""What a campaign of mutants makes of a netlist."""

from pathlib import Path

import pytest

from testbench.rtl.aiger import Graph
from testbench.rtl.learning_cases import SMALL
from testbench.rtl.learning_mutants import LEARNS
from testbench.rtl.mutations import initial_values, make_mutants
from testbench.rtl.tools import yosys
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages

REGISTERS = """
module two(input clk, input [1:0] d, input [9:0] mutant, output [1:0] q, output r);
    reg [1:0] q = 2'b11;
    reg r = 1'b0;
    always @(posedge clk) begin q <= d; r <= q[0]; end
endmodule
"""


@pytest.mark.parametrize("kept", [True, False])
def test_registers_with_a_mutant_begin_as_they_did(kept: bool, tmp_path: Path) -> None:
    """A register without an initial value takes an input of its own for it."""
    (tmp_path / "two.v").write_text(REGISTERS)
    yosys("read_verilog two.v; proc; write_rtlil whole.il; mutate -list 60 -o drawn.txt", tmp_path)
    drawn = [
        line for line in (tmp_path / "drawn.txt").read_text().splitlines() if "-port Q" in line
    ]
    mutations = [
        line.replace("mutate ", f"mutate -ctrl mutant 10 {k} ") for k, line in enumerate(drawn)
    ]
    lines = initial_values((tmp_path / "whole.il").read_text(), drawn)
    assert {line.split()[3] for line in lines} == {"1'0", "1'1"}
    script = "\n".join([*mutations, *(lines if kept else [])])
    (tmp_path / "list.txt").write_text(f"{script}\n")
    yosys(
        "read_rtlil whole.il; script list.txt; opt_clean; simplemap; aigmap; "
        "write_aiger -zinit two.aig",
        tmp_path,
    )
    inputs = Graph.read(tmp_path / "two.aig").inputs
    ports = 1 + 2 + 10
    assert inputs == (ports if kept else ports + 3)


def test_clocks_are_left_alone_where_a_compiled_model_holds_the_mutants(tmp_path: Path) -> None:
    """CXXRTL runs registers behind a gated clock after the others: every core would be wrong."""
    core = Core(SMALL.parameters, MemoryImages.of(SMALL.network, SMALL.parameters))
    drawn = make_mutants(core, tmp_path, 60, 1, LEARNS, clocks=False)
    assert (len(drawn), [line for line in drawn if "-port CLK" in line]) == (60, [])
