"""Every track can be judged either way: verdicts of rows by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from testbench.networks import with_random_weights
from toreq_hw import sim
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.verification import TrackRow, TrackRun
from toreq_hw.studies.tracks import energy, events, noise, spectral
from toreq_hw.studies.tracks.claims import CLAIMS
from toreq_hw.studies.tracks.measuring import Case, gathered
from toreq_hw.studies.tracks.rows import row
from toreq_hw.studies.tracks.track import Track, find


@pytest.mark.parametrize("track", find(), ids=lambda track: track.name)
def test_a_track_says_what_it_does(track: Track) -> None:
    assert track.claim == CLAIMS[track.ids]
    assert track.broken, "a track without a broken variant may be blind"
    for text in (track.setup, track.control, track.thresholds, track.sources):
        assert text.endswith(".")


def test_rows_are_gathered_by_case_and_seed() -> None:
    cases = [Case("digits", "one"), Case("digits", "other", control=True)]
    runs = [TrackRun({"a": float(k), "b": 2.0 * k}, 1.0) for k in range(4)]
    found = gathered(cases, runs)
    assert [(one.arm, one.quantity, one.values) for one in found] == [
        ("one", "a", (0.0, 1.0)),
        ("one", "b", (0.0, 2.0)),
        ("other", "a", (2.0, 3.0)),
        ("other", "b", (4.0, 6.0)),
    ]
    assert [one.control for one in found] == [False, False, True, True]
    assert found[0].interval is not None
    assert found[0].interval.low < 0.5 < found[0].interval.high
    assert gathered(cases, runs[:2])[0].interval is None


def energy_rows(without: float, control: float, ticks: float = 1000.0) -> list[TrackRow]:
    return [
        row("digits", "dense", energy.WATCHED, [ticks, ticks]),
        row("digits", "dense", energy.UP, [0.0, without]),
        row("digits", "at once", energy.IMAGES, [control, control], control=True),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (energy_rows(0, 3), "holds"),
        (energy_rows(1, 3), "refuted"),
        (energy_rows(0, 0), "not testable here"),
        (energy_rows(0, 3, ticks=0), "not testable here"),
    ],
)
def test_energy_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert energy.verdict(rows).outcome == outcome


def spectral_rows(
    limited: float, free: float, settled: float = 100, loss: float = 0
) -> list[TrackRow]:
    found = []
    for limit, size, less in (("limit 1", limited, 0), ("no limit", free, loss)):
        for way in ("parity", "all at once", "asymmetric"):
            arm = f"{limit}, {way}"
            ends = settled if arm == "no limit, parity" else 100
            found += [
                row("digits", arm, spectral.L, [size, size]),
                row("digits", arm, spectral.SETTLED, [100, ends]),
                row("digits", arm, spectral.ACCURACY, [95 - less, 95.1 - less]),
            ]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (spectral_rows(1.0, 3.0, settled=99), "holds"),
        (spectral_rows(1.0, 3.0, loss=5), "holds"),
        (spectral_rows(1.0, 3.0), "holds within limits"),
        (spectral_rows(1.0, 3.0, loss=-5), "holds within limits"),
        (spectral_rows(1.1, 3.0, settled=99), "refuted"),
        (spectral_rows(1.0, 1.0), "refuted"),
    ],
)
def test_spectral_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert spectral.verdict(rows).outcome == outcome


def noise_rows(
    exact: Sequence[float], same: Sequence[float], small: Sequence[float], lost: float = 20
) -> list[TrackRow]:
    """The least shares of all noises and moments, a value a seed; small: with L at most 1."""
    found = []
    for arm in (noise.INTEGER, noise.SMALL, noise.LARGE):
        values = {noise.EXACT: small if arm == noise.SMALL else exact, noise.CLASS: same}
        values |= {noise.NEURONS: [9, 11], noise.STEPS: [1, 1.5], noise.MOST: [1, 255]}
        for what, own in values.items():
            found.append(row("digits", arm, noise.quantity(what, noise.EVERY, noise.ALWAYS), own))
        found.append(row("digits", arm, noise.L, [1.0]))
    for when in (noise.ANY_TICK, noise.LATE):
        two = noise.quantity(noise.EXACT, "noise 2", when)
        found.append(row("digits", noise.TWO, two, [lost], control=True))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (noise_rows([99.1, 100], [99.5, 100], [99.1, 100]), "holds"),
        (noise_rows([98.9, 100], [99.5, 100], [98, 100]), "holds within limits"),
        (noise_rows([98.9, 100], [90, 100], [99.1, 100]), "holds within limits"),
        (noise_rows([98.9, 100], [98.9, 100], [98.9, 100]), "refuted"),
        (noise_rows([99.5, 100], [100, 100], [100, 100], lost=80), "not testable here"),
    ],
)
def test_noise_is_judged_by_the_worst_seed(rows: Sequence[TrackRow], outcome: str) -> None:
    found = noise.verdict(rows)
    assert found.outcome == outcome
    assert "10 neurons of a sample are off by 1.2 steps" in found.sentence


def test_a_random_tick_is_one_of_each_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The states of every sample are those of the tick that was drawn for it."""
    monkeypatch.setattr(noise, "_PART", 3)
    rng = np.random.default_rng(1)
    net = with_random_weights(layered((6, 8, 5, 4), WeightFormat.INT8, (4, 4, 4)), rng)
    inputs = rng.integers(0, 256, (7, 6)).astype(np.int16)
    trace = sim.relax(net, inputs, trace=True).trace
    assert trace is not None
    seen = set()
    for seed in range(20):
        found = noise.at_random_ticks(net, inputs, np.random.default_rng(seed))
        again = np.random.default_rng(seed)
        parts = [trace.ticks[:3], trace.ticks[3:6], trace.ticks[6:]]
        ticks = np.concatenate([again.integers(0, part, endpoint=True) for part in parts])
        for sample, tick in enumerate(ticks):
            assert np.array_equal(found[sample], trace.trajectory(sample)[tick])
            seen.add((sample, int(tick)))
    assert len(seen) > 14


def events_rows(skipped: float, equal: float = 100, ratio: float = 2) -> list[TrackRow]:
    found = []
    for arm in (events.TERNARY, events.LOSSY.format(events.LOSSY_THRESHOLDS[-1])):
        values = {
            events.SKIPPED: skipped,
            events.STOPPING: 50,
            events.ACCURACY: 95,
            events.EQUAL: equal,
            events.OPERATIONS: 100,
            events.FORWARD: 50,
            events.RATIO: ratio,
        }
        control = arm != events.TERNARY
        found += [row("digits", arm, name, [x], control=control) for name, x in values.items()]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (events_rows(97), "holds"),
        (events_rows(97, ratio=0.23), "holds within limits"),
        (events_rows(70), "holds within limits"),
        (events_rows(40), "refuted"),
        (events_rows(97, equal=9), "refuted"),
    ],
)
def test_events_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert events.verdict(rows).outcome == outcome
    assert events.verdict(rows).favours == "backpropagation"
