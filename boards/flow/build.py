"""From a plan to a bitstream: one synthesis, a place and route for each seed, the best packed."""

import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from toreq_hw.boards.flow.overflow import explain
from toreq_hw.boards.flow.plan import SCRIPT, STAT, Plan
from toreq_hw.boards.flow.stage import Stage, stage
from toreq_hw.boards.flow.threads import in_threads
from toreq_hw.boards.flow.toolchain import LOG, REPORT
from toreq_hw.boards.flow.tools import Tell, Tools
from toreq_hw.boards.tool_reports import bitstream, nextpnr_report, yosys_stat
from toreq_hw.boards.tool_reports.forbidden_cells import check_cells
from toreq_hw.boards.tool_reports.resources import resources
from toreq_hw.boards.tool_reports.yosys_stat import Synthesis
from toreq_hw.files import replacing
from toreq_hw.records.design import Bitstream, Placement, Resources


class Watch(Protocol):
    """Told when a stage begins, what its tool says every few seconds, and that it has ended. Begun:
    (name, None, False). Said: a note. Ended: (name, seconds it took, whether it was in the cache).
    """

    def __call__(self, name: str, seconds: float | None, cached: bool, note: str = "", /) -> None:
        """One of these."""


@dataclass(frozen=True)
class Build:
    """What the tools made of a plan. placements: by seed, as asked; bitstream: of the fastest.

    netlist: what went into place and route. made: where the bitstream lies. seconds: by stage, as
    it took when it ran.
    """

    synthesis: Synthesis
    placements: tuple[Placement, ...]
    resources: Resources
    bitstream: Bitstream
    netlist: Path
    made: Path
    seconds: dict[str, float]

    @property
    def best(self) -> Placement:
        """The one that the bitstream holds: the fastest, of equals the first."""
        return max(self.placements, key=lambda placement: placement.fmax_mhz)

    @property
    def fmax_median_mhz(self) -> float:
        """Over the seeds."""
        return statistics.median(placement.fmax_mhz for placement in self.placements)

    def deliver(self, folder: Path) -> None:
        """Copies the bitstream into `folder`."""
        with replacing(folder / self.bitstream.file) as temporary:
            shutil.copyfile(self.made, temporary)


def build(
    plan: Plan,
    seeds: Sequence[int],
    cache: Path,
    jobs: int,
    watch: Watch,
    parent: Tools | None = None,
) -> Build:
    """Runs what the cache does not hold. jobs: seeds at once. parent: ends the build's tools.

    Raises BuildError where a tool fails, ReportError where what it reports cannot be right or a
    cell is used that is not to be trusted.
    """
    toolchain = plan.toolchain
    with Tools(parent) as tools:
        synthesised = _watch(
            "synthesis", watch, lambda tell: run_synthesis(plan, tools, cache, tell)
        )
        synthesis = yosys_stat.parse(synthesised.folder / STAT)
        check_cells(plan.board.family, synthesis.cells, "netlist")

        def place(seed: int) -> Stage:
            return _watch(
                f"place and route, seed {seed}",
                watch,
                partial(_place, plan, seed, tools, cache, synthesised.folder),
            )

        placed = in_threads(place, seeds, jobs, tools.stop)
        placements = _placements(plan, seeds, placed)
        best = max(range(len(seeds)), key=lambda k: placements[k].fmax_mhz)
        packed = _watch(
            "bitstream",
            watch,
            lambda _: _pack(plan, tools, cache, placed[best].folder, seeds[best]),
        )
    made = packed.folder / toolchain.bitstream
    seconds = {"synthesis": synthesised.seconds, "bitstream": packed.seconds}
    seconds |= {f"seed {seed}": s.seconds for seed, s in zip(seeds, placed, strict=True)}
    return Build(
        synthesis=synthesis,
        placements=placements,
        resources=resources(plan.board.family, synthesis, placements[best]),
        bitstream=bitstream.parse(made, plan.board.family),
        netlist=synthesised.folder / toolchain.netlist,
        made=made,
        seconds=seconds,
    )


def _placements(plan: Plan, seeds: Sequence[int], placed: Sequence[Stage]) -> tuple[Placement, ...]:
    """What nextpnr reports of each seed. Raises ReportError, BuildError as `build` does."""
    placements = tuple(
        nextpnr_report.parse(s.folder / REPORT, s.folder / LOG, seed, plan.pll.output_hz)
        for seed, s in zip(seeds, placed, strict=True)
    )
    for placement in placements:
        check_cells(plan.board.family, placement.used, "place and route")
    return placements


def _watch(name: str, watch: Watch, work: Callable[[Tell], Stage]) -> Stage:
    watch(name, None, False)
    done = work(lambda note: watch(name, None, False, note))
    watch(name, done.seconds, done.cached)
    return done


def run_synthesis(plan: Plan, tools: Tools, cache: Path, tell: Tell = lambda _: None) -> Stage:
    """The stage that leaves a netlist and Yosys' counts of its cells."""

    def work(folder: Path) -> None:
        (folder / "top.il").write_text(plan.rtlil, encoding="utf-8")
        (folder / SCRIPT).write_text(plan.script, encoding="utf-8")
        arguments = ["-q", "-l", _YOSYS_LOG, SCRIPT]
        tools.run(plan.toolchain.synthesis, arguments, folder, "errors.log", tell, _YOSYS_LOG)
        (folder / "top.il").unlink()  # as large as the weights, and in the netlist too

    return stage(cache, f"synthesis-{plan.synthesis_key}", work)


_YOSYS_LOG = "yosys.log"


def _place(
    plan: Plan, seed: int, tools: Tools, cache: Path, synthesised: Path, tell: Tell
) -> Stage:
    toolchain = plan.toolchain

    def work(folder: Path) -> None:
        netlist = folder / toolchain.netlist
        netlist.hardlink_to(synthesised / toolchain.netlist)
        (folder / toolchain.constraints).write_text(plan.constraints, encoding="utf-8")
        with explain(plan.board, folder / LOG):
            tools.run(toolchain.placer, plan.placing(seed), folder, LOG, tell)
        netlist.unlink()

    return stage(cache, f"place-{plan.placing_key(seed)}", work)


def _pack(plan: Plan, tools: Tools, cache: Path, placed: Path, seed: int) -> Stage:
    toolchain = plan.toolchain

    def work(folder: Path) -> None:
        routed = folder / toolchain.routed
        routed.hardlink_to(placed / toolchain.routed)
        tools.run(toolchain.packer, plan.packer[1:], folder, "pack.log")
        routed.unlink()

    return stage(cache, f"pack-{plan.placing_key(seed)}", work)
