"""Intervals, and how many trials a campaign needs."""

import numpy as np
import pytest
from scipy import stats

from toreq_hw.sim.campaign.planning import student, trials_needed, wilson


def test_wilson_by_hand() -> None:
    # z = 1.96: centre (1 + z^2/20) / (10 + z^2/10)..: the textbook interval of 1 in 10.
    found = wilson(1, 10, 0.95)
    assert (found.low, found.high) == pytest.approx((0.01788, 0.40415), abs=1e-4)
    assert wilson(0, 50, 0.99).low == 0.0
    assert wilson(50, 50, 0.99).high == pytest.approx(1.0)


def test_student_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        found = student(rng.normal(0.5, 0.05, 6).tolist(), 0.9)
        covered += found.low <= 0.5 <= found.high
    assert abs(covered / 2000 - 0.9) < 0.02


def test_the_plan_reaches_its_margin() -> None:
    pilot = [0.80, 0.82, 0.84, 0.81, 0.83]
    count = trials_needed(pilot, 0.99, 0.005, 1000)
    spread = np.std(pilot, ddof=1)

    def half_width(n: int) -> float:
        return float(stats.t.ppf(0.995, n - 1) * spread / n**0.5)

    assert half_width(count) <= 0.005 < half_width(count - 1)
    assert trials_needed(pilot, 0.99, 0.005, 30) == 30
    assert trials_needed([0.5] * 5, 0.99, 0.005, 30) == 5
