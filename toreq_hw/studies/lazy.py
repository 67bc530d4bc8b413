"""What a core saves by sending less, or by stopping sooner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toreq_hw import data, network
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.extras import missing
from toreq_hw.network import Network
from toreq_hw.records.lazy import Effort, LazyNetwork, LazyRecord, Measured
from toreq_hw.reports.lazy import lazy_page
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

LANES = 16
THRESHOLDS = (1, 2, 4, 8, 16)
LIMITS = (1, 2, 3, 4, 6, 8)

PUBLISHED: Mapping[str, str] = {"digits": "digits", "mnist": "mnist", "mnist-int8": "mnist"}
"""Networks of `make reports`, by the names of their files, and what each is measured on."""


@dataclass(frozen=True, eq=False)
class MeasuredNetwork:
    """A network, by its name, and data of its size."""

    name: str
    network: Network
    dataset: data.Dataset


@dataclass(frozen=True, eq=False)
class Options:
    """lanes: of the cores. thresholds: of the lossy mode. limits: sweeps of the control."""

    networks: tuple[MeasuredNetwork, ...]
    lanes: int = LANES
    thresholds: tuple[int, ...] = THRESHOLDS
    limits: tuple[int, ...] = LIMITS


def published_options() -> Options:
    """The networks of `make reports`. Raises what loading them raises."""
    folder = Path("build/reports/networks")
    return Options(
        tuple(
            MeasuredNetwork(name, network.load(folder / f"{name}.safetensors"), data.load(dataset))
            for name, dataset in PUBLISHED.items()
        )
    )


def run(options: Options | None, place: Place) -> LazyRecord:
    """Measures every network with every effort. Raises NetworkError before anything is measured."""
    options = options or published_options()
    try:
        from toreq_hw.targets import laziness
    except ModuleNotFoundError as error:
        raise missing("the timing of a core", error.name, "rtl") from error
    efforts = laziness.efforts_of(options.thresholds, options.limits)
    for one in options.networks:
        laziness.check(one.network, options.lanes, efforts)
    with workers(place.jobs, place.scheduler):
        found = tuple(_network(one, options.lanes, efforts, place) for one in options.networks)
    return LazyRecord(found, versions("scipy"))


def _network(
    one: MeasuredNetwork, lanes: int, efforts: Sequence[Effort], place: Place
) -> LazyNetwork:
    from toreq_hw.targets import laziness

    net, dataset = one.network, one.dataset
    shared = {
        "network": net.sha256,
        "data": dataset.sha256,
        "lanes": lanes,
        "code": digest_of_imports("toreq_hw.targets.laziness"),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "lazy", shared, Measured)
    runs: list[Run] = [vars(effort) for effort in efforts]
    title = f"{one.name} on {dataset.name}"
    with ledger.lock(place.screen.say), place.screen.bar(title, len(runs)) as bar:
        rows = ledger.complete(runs, partial(_measure, net, lanes, dataset), bar.show)
    return LazyNetwork(
        name=f"{one.name}, {'-'.join(str(p.size) for p in net.populations)}, {lanes} lanes",
        sha256=net.sha256,
        data=dataset.name,
        split=dataset.split,
        lanes=lanes,
        savings=tuple(
            laziness.saving(effort, row, rows[0]) for effort, row in zip(efforts, rows, strict=True)
        ),
    )


def _measure(net: Network, lanes: int, dataset: data.Dataset, run: Run) -> Measured:
    """One effort, wherever it runs."""
    from toreq_hw.targets import laziness

    limit = run["limit"]
    effort = Effort(int(run["threshold"] or 0), None if limit is None else int(limit))
    return laziness.measure(net, lanes, dataset, effort)


def verdict(record: LazyRecord) -> Verdict:
    """Nothing can fail here but the measurement: what was found."""
    return Verdict(True, lazy_page(record).lead)


STUDY = Study(
    id="lazy",
    claim="A core that sends only larger moves of states, or stops sooner, saves cycles.",
    setup="Whole test sets through the exact timing model of a core, at several thresholds.",
    control="The lossless core that is stopped after a few sweeps, and the one that settles.",
    record=LazyRecord,
    run=run,
    verdict=verdict,
    page=lazy_page,
    command="lazy",
)
