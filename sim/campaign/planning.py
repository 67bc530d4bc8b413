"""How many trials: enough for the half-width that was asked for, at the confidence asked for.

Images within a trial share its damage, so the trial, not the image, is the unit of an accuracy:
its interval is Student's over trials. Standing states disturbed image by image are independent
cases: their fractions have Wilson's interval (Wilson 1927) over all of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.records.intervals import Interval

PILOT = 5
"""Trials of every level that the plan is made from."""


@named_type_errors
@dataclass(frozen=True)
class Plan:
    """levels: without the controls. trials: a number, or None to plan it from the pilot.

    confidence 0..1 and margin 0..1 (half-width of an accuracy); most: never more trials a level.
    Raises InputError for anything outside.
    """

    levels: tuple[float, ...]
    trials: int | None = None
    confidence: float = 0.99
    margin: float = 0.005
    most: int = 200

    def __post_init__(self) -> None:
        if not self.levels:
            raise InputError("levels must be at least one number, found none")
        if not 0 < self.confidence < 1:
            raise InputError(f"confidence must be between 0 and 1, not {self.confidence!r}")
        if not 0 < self.margin < 1:
            raise InputError(f"margin must be between 0 and 100 %, not {100 * self.margin:g} %")


@named_type_errors
def student(values: Sequence[float], confidence: float) -> Interval:
    """Mean of trials; the interval is the whole of 0..1 for a single trial."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, 0.0, 1.0)
    half_width = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1))
    half_width *= float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, max(0.0, mean - half_width), min(1.0, mean + half_width))


@named_type_errors
def wilson(hits: int, cases: int, confidence: float) -> Interval:
    """A fraction of independent cases."""
    interval = stats.binomtest(hits, cases).proportion_ci(confidence, method="wilson")
    return Interval(hits / cases, float(interval.low), float(interval.high))


@named_type_errors
def trials_needed(values: Sequence[float], confidence: float, margin: float, most: int) -> int:
    """Trials whose Student interval has half-width `margin`, from a pilot's spread; at most `most`.

    values: accuracies of the pilot, 0..1. margin: 0..1.
    """
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.5
    needed = max(2, len(values))
    while needed < most:
        if stats.t.ppf((1 + confidence) / 2, needed - 1) * spread / math.sqrt(needed) <= margin:
            break
        needed += 1
    return needed
