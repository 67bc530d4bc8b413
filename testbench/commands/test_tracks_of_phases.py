"""Tracks on clamped outputs, carried states and lattices: verdicts of rows by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.learning import Trainer
from toreq_hw.studies.tracks import cycles, generation, lattice
from toreq_hw.studies.tracks.rows import row
from toreq_hw.studies.tracks.subsets import few_of_each
from toreq_hw.training.integer import IntegerSettings, begin


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


def lattice_rows(
    flat: float, equal: float, grown: float = 1.0, larger: bool = False
) -> list[TrackRow]:
    """By how much the cube is ahead of flat nets, and growth of random growth."""
    behind = {lattice.SMALL: 0.0, lattice.PLAIN: flat, lattice.AS_MANY: equal}
    behind |= {lattice.FROZEN: 0.2, lattice.GROWN: 0.0, lattice.AT_RANDOM: grown}
    if larger:
        behind |= {lattice.CUBE.format(8): 0, lattice.FLAT.format(8): 3, lattice.EQUAL.format(8): 4}
    found = []
    for arm, less in behind.items():
        found.append(row("digits", arm, lattice.ACCURACY, [97 - less, 97.1 - less]))
        found.append(row("digits", arm, lattice.SWEEPS, [5, 6]))
        found.append(row("digits", arm, lattice.LATERAL, [2, 2]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (lattice_rows(2, 1), "holds"),
        (lattice_rows(2, 1, grown=-1), "holds within limits"),
        (lattice_rows(2, -1), "holds within limits"),
        (lattice_rows(-0.2, -2), "holds within limits"),
        (lattice_rows(-2, 1), "refuted"),
    ],
)
def test_lattice_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert lattice.verdict(rows).outcome == outcome


def test_larger_cubes_are_told_where_they_were_measured() -> None:
    sentence = lattice.verdict(lattice_rows(2, 1, larger=True)).sentence
    assert "The cube of 8^3 reaches 97.05" in sentence
    assert "It is ahead of as many flat neurons by 3.00 ± 0.00" in sentence
    assert "8^3" not in lattice.verdict(lattice_rows(2, 1)).sentence


def test_lattices_grow_where_credit_is_or_anywhere() -> None:
    shape = lattice.shape_of(lattice.SMALL)
    dataset = few_of_each(data.load("digits"), 4, 1)
    nets = {
        arm: lattice._changed(arm, shape, dataset, 1)
        for arm in (lattice.FROZEN, lattice.GROWN, lattice.AT_RANDOM)
    }
    inside = {arm: net.couplings[1] for arm, net in nets.items()}
    first = Trainer(shape, begin(dataset, IntegerSettings(), 1, blank=shape).trainer.rule, 1)
    still = first.network().couplings[1].parameters
    assert np.array_equal(inside[lattice.FROZEN].parameters, still)
    pairs = {arm: set(zip(*one.edges()[:2], strict=True)) for arm, one in inside.items()}
    assert {len(own) for own in pairs.values()} == {len(pairs[lattice.FROZEN])}
    assert len(set(map(frozenset, pairs.values()))) == 3


@pytest.mark.parametrize("side", [6, 8])
def test_flat_nets_have_as_many_neurons_or_synapses(side: int) -> None:
    cube, flat, equal = (
        lattice.shape_of(arm.format(side)) for arm in (lattice.CUBE, lattice.FLAT, lattice.EQUAL)
    )
    assert flat.relaxing[0].size == cube.relaxing[0].size == side**3
    assert abs(equal.synapses - cube.synapses) <= 37
