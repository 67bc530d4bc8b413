"""How many trials: enough for the half-width that was asked for, at the confidence asked for.

Images within a trial share its damage, so the trial, not the image, is the unit of an accuracy:
its interval is Student's over trials. Standing states disturbed image by image are independent
cases: their fractions have Wilson's interval (Wilson 1927) over all of them.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from toreq_hw.argument_types import named_type_errors
from toreq_hw.records.intervals import Interval

PILOT = 5
"""Trials of every level that the plan is made from."""


@named_type_errors
def student(values: Sequence[float], confidence: float) -> Interval:
    """Mean of trials; the interval is the whole of 0..1 for a single trial."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, 0.0, 1.0)
    reach = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1))
    reach *= float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, max(0.0, mean - reach), min(1.0, mean + reach))


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
