"""From a plan to a bitstream: one synthesis, a place and route for each seed, the best packed."""

import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, delayed

from toreq_hw.boards import bitstream, nextpnr_report, yosys_stat
from toreq_hw.boards.bitstream import Bitstream
from toreq_hw.boards.nextpnr_report import Placement
from toreq_hw.boards.overflow import explained
from toreq_hw.boards.plan import SCRIPT, STAT, Plan
from toreq_hw.boards.resources import Resources, resources
from toreq_hw.boards.stage import Stage, stage
from toreq_hw.boards.toolchain import LOG, REPORT
from toreq_hw.boards.tools import Tools
from toreq_hw.boards.yosys_stat import Synthesis

Watch = Callable[[str, float | None, bool], None]
"""Told when a stage begins (name, None, False) and ends (name, seconds it took, from the cache)."""


@dataclass(frozen=True)
class Build:
    """What the tools made of a plan. placements: by seed, as asked. bitstream: of the fastest.

    seconds: by stage, as it took when it ran.
    """

    synthesis: Synthesis
    placements: tuple[Placement, ...]
    resources: Resources
    bitstream: Bitstream
    seconds: dict[str, float]

    @property
    def best(self) -> Placement:
        """The one that the bitstream holds: the fastest, of equals the first."""
        return max(self.placements, key=lambda placement: placement.fmax_mhz)

    @property
    def fmax_median_mhz(self) -> float:
        """Over the seeds."""
        return statistics.median(placement.fmax_mhz for placement in self.placements)


def build(
    plan: Plan, seeds: Sequence[int], cache: Path, out: Path, jobs: int, watch: Watch
) -> Build:
    """Runs what the cache does not hold, and copies the bitstream into the folder `out`.

    jobs: places at once. Raises BuildError where a tool fails, ReportError where what it reports
    cannot be right.
    """
    toolchain = plan.toolchain
    with Tools() as tools:
        synthesis_stage = _watched("synthesis", watch, lambda: _synthesise(plan, tools, cache))
        synthesis = yosys_stat.parse(synthesis_stage.folder / STAT)
        run = Parallel(n_jobs=jobs, prefer="threads")
        stages: list[Stage] = run(
            delayed(_watched)(
                f"place and route, seed {seed}",
                watch,
                lambda seed=seed: _place(plan, seed, tools, cache, synthesis_stage.folder),
            )
            for seed in seeds
        )
        placements = tuple(
            nextpnr_report.parse(
                found.folder / REPORT, found.folder / LOG, seed, plan.pll.output_hz
            )
            for seed, found in zip(seeds, stages, strict=True)
        )
        best = max(range(len(seeds)), key=lambda k: placements[k].fmax_mhz)
        packed = _watched(
            "bitstream", watch, lambda: _pack(plan, tools, cache, stages[best].folder, seeds[best])
        )
    made = packed.folder / toolchain.bitstream
    found = bitstream.parse(made, plan.board.family)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, out / toolchain.bitstream)
    seconds = {"synthesis": synthesis_stage.seconds, "bitstream": packed.seconds}
    seconds |= {f"seed {seed}": s.seconds for seed, s in zip(seeds, stages, strict=True)}
    return Build(
        synthesis=synthesis,
        placements=placements,
        resources=resources(plan.board.family, synthesis, placements[best]),
        bitstream=found,
        seconds=seconds,
    )


def _watched(name: str, watch: Watch, work: Callable[[], Stage]) -> Stage:
    watch(name, None, False)
    done = work()
    watch(name, done.seconds, done.cached)
    return done


def _synthesise(plan: Plan, tools: Tools, cache: Path) -> Stage:
    def work(folder: Path) -> None:
        (folder / "top.il").write_text(plan.rtlil)
        (folder / SCRIPT).write_text(plan.script)
        tools.run(plan.toolchain.synthesis, ["-q", "-l", "yosys.log", SCRIPT], folder, "errors.log")
        (folder / "top.il").unlink()  # as large as the weights, and in the netlist too

    return stage(cache, f"synthesis-{plan.synthesis_key}", work)


def _place(plan: Plan, seed: int, tools: Tools, cache: Path, synthesised: Path) -> Stage:
    toolchain = plan.toolchain

    def work(folder: Path) -> None:
        netlist = folder / toolchain.netlist
        netlist.hardlink_to(synthesised / toolchain.netlist)
        (folder / toolchain.constraints).write_text(plan.constraints)
        with explained(plan.board, folder / LOG):
            tools.run(toolchain.placer, plan.placing(seed), folder, LOG)
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
