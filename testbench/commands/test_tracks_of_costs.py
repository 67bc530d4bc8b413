"""Tracks on what learning minimises and on depth: verdicts of rows by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.tracks import answer_costs, depth, free_energy
from toreq_hw.studies.tracks.rows import row


def test_energies_are_in_state_steps_squared() -> None:
    """With all fraction bits raised by 2 and weights times 4, a real energy stays what it is."""
    rng, found = np.random.default_rng(4), []
    inputs = rng.integers(0, 256, (5, 6)).astype(np.int16)
    weights = [rng.integers(-20, 21, shape).astype(np.int8) for shape in ((6, 4), (4, 3))]
    for bits in (4, 6):
        blank = layered((6, 4, 3), WeightFormat.INT8, (bits, bits))
        parts = zip(blank.couplings, weights, strict=True)
        scaled = [one.with_parameters(part * np.int8(2 ** (bits - 4))) for one, part in parts]
        net = type(blank)(blank.populations, tuple(scaled), blank.biases)
        states = sim.relax(net, inputs).states
        found.append(free_energy.energies(net, inputs, states))
        assert np.array_equal(
            found[-1] * 2 ** (bits + 1), doubled_energy(net, inputs, states).astype(float)
        )
    assert found[0] == pytest.approx(found[1], rel=0.01)


def energy_rows(
    end: float, shuffled: float, *, chance: float = 10, ahead: float = 1
) -> list[TrackRow]:
    def values(arm: str, energy: float, accuracy: float, synops: float) -> list[TrackRow]:
        quantities = {
            free_energy.ENERGY: energy,
            answer_costs.ACCURACY: accuracy,
            answer_costs.ANSWER: synops,
            answer_costs.LEAST: 0.1,
            answer_costs.MOST: 0.2,
        }
        return [row("digits", arm, k, [v, v * 1.01]) for k, v in quantities.items()]

    after, found = free_energy.AFTER, []
    for epoch, energy in enumerate((-30, -200, end)):
        found += values(after.format(free_energy.TRUE, epoch), energy, 97, 3000)
    return [
        *found,
        *values(after.format(free_energy.COSTED, 2), end, 97, 2900),
        *values(after.format(free_energy.SHUFFLED, 2), shuffled, chance, 30000),
        *values(free_energy.LOSSY.format(free_energy.THRESHOLD), end, 97, 2800),
        *values(free_energy.BACKPROP, 0, 97, 3000 / (1 + ahead)),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (energy_rows(-300, -20), "holds", "backpropagation"),
        (energy_rows(-300, -20, ahead=-0.5), "holds", "EqProp"),
        (energy_rows(-300, -400), "holds within limits", "backpropagation"),
        (energy_rows(-100, -20), "refuted", "backpropagation"),
        (energy_rows(30, 20), "refuted", "backpropagation"),
        (energy_rows(-300, -20, chance=97), "not testable here", "neither"),
    ],
)
def test_free_energy_is_judged_either_way(
    rows: Sequence[TrackRow], outcome: str, side: str
) -> None:
    found = free_energy.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)


def depth_rows(both: float, still: float, chain: float = 10, linear: float = 94) -> list[TrackRow]:
    found = [row("digits", depth.LINEAR, depth.ACCURACY, [linear, linear + 0.1], control=True)]
    for layers in (100, 1000):
        for kind, own, other in ((depth.CHAIN, chain, 10), (depth.BOTH, both, still)):
            arm, control = depth.NET.format(kind, layers), depth.STILL.format(kind, layers)
            found.append(row("digits", arm, depth.ACCURACY, [own, own + 0.1]))
            found.append(row("digits", arm, depth.REACHED, [50, 51]))
            found.append(row("digits", control, depth.ACCURACY, [other, other + 0.1], control=True))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (depth_rows(97, 96), "holds"),
        (depth_rows(97, 97), "holds within limits"),
        (depth_rows(97, 98), "holds within limits"),
        (depth_rows(80, 70), "refuted"),
        (depth_rows(97, 96, linear=20), "not testable here"),
    ],
)
def test_depth_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert depth.verdict(rows).outcome == outcome


def test_kinds_of_depth_have_the_couplings_that_they_are_called_by() -> None:
    names = {
        (kind, still): {one.name for one in depth.network(kind, 5, still=still).couplings}
        for kind in depth.WAYS
        for still in (False, True)
    }
    inner = {f"hidden{layer}-hidden{layer + 1}" for layer in range(1, 5)}
    for kind in (depth.CHAIN, depth.THIRD):
        assert names[kind, False] == names[kind, True] >= inner
    assert names[depth.THIRD, False] - names[depth.CHAIN, False] == {
        "hidden1-hidden4",
        "hidden2-hidden5",
    }
    assert names[depth.BOTH, False] - names[depth.BOTH, True] == inner
