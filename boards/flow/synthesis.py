"""A network on a board, from its parameters to a checked bitstream and one record of it all."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from toreq_hw.argument_types import named_type_errors
from toreq_hw.boards import registry
from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.clock.clocking import solve
from toreq_hw.boards.fit.check import check_fit, check_learning_fit, lanes_that_fit
from toreq_hw.boards.flow.build import Build, Watch, build
from toreq_hw.boards.flow.plan import Plan, plan
from toreq_hw.boards.flow.stage import CACHE, FOLDER
from toreq_hw.boards.flow.tools import Tools
from toreq_hw.boards.system import System
from toreq_hw.boards.tool_reports.contents import check_contents
from toreq_hw.boards.tool_reports.plausible import check_plausible
from toreq_hw.machine import processors
from toreq_hw.network import Network
from toreq_hw.records.design import Pll, SynthesisRecord
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.tables import check_learnable
from toreq_hw.rtl.parameters import CoreParameters


@dataclass(frozen=True)
class Learning:
    """Of a core that learns. lanes: latents a beat of LEARN. latent_bits: by coupling."""

    lanes: int
    latent_bits: Mapping[str, int]

    @classmethod
    def alike(cls, network: Network, lanes: int, latent_bits: int) -> "Learning":
        """All couplings of `network` with as many latent bits."""
        return cls(lanes, {coupling.name: latent_bits for coupling in network.couplings})


@named_type_errors
@dataclass(frozen=True)
class Request:
    """What to build. clock_hz: None for the board's own. cache: of finished stages. threshold: of
    the lossy mode, None for a core without it. learning: None for a core that cannot learn.
    accumulator_register: as of `CoreParameters`.
    """

    network: Network
    board: Board
    lanes: int
    clock_hz: float | None
    seeds: tuple[int, ...]
    cache: Path
    out: Path
    jobs: int
    threshold: int | None = None
    learning: Learning | None = None
    accumulator_register: bool = False

    @classmethod
    def of(
        cls,
        network: Network,
        board: Board | str,
        *,
        lanes: int | None = None,
        clock_mhz: float | None = None,
        seeds: int = 5,
        jobs: int | None = None,
        out: Path | None = None,
        threshold: int | None = None,
        learning: Learning | None = None,
        accumulator_register: bool = False,
    ) -> "Request":
        """A request with the board's own clock, and the most lanes that fit, where none are given.

        board: itself, or its name. seeds: runs of place and route, with seeds 1 to N. jobs: seeds
        at once; the processors at hand if not given. out: takes the bitstream; build/synth/BOARD
        if not given.
        Raises InputError for an unknown board.
        """
        known = registry.get(board) if isinstance(board, str) else board
        own = known.lanes if learning else lanes_that_fit(known, network, threshold)
        return cls(
            network=network,
            board=known,
            lanes=lanes or own,
            clock_hz=None if clock_mhz is None else clock_mhz * 1e6,
            seeds=tuple(range(1, seeds + 1)),
            cache=CACHE,
            out=out or FOLDER / known.name,
            jobs=jobs or processors(),
            threshold=threshold,
            learning=learning,
            accumulator_register=accumulator_register,
        )

    @property
    def parameters(self) -> CoreParameters:
        """Of the core. Raises NetworkError where the network cannot fit onto the board, or be
        learned, or a core would learn and send only large moves.
        """
        if self.learning is None:
            return check_fit(
                self.board,
                self.network,
                self.lanes,
                self.threshold,
                accumulator_register=self.accumulator_register,
            )
        learning, update_lanes = self.learning, min(self.lanes, self.board.update_lanes)
        check_learnable(self.network, update_lanes, learning.lanes, self.threshold)
        return check_learning_fit(
            self.board,
            self.network,
            self.lanes,
            learning.lanes,
            learning.latent_bits,
            accumulator_register=self.accumulator_register,
        )


@dataclass(frozen=True)
class Prepared:
    """A request that fits: all that is known before a tool runs."""

    parameters: CoreParameters
    images: MemoryImages
    planned: Plan

    @property
    def design(self) -> str:
        """Equal for equal netlists: of the design, its weights, Yosys' script and version."""
        return self.planned.synthesis_key


def prepare(request: Request) -> Prepared:
    """Elaborates a request. Raises NetworkError where the network cannot fit, InputError for a
    clock that the PLL cannot make.
    """
    return _elaborated(request, solve(request.board, request.clock_hz), request.parameters)


def _elaborated(request: Request, pll: Pll, parameters: CoreParameters) -> Prepared:
    board = request.board
    images = MemoryImages.of(request.network, parameters)
    system = System(parameters, images, round(pll.output_hz), board.baud)
    return Prepared(parameters, images, plan(board, pll, system, system.loaded, _options(board)))


def _nobody(name: str, seconds: float | None, cached: bool, note: str = "", /) -> None:
    """Watches nothing."""


def synthesise(
    request: Request, watch: Watch = _nobody, parent: Tools | None = None
) -> SynthesisRecord:
    """Builds a request. The bitstream is copied to `out` only where the clock is met.

    watch: told of every stage. parent: ends the tools. Raises what `prepare` does, BuildError where
    a tool fails, ReportError where a result cannot be right.
    """
    pll, parameters = solve(request.board, request.clock_hz), request.parameters
    watch("elaboration", None, False)
    began = time.perf_counter()
    prepared = _elaborated(request, pll, parameters)
    watch("elaboration", time.perf_counter() - began, False)
    done = build(prepared.planned, request.seeds, request.cache, request.jobs, watch, parent=parent)
    check_contents(done.netlist, prepared.images)
    capacity = request.board.capacity
    bits = (capacity.block_ram_bits, capacity.spram_bits)
    check_plausible(prepared.parameters, bits, done.resources)
    if done.best.met:
        done.deliver(request.out)
    return _record(request, prepared, done)


def _options(board: Board) -> Sequence[str]:
    """Of Yosys' synth command.

    Multipliers go to DSP blocks where iCE40 has them. On ECP5 no table is made of more than four
    inputs: nextpnr leaves a flip-flop behind a wide one apart, 1.6 to 2.7 ns away in four critical
    paths that were looked at.
    """
    if board.family is Family.ECP5:
        return ("-nowidelut",)
    return ("-dsp",) if board.capacity.dsp and board.family is Family.ICE40 else ()


def _record(request: Request, prepared: Prepared, done: Build) -> SynthesisRecord:
    board, planned, learning = request.board, prepared.planned, request.learning
    reached = [placement.fmax_mhz for placement in done.placements]
    return SynthesisRecord(
        board=board.name,
        title=board.title,
        design=prepared.design,
        network_sha256=request.network.sha256,
        sizes=tuple(population.size for population in request.network.populations),
        lanes=request.lanes,
        threshold=request.threshold,
        accumulator_bits=prepared.parameters.accumulator_bits,
        pll=planned.pll,
        baud=board.baud,
        resources=done.resources,
        capacity=board.capacity,
        placements=done.placements,
        fmax_median_mhz=done.fmax_median_mhz,
        fmax_min_mhz=min(reached),
        fmax_max_mhz=max(reached),
        constraint_mhz=done.best.constraint_mhz,
        met=done.best.met,
        cells=done.synthesis.cells,
        bitstream=done.bitstream,
        seconds=done.seconds,
        versions=planned.versions,
        learn_lanes=UNSET if learning is None else learning.lanes,
        latent_bits=UNSET if learning is None else dict(learning.latent_bits),
        accumulator_register=request.accumulator_register or UNSET,
    )
