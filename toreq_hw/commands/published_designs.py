"""The designs of the published report: which they are, and how one becomes a row."""

import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toreq_hw import data, network
from toreq_hw.boards import registry
from toreq_hw.commands.stages import Stages
from toreq_hw.commands.synth import CACHE
from toreq_hw.errors import BuildError, NetworkError, ReportError

if TYPE_CHECKING:
    from toreq_hw.boards.flow.synthesis import Request, SynthesisRecord
    from toreq_hw.boards.flow.tools import Tools
    from toreq_hw.targets.workload import Workload


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
    subject: Subject, networks: Path, seeds: int, stages: Stages, tools: "Tools"
) -> dict[str, Any]:
    """One design's record; a design that cannot be built becomes its error."""
    from toreq_hw.boards.flow.synthesis import synthesise
    from toreq_hw.targets.energy import energy_record
    from toreq_hw.targets.workload import workload

    dataset = data.load(DATA[subject.network])
    request = request_of(subject, networks, seeds)
    net = request.network
    watch = stages.within(subject.name)
    try:
        built = synthesise(request, watch, tools)
        with _SIMULATING:
            work = workload(net, request.parameters, dataset)
        energy = {"absent": "the clock is not met"}
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
        return {"name": subject.name, "error": str(error)}
    return {
        "name": subject.name,
        "network": {
            "name": subject.network,
            "sha256": net.sha256,
            "weights": " and ".join(dict.fromkeys(c.weight_format.value for c in net.couplings)),
        },
        "workload": asdict(work),
        "synthesis": asdict(built),
        "latency": latency(work, built),
        "energy": energy,
    }


def latency(work: "Workload", built: "SynthesisRecord") -> dict[str, float] | None:
    """Times of a test image at the clock that the PLL makes; none where it is not met."""
    if not built.met:
        return None
    clock_mhz = built.pll.output_hz / 1e6
    times = {
        f"p{p}_us": cycles / clock_mhz
        for p, cycles in ((50, work.cycles_p50), (95, work.cycles_p95), (99, work.cycles_p99))
    }
    return times | {"images_per_s": 1e6 * clock_mhz / work.cycles_mean}
