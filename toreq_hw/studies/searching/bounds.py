"""The instant rung: what the contract refuses, what memories need, and what no core can beat."""

from dataclasses import dataclass, replace
from itertools import islice
from math import inf

from toreq_hw.boards import registry
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.records.search import Choices, Figures
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.studies.searching.metrics import METRICS, Requirement, figure
from toreq_hw.studies.searching.problem import Problem
from toreq_hw.studies.searching.shapes import blank, network_choices, parameters_of

MOST_BOUNDS = 20_000
"""Points whose bounds are looked at before a search; a larger space is only refused as it goes."""

_NOTHING = Figures()


@dataclass(frozen=True)
class Fit:
    """A point before any work. refused: why there is no such core, "" if there is.

    figures: block RAM, exactly. least: what no core of this point can be better than. width: bits
    that its lanes add up, by which sizes of cores are compared before any is built.
    """

    refused: str
    figures: Figures = _NOTHING
    least: Figures = _NOTHING
    width: int = 0
    clock_hz: float = 0.0


def fit(data: str, choices: Choices) -> Fit:
    """What is known at once of a point."""
    from toreq_hw.boards.clock.clocking import solve
    from toreq_hw.boards.fit.check import block_counts, memory_deficit

    board = registry.get(choices.board)
    try:
        clock = choices.clock_mhz
        clock_hz = solve(board, None if clock is None else clock * 1e6).output_hz
        network = blank(data, network_choices(choices))
        parameters = parameters_of(choices, network)
    except (InputError, NetworkError) as error:
        return Fit(f"{error}")
    lacking = memory_deficit(board, parameters)
    if lacking is not None:
        return Fit(f"memories must fit onto {board.name}: {lacking}")
    blocks = float(sum(block_counts(board, parameters)[1].values()))
    width = choices.lanes * (parameters.accumulator_bits + parameters.operand_bits)
    least = with_times(Figures(block_ram=blocks), _least_cycles(parameters), clock_hz)
    adders = float(choices.lanes * parameters.accumulator_bits)
    return Fit("", Figures(block_ram=blocks), replace(least, cells=adders), width, clock_hz)


def _least_cycles(parameters: CoreParameters) -> tuple[float, float, float]:
    """Of an image of which nothing is an event and which settles at once: median, p95 and mean."""
    from toreq_hw.rtl.phases import Command
    from toreq_hw.rtl.timing import PhaseEvents, TimingModel

    nothing = PhaseEvents(Command.FREE, 1, 0, ())
    cycles = float(TimingModel(parameters).cost(nothing, report=False).cycles)
    return cycles, cycles, cycles


def with_times(
    figures: Figures, cycles: tuple[float, float, float], clock_hz: float, accuracy: float = inf
) -> Figures:
    """The same with what an image takes. cycles: median, 95th percentile and mean. accuracy: of
    these images, where there is one.
    """
    p50, p95, mean = cycles
    return replace(
        figures,
        accuracy=figures.accuracy if accuracy == inf else accuracy,
        cycles_p50=p50,
        cycles_p95=p95,
        p50_us=1e6 * p50 / clock_hz,
        p95_us=1e6 * p95 / clock_hz,
        images_per_second=clock_hz / mean,
    )


def check_asked(problem: Problem) -> None:
    """Raises InputError where a metric that is asked for cannot be measured in this space."""
    from toreq_hw.boards.energy.coefficients import coefficients

    if problem.asks("damaged_accuracy") and problem.damage is None:
        raise InputError("damaged_accuracy must go with --damage LAYER:LEVEL, found none")
    if problem.asks("training_us") and "0" in problem.space.choices["learn_lanes"]:
        raise InputError(
            "training_us must be of cores that learn, found learn_lanes 0 among its choices; use "
            "--choose learn_lanes=1,2,4"
        )
    for name in problem.space.choices["board"]:
        known = coefficients(registry.get(name).capacity)
        if problem.asks("energy_uj") and isinstance(known, str):
            raise InputError(f"energy_uj must be known for {name}, found: {known}")


def check_bounds(problem: Problem) -> None:
    """Raises InputError where no point of the space can keep a requirement, or fit at all.

    Bounds show it: nothing is trained. Looks until each requirement is within a bound of some
    point; of a space that is larger than `MOST_BOUNDS` only at so many points, and then says
    nothing.
    """
    left = {asked: -inf for asked in problem.requirements if _has_bound(asked)}
    refused, fits = "", False
    for choices in islice(problem.space.all(), MOST_BOUNDS):
        found = fit(problem.data, choices)
        refused = refused or found.refused
        if found.refused:
            continue
        fits = True
        left = _missed(left, found.least)
        if not left:
            return
    if problem.space.size > MOST_BOUNDS:
        return
    if not fits:
        raise InputError(f"a point of the space must fit, found none; the first: {refused}")
    for asked, best in left.items():
        unit = f" {METRICS[asked.metric].unit}" if METRICS[asked.metric].unit else ""
        raise InputError(
            f"requirement {asked} must be within a bound, found {abs(best):.6g}{unit} at best over "
            "all points that fit; ease it, or widen the space"
        )


def _has_bound(asked: Requirement) -> bool:
    """Whether a bound can show that a requirement is never kept."""
    return asked.at_least == METRICS[asked.metric].larger


def _missed(left: dict[Requirement, float], least: Figures) -> dict[Requirement, float]:
    """Requirements that are still beyond all bounds, each with the nearest so far: minus the least,
    or the largest.
    """
    found = {}
    for asked, best in left.items():
        value = figure(least, asked.metric)
        if value is not None and asked.violation(least) > 0:
            found[asked] = max(best, value if asked.at_least else -value)
    return found
