"""Faults in the netlist of a core, by Yosys' `mutate`: all in one design, an input picks one."""

import re
from pathlib import Path

from amaranth.back import rtlil

from testbench.rtl.simulate import ROOT
from testbench.rtl.tools import yosys
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.verilog import TOP

SELECT_BITS = 10
"""Width of the control input `mutant`; all ones is the unharmed core."""

_INITIAL = re.compile(r"attribute \\init \d+'([01]+)\n(?:  attribute .*\n)*  wire (?:.* )?(\S+)\n")
_REGISTER = re.compile(r"  cell \S+ (\S+)\n(?:    .*\n)*?    connect \\Q (\S+)\n")
_AT_OUTPUT = re.compile(r"-cell (\S+) -port Q -portbit (\d+)")


def unharmed() -> int:
    """The value of the control input that picks no mutant."""
    return (1 << SELECT_BITS) - 1


def make_mutants(
    core: Core, folder: Path, count: int, seed: int, among: str = "t:*", *, clocks: bool = True
) -> list[str]:
    """Writes mutants.v: faults `among` these cells, picked by input `mutant`; says what each is.

    clocks: False leaves clocks alone. CXXRTL runs registers behind a gate after the others. So a
    model in which a clock may be harmed is wrong even where it is whole.
    """
    (folder / "core.il").write_text(rtlil.convert(core, name=TOP))
    prepare = f"read_rtlil core.il; hierarchy -top {TOP}; proc; flatten; opt_clean"
    drawings = count if clocks else count + count // 4
    logic = f"{among} t:$meminit* %d"  # what a memory holds at first is data, not logic
    yosys(
        f"{prepare}; mutate -list {drawings} -seed {seed} -o drawn.txt {logic}; "
        "write_rtlil whole.il",
        folder,
    )
    drawn = (folder / "drawn.txt").read_text().splitlines()
    drawn = [line for line in drawn if clocks or "-port CLK" not in line][:count]
    control = [
        mutation.replace("mutate ", f"mutate -ctrl mutant {SELECT_BITS} {number} ")
        for number, mutation in enumerate(drawn)
    ]
    (folder / "list.txt").write_text("\n".join(control) + "\n")
    yosys(
        f"{prepare}; script list.txt; opt_clean; write_rtlil mutants.il; "
        "write_verilog -noattr mutants.v",
        folder,
    )
    lines = initial_values((folder / "whole.il").read_text(), drawn)
    (folder / "initial.txt").write_text("".join(f"{line}\n" for line in lines))
    yosys("read_rtlil mutants.il; script initial.txt; write_rtlil mutants.il", folder)
    verilog = (folder / "mutants.v").read_text()
    (folder / "mutants.v").write_text(_with_public_states(verilog))
    return [re.sub(f" -src {ROOT}/toreq_hw/", " -src ", mutation) for mutation in drawn]


def initial_values(whole: str, drawn: list[str]) -> list[str]:
    """Yosys commands that give registers with a mutant at their output their initial value back.

    Yosys leaves the attribute `init` with the wire behind the mutant, which no register drives any
    more. A proof would then begin with any value of the register. whole: the core before.
    """
    bits = {wire: value[::-1] for value, wire in _INITIAL.findall(whole)}
    outputs = dict(_REGISTER.findall(whole))
    found: dict[str, set[str]] = {}
    for cell, port_bit in (match.groups() for match in map(_AT_OUTPUT.search, drawn) if match):
        if outputs.get(cell) in bits:
            found.setdefault(cell, set()).add(bits[outputs[cell]][int(port_bit)])
    return [
        f"setattr -set init 1'{values.pop()} c:{cell} %co1:+[Q] w:$auto$mutate* %i"
        for cell, values in found.items()
        if len(values) == 1  # two bits of one register that begin differently stay free
    ]


def _with_public_states(verilog: str) -> str:
    """Lets the bench read the memory of states, which loses its dotted name for that."""
    verilog, count = re.subn(r"\\datapath\.states ", "states_memory ", verilog)
    assert count, "the flat core must have its memory of states"
    return re.sub(
        r"(reg \[\d+:0\] states_memory +\[\d+:0\]);",
        r"\1 /*verilator public_flat_rd*/;",
        verilog,
    )
