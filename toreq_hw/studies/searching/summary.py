"""The record of a search: its points, its front, and what was cut away or never tried."""

from collections import Counter
from collections.abc import Sequence

from toreq_hw.data import Dataset
from toreq_hw.records.search import Cut, FrontPoint, RungCount, Search, SearchPoint
from toreq_hw.studies.searching.climb import CLOCK, OUTRANKED, TOOL, UNFIT
from toreq_hw.studies.searching.front import pick_of
from toreq_hw.studies.searching.kept import Kept
from toreq_hw.studies.searching.metrics import METRICS, RUNGS
from toreq_hw.studies.searching.problem import Problem
from toreq_hw.studies.searching.rebuild import commands_of
from toreq_hw.studies.searching.shapes import core_run, network_run, whole_run

_STAGES = {
    "short": ("training", network_run),
    "cycles": ("cycles", core_run),
    "full": ("training", network_run),
    "synthesis": ("synthesis", whole_run),
    "place": ("place", whole_run),
    "damage": ("damage", network_run),
}
"""Of each rung the work that takes longest, and what tells it from others."""

_NEVER = (
    "storage kinds, update lanes and the threshold of unsent changes are those of toreq-hw synth",
    "couplings of other kinds than dense, and other feedback than symmetric",
    "more than one seed of training for a point",
)


def summary_of(
    problem: Problem,
    points: Sequence[SearchPoint],
    front: Sequence[SearchPoint],
    tests: Sequence[float | None],
    kept: Kept,
) -> Search:
    """tests: accuracy of each point of the front on the test set, None where it was not run."""
    pick, reason = pick_of(front, problem.objectives)
    dataset = kept.bench.dataset
    return Search(
        name=problem.name,
        data=problem.data,
        split=_split(dataset, problem),
        test_split="the whole test set, run once for the front, when it stood",
        objectives=problem.objectives,
        requirements=tuple(map(str, problem.requirements)),
        space=problem.space.dimensions,
        settings=problem.settings,
        points=tuple(points),
        front=tuple(
            FrontPoint(one.number, accuracy, commands_of(problem, one.number, one.choices))
            for one, accuracy in zip(front, tests, strict=True)
        ),
        pick=None if pick is None else pick.number,
        reason=reason,
        cuts=_cuts(problem, points),
        rungs=_counts(problem, points, kept),
        untried=tuple(_untried(problem, points)),
    )


def _split(dataset: Dataset, problem: Problem) -> str:
    timed = problem.rungs.timed
    return f"{dataset.split}; cycles of the first {timed} of those"


def _reason(problem: Problem, point: SearchPoint) -> str:
    """The short reason for which a point went no further."""
    known = [*map(str, problem.requirements), OUTRANKED, CLOCK]
    found = next((one for one in known if point.cut.startswith(one)), None)
    return found or (UNFIT if not point.rung else TOOL)


def _cuts(problem: Problem, points: Sequence[SearchPoint]) -> tuple[Cut, ...]:
    cut = Counter((p.rung, _reason(problem, p)) for p in points if p.cut)
    order = ["", *RUNGS]
    rows = sorted(cut.items(), key=lambda row: (order.index(row[0][0]), row[0][1]))
    return tuple(Cut(rung, reason, count) for (rung, reason), count in rows)


def _counts(problem: Problem, points: Sequence[SearchPoint], kept: Kept) -> tuple[RungCount, ...]:
    found = []
    for rung in problem.path:
        passed = [p for p in points if p.rung and RUNGS.index(p.rung) >= RUNGS.index(rung)]
        works: dict[str, float] = {}
        if rung in _STAGES:
            stage, run_of = _STAGES[rung]
            short = rung in ("short", "cycles")
            epochs = problem.rungs.short_epochs if short else problem.rungs.epochs
            works = kept.seconds(stage, [run_of(point.choices, epochs) for point in passed])
        seconds = round(sum(works.values()), 1)
        found.append(RungCount(rung, len(passed), len(works), seconds))
    return tuple(found)


def _untried(problem: Problem, points: Sequence[SearchPoint]) -> list[str]:
    """What the search says nothing about."""
    size = problem.space.size
    tried = len({point.choices for point in points})
    found = [f"{size - tried:,} of the {size:,} points of the space"] if size > tried else []
    outranked = sum(point.cut == OUTRANKED for point in points)
    if outranked:
        found.append(f"{outranked} points were left at a rung because {OUTRANKED}")
    for dimension in problem.space.dimensions:
        if len(dimension.choices) == 1:
            found.append(f"{dimension.name} other than {dimension.choices[0]}")
    known = {metric for metric in METRICS if not _measured(problem, metric)}
    if known:
        found.append(f"metrics that nobody asked for: {', '.join(sorted(known))}")
    return [*found, *_NEVER]


def _measured(problem: Problem, metric: str) -> bool:
    """Whether a figure of a whole point is there."""
    if metric in ("energy_uj", "training_us", "damaged_accuracy"):
        return problem.asks(metric)
    return METRICS[metric].rung in problem.path
