"""Small problems of searches, and points whose figures are written down instead of measured."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from toreq_hw.records.search import Choices, Figures, Objective
from toreq_hw.studies.searching.climb import OUTRANKED, Candidate
from toreq_hw.studies.searching.metrics import requirement
from toreq_hw.studies.searching.problem import Problem, Rungs
from toreq_hw.studies.searching.space import space_of

RUNGS = Rungs(holdout=287, timed=100, short_epochs=1, epochs=2, place=False)
CELLS, SPEED = Objective("cells", maximise=False), Objective("images_per_second", maximise=True)


def problem(
    requirements: Sequence[str] = (),
    choices: Mapping[str, Sequence[str]] | None = None,
    objectives: tuple[Objective, ...] = (CELLS, SPEED),
    **more: object,
) -> Problem:
    """On digits and an iCEBreaker."""
    given = Problem(
        data="digits",
        sha256="0",
        space=space_of(["icebreaker"], 64, choices or {}),
        objectives=objectives,
        requirements=tuple(map(requirement, requirements)),
        rungs=RUNGS,
        batch=6,
    )
    return replace(given, **more)


def written(number: int, choices: Choices) -> Candidate:
    """A point with figures that follow from its choices by a formula; some are cut."""
    one = Candidate(number, choices, rung="synthesis", sha256="0")
    size = sum(choices.hidden) * choices.lanes
    accuracy = 0.5 + min(0.45, sum(choices.hidden) / 200)
    one.figures = Figures(accuracy=accuracy, cells=float(size), images_per_second=1e5 / size)
    if choices.lanes == 64:
        one.rung = "cycles"
        one.stop(OUTRANKED, missed=0.0)
    elif accuracy < 0.6:
        one.rung = "full"
        one.stop("accuracy>=0.6", missed=0.6 - accuracy)
    return one
