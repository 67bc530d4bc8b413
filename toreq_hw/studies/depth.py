"""Deep networks beside those of one hidden layer with as many synapses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from toreq_hw import data
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.records.depth import Depth, DepthCase, DepthPair
from toreq_hw.records.intervals import interval
from toreq_hw.records.structured import StructuredRun
from toreq_hw.reports.depth import depth_page, lead, shown
from toreq_hw.studies.depth_cases import PAIRS, Pair
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.structured import by_integers
from toreq_hw.studies.structured_case import Case
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

HELD_OUT, TEST = "held out", "test"


@dataclass(frozen=True)
class Options:
    """seeds: of the chosen two, from 1 on. load: gives a data set by its name."""

    pairs: tuple[Pair, ...] = PAIRS
    seeds: int = 5
    load: Callable[[str], Dataset] = data.load


def run(options: Options | None, place: Place) -> Depth:
    """Trains what the ledger does not hold."""
    options = options or Options()
    with workers(place.jobs, place.scheduler):
        found = tuple(_pair(pair, options, place) for pair in options.pairs)
    return Depth(found, versions())


def _pair(pair: Pair, options: Options, place: Place) -> DepthPair:
    whole = options.load(pair.data)
    cases = {case.name: case for case in (*pair.deep, *pair.shallow)}
    shared = {
        "pair": pair.name,
        "networks": {case.name: case.network().sha256 for case in cases.values()},
        "rules": {case.name: case.rule(case.network()).describe() for case in cases.values()},
        "settings": {case.name: case.settings for case in cases.values()},
        "held_out": pair.held_out,
        "data": whole.sha256,
        "code": digest_of_imports(__name__),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "depth", shared, StructuredRun)
    shown = place.screen if place.jobs == 1 and place.scheduler is None else NO_SCREEN
    train = partial(_train, cases, whole, pair.held_out, shown)
    with ledger.lock(place.screen.say):
        choices = _runs(cases, range(1, pair.choice_seeds + 1), HELD_OUT)
        place.screen.say(f"{pair.name}: {len(choices)} trainings to choose by")
        tried = ledger.complete(choices, train)
        best = [_best(side, tried) for side in (pair.deep, pair.shallow)]
        tests = _runs([case.name for case in best], range(1, options.seeds + 1), TEST)
        place.screen.say(f"{pair.name}: {len(tests)} trainings to compare")
        tested = ledger.complete(tests, train)
    deep, shallow = ([run for run in tested if run.case == case.name] for case in best)
    gained = [
        100 * (one.accuracy - other.accuracy) for one, other in zip(deep, shallow, strict=True)
    ]
    return DepthPair(
        name=pair.name,
        data=pair.data,
        cases=tuple(_described(case, tried, case in best) for case in cases.values()),
        deep=interval([100 * run.accuracy for run in deep]),
        shallow=interval([100 * run.accuracy for run in shallow]),
        difference=interval(gained),
        runs=(*tried, *tested),
    )


def _runs(names: Sequence[str] | dict[str, Case], seeds: range, on: str) -> list[Run]:
    return [{"case": name, "seed": seed, "on": on} for name in names for seed in seeds]


def _train(
    cases: dict[str, Case], whole: Dataset, held_out: int, screen: Screen, run: Run
) -> StructuredRun:
    """One training, wherever it is done."""
    case = cases[str(run["case"])]
    chosen = whole.holding_out(held_out) if run["on"] == HELD_OUT else whole
    return by_integers(case, case.dataset(chosen), int(run["seed"] or 0), screen)


def _mean(case: Case, rows: Sequence[StructuredRun]) -> float:
    return fmean(100 * row.accuracy for row in rows if row.case == case.name)


def _best(side: Sequence[Case], rows: Sequence[StructuredRun]) -> Case:
    """The first of those with the highest accuracy on held-out samples."""
    return max(side, key=lambda case: _mean(case, rows))


def _described(case: Case, rows: Sequence[StructuredRun], chosen: bool) -> DepthCase:
    skips = [f"skip {first} to {last}" for first, last, _ in case.skips]
    return DepthCase(
        name=case.name,
        layers=", ".join([*case.layers, *skips]),
        settings=case.settings,
        synapses=case.network().synapses,
        learning_layers=len(case.layers),
        held_out=_mean(case, rows),
        chosen=chosen,
    )


def verdict(record: Depth) -> Verdict:
    """Passed where one pair shows a deep net that is better; none of fewer seeds than two does."""
    return Verdict(any(shown(pair) for pair in record.pairs), lead(record))


STUDY = Study(
    id="depth",
    claim="A net of five learning layers beats the best of one hidden layer and equal synapses.",
    setup="Both sides chosen on held-out samples, then trained with the same seeds and tested.",
    control="The net of one hidden layer, from as many candidates as the deep one.",
    record=Depth,
    run=run,
    verdict=verdict,
    page=depth_page,
)
