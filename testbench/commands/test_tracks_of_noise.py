"""The track on noise in every update: verdicts of rows by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.tracks import analog
from toreq_hw.studies.tracks.rows import row

BASE = np.array([95.0, 95.1, 95.2])
SPREAD = np.array([-0.1, 0.0, 0.1])


def analog_rows(
    inference: float, trained: float, forward: float = 0.5, full: float = 80
) -> list[TrackRow]:
    found = []
    lost = {analog.INFERENCE: inference, analog.TRAINED: trained, analog.FORWARD: forward}
    lost[analog.FORWARD_TRAINED] = forward
    for arm, less in lost.items():
        for level in (*analog.LEVELS, analog.FULL):
            cost = full if level == analog.FULL else less if level else 0.0
            values = BASE - cost + (SPREAD if level else 0)
            found.append(row("digits", arm, analog.accuracy(level), list(values)))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (analog_rows(0.5, 0.5), "holds", "neither"),
        (analog_rows(0.2, 0.2, forward=3), "holds", "EqProp"),
        (analog_rows(0.5, 5), "holds within limits", "backpropagation"),
        (analog_rows(0.2, 5, forward=3), "holds within limits", "neither"),
        (analog_rows(0.95, 0.5), "holds within limits", "backpropagation"),
        (analog_rows(5, 0.5), "refuted", "backpropagation"),
        (analog_rows(0.5, 0.5, full=3), "not testable here", "neither"),
    ],
)
def test_analog_noise_is_judged_either_way(
    rows: Sequence[TrackRow], outcome: str, side: str
) -> None:
    found = analog.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)
