"""What a search may ask for: metrics, requirements on them, and which contradict each other."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toreq_hw.errors import InputError
from toreq_hw.reading.fields import shown
from toreq_hw.records.search import Figures, Objective
from toreq_hw.suggestions import look_up

RUNGS = ("fit", "short", "cycles", "full", "synthesis", "place", "damage")
"""In their order; each takes what the one before has left."""


@dataclass(frozen=True)
class Metric:
    """unit: "" of a count or a fraction. larger: whether more of it is better. rung: where it is
    first known. most: what it cannot exceed.
    """

    name: str
    unit: str
    larger: bool
    rung: str
    most: float = math.inf


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "", True, "full", 1.0),
        Metric("cells", "", False, "synthesis"),
        Metric("block_ram", "", False, "fit"),
        Metric("cycles_p50", "", False, "cycles"),
        Metric("cycles_p95", "", False, "cycles"),
        Metric("p50_us", "us", False, "cycles"),
        Metric("p95_us", "us", False, "cycles"),
        Metric("images_per_second", "", True, "cycles"),
        Metric("fmax_mhz", "MHz", True, "place"),
        Metric("energy_uj", "uJ", False, "synthesis"),
        Metric("damaged_accuracy", "", True, "damage", 1.0),
        Metric("training_us", "us", False, "full"),
    )
}
"""By name; each is a field of `Figures`."""

TIMES = ("cycles_p50", "cycles_p95", "p50_us", "p95_us", "images_per_second")
"""Metrics that the cycles of images decide."""


@dataclass(frozen=True)
class Requirement:
    """A metric that must be at least, or at most, so much."""

    metric: str
    at_least: bool
    value: float

    def __str__(self) -> str:
        return f"{self.metric}{'>=' if self.at_least else '<='}{self.value:g}"

    def violation(self, figures: Figures) -> float:
        """By how much a figure misses it, as a part of its value: 0 or less where it is kept, and
        where the figure is not known.
        """
        found = figure(figures, self.metric)
        if found is None:
            return 0.0
        short = self.value - found if self.at_least else found - self.value
        return short / (abs(self.value) or 1.0)

    def eased(self, slack: float) -> "Requirement":
        """The same where a part `slack` of its value may be missing."""
        part = 1 - slack if self.at_least else 1 + slack
        return Requirement(self.metric, self.at_least, self.value * part)


_FORM = re.compile(r"\s*([^<>=\s]+)\s*(>=|<=)\s*(\S+)\s*")


def requirement(text: str) -> Requirement:
    """What a text such as `accuracy>=0.98` asks for.

    Raises InputError for another form, an unknown metric, and a value that the metric cannot have.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise InputError(
            f"a requirement must be METRIC>=VALUE or METRIC<=VALUE, found {shown(text)}"
        )
    name, sign, number = found.groups()
    known = look_up(METRICS, name, "metric", InputError)
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 <= value <= known.most or not math.isfinite(value):
        bounds = f"0..{known.most:g}" if known.most < math.inf else "0 or more"
        raise InputError(f"{name} of a requirement must be a number, {bounds}, not {shown(number)}")
    return Requirement(name, sign == ">=", value)


def check_together(requirements: Iterable[Requirement]) -> None:
    """Raises InputError, naming both, where one leaves nothing that the other allows."""
    asked = list(requirements)
    for low in asked:
        for high in asked:
            contrary = low.at_least and not high.at_least and low.metric == high.metric
            if contrary and low.value > high.value:
                raise InputError(f"requirements must leave something, found {low} and {high}")


def objective(name: str, *, maximise: bool) -> Objective:
    """Raises InputError for an unknown metric."""
    return Objective(look_up(METRICS, name, "metric", InputError).name, maximise)


def check_objectives(objectives: Sequence[Objective]) -> None:
    """Raises InputError for none, and for a metric that two are of."""
    names = [one.metric for one in objectives]
    if not names:
        raise InputError("a search must have something to minimise or maximise, found nothing")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"objectives must be of different metrics, found {twice} twice")


def figure(figures: Figures, metric: str) -> float | None:
    """The figure of a metric by its name."""
    found: float | None = getattr(figures, metric)
    return found
