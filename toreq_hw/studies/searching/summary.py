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

_STAGES = {
    "short": ("training",),
    "cycles": ("cycles",),
    "full": ("learning",),
    "synthesis": ("synthesis", "energy"),
    "place": ("place",),
    "damage": ("damage",),
}
"""Work that each rung does. Whole trainings are counted among the trainings."""

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
        name=f"{problem.data} on {', '.join(problem.space.choices['board'])}",
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
        passed = sum(RUNGS.index(p.rung) >= RUNGS.index(rung) for p in points if p.rung in RUNGS)
        works = [kept.used[stage] for stage in _STAGES.get(rung, ())]
        seconds = sum(sum(one.values()) for one in works)
        found.append(RungCount(rung, passed, sum(map(len, works)), round(seconds, 1)))
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
