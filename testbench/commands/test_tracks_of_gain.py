"""Tracks on the gain of the loop: verdicts of rows by hand, and their integer parts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from toreq_hw.contract.loop_gain import loop_gain
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.scaled_couplings import with_gain
from toreq_hw.studies.tracks import controllers, criticality, homeostasis, spectral, spreading
from toreq_hw.studies.tracks.rows import row

SEED = 3


def random_network(largest: int = 40) -> Network:
    """Three layers of random INT8 weights."""
    blank, rng = layered((12, 10, 4), WeightFormat.INT8, (6, 6)), np.random.default_rng(SEED)
    couplings = [
        one.with_parameters(
            rng.integers(-largest, largest + 1, one.parameters.shape).astype(np.int8)
        )
        for one in blank.couplings
    ]
    return Network(blank.populations, tuple(couplings), blank.biases)


def test_the_probe_finds_the_gain_in_integers() -> None:
    net = random_network()
    back, power = controllers.probe(net, SEED)
    assert (back / power) ** 0.5 == pytest.approx(loop_gain(net).lipschitz, rel=0.03)


def test_the_probe_controller_ends_below_one() -> None:
    net = random_network()
    assert loop_gain(net).lipschitz > 1.2
    assert loop_gain(controllers.by_probe(net, SEED)).lipschitz < 1
    assert loop_gain(controllers.by_probe(net, SEED, sign=-1)).lipschitz > 2


def test_activity_returns_to_its_set_point() -> None:
    net = random_network(12)
    inputs = np.random.default_rng(SEED).integers(0, 128, (64, 12)).astype(np.int16)
    goal = controllers.activity(net, inputs)
    stressed = with_gain(net, [one.name for one in net.couplings], 2.0)

    def off(one: Network) -> int:
        return abs(int((controllers.activity(one, inputs)["hidden"] - goal["hidden"]).sum()))

    for control in (controllers.by_activity, controllers.thresholds_by_activity):
        assert off(control(stressed, inputs, goal)) < off(stressed) / 4
        assert off(control(stressed, inputs, goal, sign=-1)) > off(stressed)


def homeostasis_rows(
    probe: float, activity: float, loss: float = 0, free: float = 1.75, merely: float = 60
) -> list[TrackRow]:
    found = [row("digits", homeostasis.WHOLE, homeostasis.ACCURACY, [94, 94.1], control=True)]
    sizes = {
        homeostasis.NONE: free,
        homeostasis.MERELY: 0.9,
        homeostasis.PROBE: probe,
        homeostasis.ACTIVITY: activity,
        homeostasis.THRESHOLDS: free,
    }
    for stress in homeostasis.STRESSES:
        for way, size in sizes.items():
            arm = homeostasis.ARM.format(way, stress)
            control = way in (homeostasis.NONE, homeostasis.MERELY)
            settled = homeostasis.SETTLED.format(spectral.SYNCHRONOUS)
            right = merely if way == homeostasis.MERELY else 94 - loss
            values = {homeostasis.L: size, homeostasis.ACCURACY: right, settled: 99}
            found += [row("digits", arm, k, [v, v], control=control) for k, v in values.items()]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (homeostasis_rows(0.93, 0.93), "holds"),
        (homeostasis_rows(0.93, 0.93, merely=94), "holds within limits"),
        (homeostasis_rows(0.93, 0.93, loss=5), "holds within limits"),
        (homeostasis_rows(0.93, 1.2), "holds within limits"),
        (homeostasis_rows(1.1, 1.2), "refuted"),
        (homeostasis_rows(0.93, 0.93, free=1.2), "not testable here"),
    ],
)
def test_homeostasis_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert homeostasis.verdict(rows).outcome == outcome


@pytest.mark.parametrize("gain", criticality.LINEAR_GAINS)
def test_the_exponent_of_a_linear_network_is_known(gain: float) -> None:
    net = with_gain(criticality.halving(), ["hidden-output"], gain)
    inputs = np.zeros((32, 1), np.int16)
    sweep, start = spreading.sweep_of(net, inputs), spreading.standing(net, inputs, 10)
    once = replace(net, schedule=Schedule.SYNCHRONOUS)
    found = spreading.exponent(once, spreading.sweep_of(once, inputs), start, SEED)
    assert found == pytest.approx(np.log2(gain / 2), abs=0.05)
    assert spreading.exponent(once, sweep, start, SEED, stale=True) == 0


def test_damage_reaches_the_partner_alone() -> None:
    net = replace(
        with_gain(criticality.halving(), ["hidden-output"], 2.0), schedule=Schedule.SYNCHRONOUS
    )
    inputs = np.zeros((32, 1), np.int16)
    sweep, start = spreading.sweep_of(net, inputs), spreading.standing(net, inputs, 10)
    assert spreading.damage(net, sweep, start, SEED, (1, 4)) == {1: 5.0, 4: 5.0}


def critical_rows(
    exponent: float, nearest: float, ahead: float, known: float = -1.0
) -> list[TrackRow]:
    found = []
    sizes = {1.0: exponent, 2.0: nearest}
    for gain, size in sizes.items():
        arm = criticality.TRAINED.format(gain)
        values = {
            criticality.EXPONENT.format(spectral.SYNCHRONOUS): size,
            criticality.ACCURACY: 95 + (ahead if size != min(sizes.values(), key=abs) else 0),
            criticality.DAMAGE.format(16, spectral.SYNCHRONOUS): 1,
        }
        found += [row("digits", arm, k, [v, v + 0.01]) for k, v in values.items()]
    exponents = criticality.EXPONENT.format(spectral.SYNCHRONOUS)
    for arm, size in ((criticality.UNTRAINED, -0.5), (criticality.LINEAR, known)):
        found.append(row("digits", arm.format(1.0), exponents, [size, size], control=True))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (critical_rows(0.02, -1, 0), "holds"),
        (critical_rows(0.02, -1, 3), "holds within limits"),
        (critical_rows(-4, -1, 0.5), "holds within limits"),
        (critical_rows(-4, -1, 3), "refuted"),
        (critical_rows(0.02, -1, 0, known=0), "not testable here"),
    ],
)
def test_criticality_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert criticality.verdict(rows).outcome == outcome
