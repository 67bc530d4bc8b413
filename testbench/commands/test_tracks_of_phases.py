"""Tracks on clamped outputs, carried states and lattices: verdicts of rows by hand."""

from collections.abc import Sequence

import pytest

from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.tracks import cycles, generation, lattice
from toreq_hw.studies.tracks.rows import row


def generation_rows(right: float, wrong: float = 10, means: float = 100) -> list[TrackRow]:
    found = []
    named = {generation.OWN: right, generation.WRONG: wrong, generation.MEANS: means}
    for arm, share in named.items():
        found.append(row("digits", arm, generation.RIGHT, [share, share]))
        found.append(row("digits", arm, generation.NEAREST, [20, 21]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (generation_rows(100), "holds"),
        (generation_rows(70), "holds within limits"),
        (generation_rows(20), "refuted"),
        (generation_rows(100, wrong=60), "not testable here"),
        (generation_rows(100, means=20), "not testable here"),
    ],
)
def test_generation_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert generation.verdict(rows).outcome == outcome


def cycle_rows(recalled: float, cycling: float, of_cycling: float) -> list[TrackRow]:
    found = []
    for arm in (cycles.PARITY, cycles.AT_ONCE, cycles.RESET):
        own, control = (10.0, True) if arm == cycles.RESET else (recalled, False)
        values = {
            cycles.RECALLED: own,
            cycles.CYCLING: cycling if arm == cycles.AT_ONCE else 0.0,
            cycles.OF_CYCLING: of_cycling if arm == cycles.AT_ONCE else 0.0,
            cycles.PERIOD: 2,
        }
        found += [row("digits", arm, k, [v, v], control=control) for k, v in values.items()]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (cycle_rows(60, 30, 60), "holds"),
        (cycle_rows(60, 1, 60), "holds within limits"),
        (cycle_rows(60, 30, 12), "holds within limits"),
        (cycle_rows(12, 30, 12), "refuted"),
    ],
)
def test_cycles_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert cycles.verdict(rows).outcome == outcome


def lattice_rows(flat: float, equal: float) -> list[TrackRow]:
    found = []
    for arm, ahead in ((lattice.CUBE, 0.0), (lattice.FLAT, flat), (lattice.EQUAL, equal)):
        found.append(row("digits", arm, lattice.ACCURACY, [97 - ahead, 97.1 - ahead]))
        found.append(row("digits", arm, lattice.SWEEPS, [5, 6]))
        found.append(row("digits", arm, lattice.LATERAL, [2, 2]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (lattice_rows(2, 1), "holds"),
        (lattice_rows(2, -1), "holds within limits"),
        (lattice_rows(-0.2, -2), "holds within limits"),
        (lattice_rows(-2, 1), "refuted"),
    ],
)
def test_lattice_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert lattice.verdict(rows).outcome == outcome
