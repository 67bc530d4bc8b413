"""Breaks the wrappers for AXI and Wishbone on purpose; every break must be noticed.

    python testbench/bus_mutants.py [NUMBERS...]    (make bus-mutants)

Writes build/bus-mutants.json; status 1 if one survives, or if one that is called harmless is noticed.
Each wrapper is made of broken sources and simulated, in Icarus where it is installed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant

AXI, WISHBONE, LEARNING = "axi", "wishbone", "learning"
"""Tests: of a core behind a bus, and of one that learns behind Wishbone."""


_AXI, _WISHBONE = "rtl/bus/axi.py", "rtl/bus/wishbone.py"
_FILE, _WORDS, _SHELL = "rtl/bus/register_file.py", "rtl/bus/words.py", "rtl/bus/shell.py"

AXI_PORTS = (
    Mutant(_AXI, "domain.rst.eq(~self.aresetn)", "domain.rst.eq(0)"),
    Mutant(_AXI, "words.payload.keep.eq(self.s_axis_tkeep)", "words.payload.keep.eq(~0)"),
    Mutant(_AXI, "words.payload.last.eq(self.s_axis_tlast)", "words.payload.last.eq(0)"),
    Mutant(_AXI, "self.s_axis_tready.eq(words.ready)", "self.s_axis_tready.eq(1)"),
    Mutant(
        _AXI, "self.m_axis_tlast.eq(packets.payload.last)", "self.m_axis_tlast.eq(packets.valid)"
    ),
    Mutant(_AXI, "self.m_axis_tkeep.eq(~0)", "self.m_axis_tkeep.eq(7)"),
    Mutant(_AXI, "packets.ready.eq(self.m_axis_tready)", "packets.ready.eq(1)"),
    Mutant(_AXI, "self.s_axi_awready.eq(~has_address)", "self.s_axi_awready.eq(1)"),
    Mutant(_AXI, "self.s_axi_wready.eq(~has_data)", "self.s_axi_wready.eq(1)"),
    Mutant(_AXI, "has_data & ~self.s_axi_bvalid", "has_data"),
    Mutant(_AXI, "shell.write_lanes.eq(self.s_axi_wstrb)", "shell.write_lanes.eq(~0)"),
    Mutant(_AXI, "Mux(shell.write_refused, SLVERR, OKAY)", "OKAY"),
    Mutant(_AXI, "Mux(shell.read_refused, SLVERR, OKAY)", "OKAY"),
    Mutant(_AXI, "has_address & ~self.s_axi_rvalid", "has_address"),
    Mutant(_AXI, "self.s_axi_arready.eq(~has_address)", "self.s_axi_arready.eq(1)"),
    Mutant(_AXI, "with m.If(self.s_axi_bready):", "with m.If(1):"),
    Mutant(_AXI, "with m.If(self.s_axi_rready):", "with m.If(1):"),
)
WISHBONE_PORTS = (
    Mutant(_WISHBONE, "self.wb_clk_i, self.wb_rst_i", "self.wb_clk_i, Signal()"),
    Mutant(_WISHBONE, "self.wb_cyc_i & self.wb_stb_i", "self.wb_stb_i"),
    Mutant(_WISHBONE, "self.wb_cyc_i & self.wb_stb_i", "self.wb_cyc_i"),
    Mutant(_WISHBONE, "& ~self.wb_ack_o", ""),
    Mutant(_WISHBONE, "& ~self.wb_err_o", ""),
    Mutant(_WISHBONE, "shell.read.eq(begins & ~self.wb_we_i)", "shell.read.eq(begins)"),
    Mutant(_WISHBONE, "shell.write_lanes.eq(self.wb_sel_i)", "shell.write_lanes.eq(~0)"),
    Mutant(_WISHBONE, "self.wb_ack_o.eq(begins & ~refused)", "self.wb_ack_o.eq(begins)"),
    Mutant(_WISHBONE, "self.wb_err_o.eq(begins & refused)", "self.wb_err_o.eq(0)"),
)
REGISTERS = (
    Mutant(_FILE, "busy & ~reset", "busy"),
    Mutant(_FILE, 'self.reset_core.eq(self._written["CONTROL"] & reset)', "self.reset_core.eq(0)"),
    Mutant(_FILE, "self.stream.eq(streams)", "self.stream.eq(1)"),
    Mutant(_FILE, "self.sparse.eq(sparse)", "self.sparse.eq(0)"),
    Mutant(_FILE, '"IDLE": self.idle', '"IDLE": Const(1, 1)'),
    Mutant(_FILE, '"COMMAND": self.commands.valid', '"COMMAND": Const(0, 1)'),
    Mutant(_FILE, '"LOAD": self.loads.valid', '"LOAD": Const(0, 1)'),
    Mutant(_FILE, "refused | ~self.write_lanes.all()", "refused | ~self.write_lanes.any()"),
    Mutant(_FILE, "(happened & ~cleared) | events", "(happened | events) & ~cleared"),
    Mutant(_FILE, "self.fault_count > count", "self.fault_count != count"),
    Mutant(_FILE, "(happened & enabled).any()", "happened.any()"),
    Mutant(_FILE, "cleared.eq(self.write_data)", "cleared.eq(~0)"),
    Mutant(_FILE, "enabled.eq(self.write_data)", "enabled.eq(~0)"),
    Mutant(_FILE, 'self._blocked["COMMAND"] = self.commands.valid', 'self._blocked["COMMAND"] = Const(0)'),
    Mutant(_FILE, "command.report.eq(self.write_data[8])", "command.report.eq(1)"),
    Mutant(_FILE, "m.If(self.write_data[len(command.command) : 8].any())", "m.If(0)"),
    Mutant(_FILE, "m.If(label[len(command.label) :].any())", "m.If(0)"),
    Mutant(_FILE, 'self._blocked["LOAD"] = self._blocked["LOAD_DATA"]', 'self._blocked["LOAD"]'),
    Mutant(_FILE, 'self._blocked["LOAD"] = self._blocked["LOAD_DATA"]', 'self._blocked["LOAD_DATA"]'),
    Mutant(_FILE, "payload.address.eq(address | excess.replicate(len(payload.address)))", "payload.address.eq(address)"),
    Mutant(_FILE, "self.commands.valid.eq(0), self.loads.valid.eq(0)]", "self.commands.valid.eq(0)]"),
    Mutant(_FILE, "self.commands.valid.eq(0), self.loads.valid.eq(0)]", "self.loads.valid.eq(0)]"),
    Mutant(_FILE, "with m.If(self.result):", "with m.If(1):"),
    Mutant(
        _FILE,
        "busy = ~self.idle | self.commands.valid",
        "busy = ~self.idle",
        harmless="the core takes a command before a bus can write a second register",
    ),
)  # fmt: skip
WISHBONE_REGISTERS = (
    Mutant(_FILE, '"INPUT": self.words.ready', '"INPUT": Const(1, 1)'),
    Mutant(_FILE, '"OUTPUT": self.packets.valid', '"OUTPUT": Const(1, 1)'),
    Mutant(_FILE, "self.packets.valid & self.packets.payload.last", "self.packets.valid"),
    Mutant(_FILE, "self.words.payload.last.eq(last)", "self.words.payload.last.eq(1)"),
    Mutant(_FILE, "self.words.payload.keep.eq(self.write_lanes)", "self.words.payload.keep.eq(~0)"),
    Mutant(_FILE, 'self._blocked["INPUT_LAST"] = ~self.words.ready', 'self._blocked["INPUT_LAST"] = Const(0)'),
    Mutant(_FILE, "self.read & _hits(", "_hits("),
    Mutant(_FILE, '0 if name != "OUTPUT" else ~self.packets.valid', "0"),
)  # fmt: skip
WORDS = (
    Mutant(_WORDS, "held.last & ~held.keep.any()", "0"),
    Mutant(_WORDS, "sparse | ~held.keep[1:].any()", "~held.keep[1:].any()"),
    Mutant(_WORDS, "Mux(index[len(inputs.index) :].any(), self._size, 0)", "0"),
    Mutant(_WORDS, "held.last & ends", "held.last"),
    Mutant(_WORDS, "self.enabled & (self.states.valid | self.summary.valid)", "self.states.valid | self.summary.valid"),
    Mutant(_WORDS, "~full | (shifts & ends)", "1"),
    Mutant(_WORDS, "self.states.ready.eq(~self.enabled | (sends & ends))", "self.states.ready.eq(sends & ends)"),
    Mutant(_WORDS, "word.last.eq(ends)", "word.last.eq(0)"),
    Mutant(_WORDS, "Mux(ends, 0, number + 1)", "number + 1"),
    Mutant(_WORDS, "self.taken.eq(self.summary.valid & self.summary.ready)", "self.taken.eq(self.summary.valid)"),
    Mutant(_SHELL, "core.reset.eq(reset)", "core.reset.eq(0)"),
)  # fmt: skip
RESETS = (
    Mutant(_SHELL, "ResetInserter(reset)(inputs)", "inputs"),
    Mutant(_SHELL, "ResetInserter(reset)(results)", "results"),
)
READS = (
    Mutant(_FILE, 'waits["READ"] = self.reads.valid', 'waits["READ"] = Const(0, 1)'),
    Mutant(_FILE, 'self._blocked["READ"] = self.reads.valid', 'self._blocked["READ"] = Const(0)'),
    Mutant(_FILE, "m.d.sync += self.reads.valid.eq(0)\n        self._decode", "pass\n        self._decode"),
    Mutant(_FILE, "words.eq(self.readings.payload.data)", "words.eq(self.readings.payload.data[:32])"),
    Mutant(_FILE, "words.word_select(number, WORD_BITS)", "words.word_select(0, WORD_BITS)"),
    Mutant(_FILE, "value.word_select(k, WORD_BITS)", "value.word_select(0, WORD_BITS)"),
)  # fmt: skip

TRIALS = (
    *((mutant, AXI) for mutant in AXI_PORTS),
    *((mutant, WISHBONE) for mutant in (*WISHBONE_PORTS, *WISHBONE_REGISTERS, *RESETS)),
    *((mutant, (AXI, WISHBONE)[k % 2]) for k, mutant in enumerate((*REGISTERS, *WORDS))),
    *((mutant, LEARNING) for mutant in READS),
)

if __name__ == "__main__":
    from testbench.rtl.bus_campaign import Trial, main  # needs the extra rtl-test; the lists do not

    main([Trial(mutant, test) for mutant, test in TRIALS])
