"""The designs of the published report: which they are, and how one becomes a row."""

import threading
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from toreq_hw import data, network
from toreq_hw.boards import registry
from toreq_hw.errors import BuildError, NetworkError, ReportError
from toreq_hw.extras import missing
from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.energy import EnergyRecord
from toreq_hw.records.synthesis import Design, DesignNetwork, Failure, Latency
from toreq_hw.records.workload import Workload

if TYPE_CHECKING:
    from toreq_hw.boards.flow.build import Watch
    from toreq_hw.boards.flow.synthesis import Request
    from toreq_hw.boards.flow.tools import Tools


CACHE = Path("build/synth/cache")
"""Finished stages of all designs."""


@dataclass(frozen=True)
class Subject:
    """A row of the report: a network, by the name of its file, on a board."""

    network: str
    board: str
    lanes: int
    clock_mhz: float

    @property
    def name(self) -> str:
        """For the screen."""
        return f"{self.network} on {self.board}, {self.lanes} lanes"


DATA = {"digits": "digits", "mnist": "mnist", "mnist-int8": "mnist"}
"""Which test set a network, by the name of its file, is measured on."""

PUBLISHED = (
    Subject("digits", "icebreaker", 16, 24),
    Subject("digits", "ice40_hx8k_b_evn", 8, 48),
    Subject("digits", "tang_nano_9k", 8, 45),
    Subject("digits", "orangecrab", 16, 80),
    Subject("digits", "ulx3s_25f", 16, 80),
    Subject("digits", "ulx3s_85f", 16, 80),
    Subject("mnist", "icebreaker", 16, 24),
    Subject("mnist", "ulx3s_85f", 64, 80),
    Subject("mnist-int8", "ulx3s_85f", 32, 80),
)


def needs() -> None:
    """Raises MissingDependencyError where the extra `boards` is not installed."""
    try:
        import_module("toreq_hw.boards.flow.synthesis")
    except ModuleNotFoundError as error:
        raise missing("synthesis", error.name, "boards") from error


def request_of(subject: Subject, networks: Path, seeds: int) -> "Request":
    """What is to be built. Raises what loading the network raises."""
    from toreq_hw.boards.flow.synthesis import Request

    board = registry.get(subject.board)
    return Request(
        network=network.load(networks / f"{subject.network}.safetensors"),
        board=board,
        lanes=subject.lanes,
        clock_hz=subject.clock_mhz * 1e6,
        seeds=tuple(range(1, seeds + 1)),
        cache=CACHE,
        out=Path("build/reports") / f"{subject.network}-{board.name}",
        jobs=1,
    )


_SIMULATING = threading.Lock()
"""The simulator takes all cores for itself."""


def row(
    subject: Subject, networks: Path, seeds: int, watch: "Watch", tools: "Tools"
) -> Design | Failure:
    """One design's record; a design that cannot be built becomes its failure."""
    from toreq_hw.boards.flow.synthesis import synthesise
    from toreq_hw.targets.energy import energy_record
    from toreq_hw.targets.workload import workload

    dataset = data.load(DATA[subject.network])
    request = request_of(subject, networks, seeds)
    net = request.network
    try:
        built = synthesise(request, watch, tools)
        with _SIMULATING:
            work = workload(net, request.parameters, dataset)
        energy = EnergyRecord(absent="the clock is not met")
        if built.met:
            energy = energy_record(
                net,
                request.parameters,
                dataset,
                request.board,
                flip_flops=built.resources.ff,
                clock_hz=built.pll.output_hz,
            )
    except (BuildError, NetworkError, ReportError) as error:
        return Failure(subject.name, str(error))
    return Design(
        name=subject.name,
        network=DesignNetwork(
            name=subject.network,
            sha256=net.sha256,
            weights=" and ".join(dict.fromkeys(c.weight_format.value for c in net.couplings)),
        ),
        workload=work,
        synthesis=built,
        latency=latency(work, built),
        energy=energy,
    )


def latency(work: Workload, built: SynthesisRecord) -> Latency | None:
    """Times of a test image at the clock that the PLL makes; none where it is not met."""
    if not built.met:
        return None
    clock_mhz = built.pll.output_hz / 1e6
    return Latency(
        p50_us=work.cycles_p50 / clock_mhz,
        p95_us=work.cycles_p95 / clock_mhz,
        p99_us=work.cycles_p99 / clock_mhz,
        images_per_s=1e6 * clock_mhz / work.cycles_mean,
    )
