"""What somebody asks for becomes a problem: usual values, all checked before any work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat
from toreq_hw.reading.fields import shown
from toreq_hw.records.search import Objective
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.perturbation import KINDS, LearningLayer, make_layer
from toreq_hw.studies.searching.bounds import check_asked, check_bounds
from toreq_hw.studies.searching.metrics import check_objectives, check_together, requirement
from toreq_hw.studies.searching.problem import Damage, Problem, Rungs
from toreq_hw.studies.searching.samples import training_images, usual_holdout
from toreq_hw.studies.searching.space import space_of
from toreq_hw.suggestions import look_up

_TIMED = 2_000
"""Held-out images whose cycles are counted."""

_SHORT = 8
"""A short training has an eighth of the epochs."""

_S_PER_SAMPLE, _S_PER_TOOL = 2e-6, 2.0
"""Less than any machine takes for a training sample, and for a run of Yosys or nextpnr."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """requirements: as texts. choices: of dimensions, in place of the usual ones. rungs: fields of
    `Rungs` in place of the usual ones. damage: as LAYER:LEVEL.
    """

    data: str
    boards: Sequence[str]
    objectives: Sequence[Objective]
    requirements: Sequence[str] = ()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rungs: Mapping[str, object] = field(default_factory=dict)
    damage: str | None = None
    sampler: str = "nsga2"
    batch: int = 16
    seed: int = 1
    train_seed: int = 1


def problem_of(asked: Asked) -> Problem:
    """The problem, whose requirements contradict neither each other nor the boards.

    Raises InputError, naming what is wrong, and DataError.
    """
    check_objectives(asked.objectives)
    requirements = tuple(map(requirement, asked.requirements))
    check_together(requirements)
    damage = damage_of(asked.damage) if asked.damage else None
    dataset = training_images(asked.data)
    problem = Problem(
        data=asked.data,
        sha256=dataset.sha256,
        space=space_of(asked.boards, dataset.pixels, asked.choices),
        objectives=tuple(asked.objectives),
        requirements=requirements,
        rungs=_rungs(asked),
        damage=damage,
        sampler=asked.sampler,
        batch=asked.batch,
        seed=asked.seed,
        train_seed=asked.train_seed,
    )
    dataset.holding_out(problem.rungs.holdout)
    check_asked(problem)
    check_bounds(problem)
    return problem


def _rungs(asked: Asked) -> Rungs:
    dataset = training_images(asked.data)
    epochs = recipe(WeightFormat.TERNARY, dataset.pixels).epochs
    holdout = usual_holdout(dataset)
    usual = Rungs(
        holdout=holdout,
        timed=min(_TIMED, holdout),
        short_epochs=max(1, epochs // _SHORT),
        epochs=epochs,
    )
    found = replace(usual, **asked.rungs)  # type: ignore[arg-type]
    if found.short_epochs > found.epochs:
        raise InputError(
            f"short_epochs must be at most epochs, found {found.short_epochs} and {found.epochs}"
        )
    return replace(found, timed=min(found.timed, found.holdout))


def damage_of(text: str) -> Damage:
    """The damage that LAYER:LEVEL names. Raises InputError."""
    layer, separator, number = text.partition(":")
    kind = look_up(KINDS, layer, "layer", InputError)
    try:
        level = float(number)
    except ValueError:
        level = -1.0
    if not separator or level < 0:
        raise InputError(f"damage must be LAYER:LEVEL, such as dead_neurons:0.1, not {shown(text)}")
    if issubclass(kind, LearningLayer):
        raise InputError(
            f"layer {layer} must damage a network that does not learn, found one of it"
        )
    make_layer(layer, level=level, seed=1)
    return Damage(layer, level)


def check_seconds(problem: Problem, seconds: float | None) -> None:
    """Raises InputError for a time in which no machine could finish a single point."""
    rungs, path = problem.rungs, problem.path
    samples = len(training_images(problem.data).train) - rungs.holdout
    least = samples * (rungs.short_epochs + rungs.epochs) * _S_PER_SAMPLE
    least += _S_PER_TOOL * ("synthesis" in path) + _S_PER_TOOL * ("place" in path)
    if seconds is not None and seconds < least:
        raise InputError(
            f"budget must be at least {least:.0f} s, which one point takes on any machine, found "
            f"{seconds:g} s; give more, or fewer epochs"
        )
