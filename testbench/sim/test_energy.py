"""Every changing tick of a coloured schedule lowers the integer energy."""

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case, cases
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat


def energies(case: Case, relaxation: sim.PhaseResult, sample: int, drive=None):
    """The doubled energy before the first tick and after each tick of one sample."""
    assert relaxation.trace is not None
    states = relaxation.trace.states(sample)
    ticks = len(next(iter(states.values())))
    inputs = np.repeat(case.inputs[sample][None], ticks, axis=0)
    drives = None if drive is None else np.repeat(drive[sample][None], ticks, axis=0)
    return states, doubled_energy(case.network, inputs, states, drives)


@pytest.mark.parametrize("schedule", [s for s in Schedule if s.always_settles])
def test_every_changing_tick_goes_down(schedule: Schedule) -> None:
    @settings(max_examples=60, deadline=None)
    @given(case=cases(schedule, skips=True))
    def check(case: Case) -> None:
        network = case.network
        free = sim.relax(network, case.inputs, trace=True)
        assert free.unsettled == 0
        drive = sim.nudge(network, free.states[network.output.name], case.labels)
        runs = [(free, None)]
        for sign in (1, -1):
            nudged = sim.nudged_phase(network, case.inputs, free, case.labels, sign, trace=True)
            assert nudged.unsettled == 0
            runs.append((nudged, np.int32(sign) * drive))
        for relaxation, pushed in runs:
            for sample in range(len(case.inputs)):
                states, energy = energies(case, relaxation, sample, pushed)
                rows = np.concatenate(list(states.values()), axis=1)
                changed = (rows[1:] != rows[:-1]).any(axis=1)
                assert np.all(np.diff(energy)[changed] < 0)
                assert np.all(np.diff(energy)[~changed] == 0)

    check()


def test_energy_by_hand() -> None:
    # One input 3, one output s with W = 2, f = 1, b = 1: F = 1, half = 1, a = 1 + 2*3 = 7.
    # E2(s) = sum_{k<s} (4(k+1) - 3) - 2 s - 2*2*3 s. E2(0) = 0, E2(3) = 15 - 6 - 36 = -27,
    # E2(4) = 28 - 8 - 48 = -28, E2(5) = 45 - 10 - 60 = -25: the minimum is s = (7 + 1) >> 1 = 4.
    network = Network(
        (Population("input", 1, Role.INPUT, 2), Population("output", 1, Role.OUTPUT, 3)),
        (DenseCoupling("input", "output", np.array([[2]], np.int8), 1, WeightFormat.INT8),),
        {"output": np.array([1], np.int32)},
    )
    states = {"output": np.array([[0], [3], [4], [5]], np.int16)}
    energy = doubled_energy(network, np.full((4, 1), 3), states)
    assert energy.tolist() == [0, -27, -28, -25]
    assert sim.relax(network, [[3]]).states["output"].tolist() == [[4]]


def test_synchronous_updating_can_cycle_and_says_so() -> None:
    # Two neurons that excite each other, started apart, swap their states for ever.
    network = Network(
        (
            Population("input", 1, Role.INPUT, 1),
            Population("hidden", 1, Role.HIDDEN, 1),
            Population("output", 1, Role.OUTPUT, 1),
        ),
        (DenseCoupling("hidden", "output", np.array([[1]], np.int8), 0, WeightFormat.TERNARY),),
        {},
        Schedule.SYNCHRONOUS,
    )
    states = {"hidden": np.array([[1]], np.int16), "output": np.array([[0]], np.int16)}
    for engine in sim.EngineName:
        result = sim.relax(network, [[0]], engine=engine, states=states)
        assert result.status.tolist() == [sim.Status.CYCLE]
        assert result.sweeps.tolist() == [2]
