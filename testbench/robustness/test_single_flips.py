"""Single flips are what reprogramming one cell does, and nothing stays behind."""

from dataclasses import replace

import numpy as np
import pytest

from testbench.networks import random_case
from toreq_hw import sim
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.sim.campaign.single_flips import single_flips
from toreq_hw.sim.perturbation.reprogram import with_weights


@pytest.mark.parametrize("schedule", [Schedule.PARITY, Schedule.SEQUENTIAL])
def test_each_flip_is_a_network_with_one_other_cell(schedule: Schedule) -> None:
    for seed in range(6):
        case = random_case(seed, schedule=schedule, max_size=6, batch=5)
        network = case.network
        clean = sim.relax(network, case.inputs)
        flips = single_flips(network, case.inputs, case.labels)
        assert flips
        for flip in flips[:: max(1, len(flips) // 25)]:
            coupling = next(c for c in network.couplings if c.name == flip.coupling)
            weight = coupling.parameters.copy()
            assert weight[flip.row, flip.column] == flip.before != flip.after
            weight[flip.row, flip.column] = flip.after
            if coupling.is_self_coupling:
                weight[flip.column, flip.row] = flip.after
            other = sim.relax(with_weights(network, {coupling.name: weight}), case.inputs)
            moved = np.zeros(len(case.inputs), dtype=bool)
            for name, states in clean.states.items():
                moved |= (states != other.states[name]).any(axis=1)
            assert flip.moved == np.count_nonzero(moved)
            assert (flip.distance > 0) == (flip.moved > 0)
            assert flip.reclassified == np.count_nonzero(clean.classes != other.classes)
            right = np.count_nonzero(other.classes == case.labels)
            assert flip.correct == right - np.count_nonzero(clean.classes == case.labels)


def test_every_bit_of_every_cell_or_of_as_many_as_asked_for() -> None:
    case = random_case(2, schedule=Schedule.PARITY)
    first, *others = case.network.couplings
    couplings = (first.with_parameters(np.ones_like(first.parameters)), *others)
    network = replace(case.network, couplings=couplings)
    flips = [f for f in single_flips(network, case.inputs, case.labels) if f.coupling == first.name]
    bits = 8 if first.weight_format is WeightFormat.INT8 else 2
    assert len(flips) == bits * first.parameters.size
    some = single_flips(network, case.inputs, case.labels, sample=3, seed=5)
    assert len({(f.coupling, f.row, f.column) for f in some}) == 3
