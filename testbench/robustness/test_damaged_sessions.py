"""A session under damage: its ticks are those of `relax_with`, its registers any engine's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import random_case
from testbench.robustness.test_engines import SETTLING, SWEEPS, phase_layers
from testbench.watching import Registers, check_ticks
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.session import Session


@pytest.mark.parametrize("schedule", SETTLING)
def test_a_damaged_session_is_relax_with(schedule: Schedule) -> None:
    @settings(max_examples=3, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        case = random_case(seed, schedule=schedule, max_size=8, batch=3)
        for layers in phase_layers(seed, case.network):
            sums = []
            for name in sim.EngineName:
                watched = Registers()
                session = Session(case.network, engine=name, layers=layers, max_sweeps=SWEEPS)
                session.start(case.inputs)
                found = session.run(watched)
                expected = p.relax_with(
                    case.network, case.inputs, layers, engine=name, max_sweeps=SWEEPS, trace=True
                )
                assert sim.first_difference(expected, found) is None
                check_ticks(case.network, watched.ticks.phases[0][1], expected)
                sums.append(watched.accumulators)
            for others in sums[1:]:
                pairs = zip(sums[0], others, strict=True)
                assert all(np.array_equal(one, other) for one, other in pairs), layers

    check()


def test_weights_and_standing_states_are_damaged_too() -> None:
    case = random_case(5, schedule=Schedule.PARITY)
    layers = [p.WeightBitFlip(0.05, 3), p.StateBitFlip(0.2, 3)]
    settled = sim.relax(case.network, case.inputs).states
    session = Session(case.network, layers=layers)
    session.start(case.inputs, settled)
    expected = p.relax_with(case.network, case.inputs, layers, states=settled, trace=True)
    assert session.network.sha256 == expected.network.sha256 != case.network.sha256
    assert sim.first_difference(expected, session.run(Registers())) is None


def test_damage_in_the_middle_of_a_phase_and_its_end() -> None:
    """What is painted onto a running network acts from the next tick on, and can be taken back."""
    case = random_case(5, schedule=Schedule.PARITY)
    settled = sim.relax(case.network, case.inputs)
    session = Session(case.network)
    session.start(case.inputs)
    session.step()
    standing = session.phase.states.copy()
    dead = [p.DeadNeurons(0.4, 2)]
    session.go_on(dead)
    damaged = session.run(Registers())
    split = sim.Layout(case.network).split(standing)
    assert (
        sim.first_difference(
            p.relax_with(case.network, case.inputs, dead, states=split, trace=True), damaged
        )
        is None
    )
    session.go_on([])
    for name, states in session.run().states.items():
        assert np.array_equal(states, settled.states[name]), "it comes back to its equilibrium"


def test_a_nudge_starts_where_the_damaged_phase_ended() -> None:
    case = random_case(5, schedule=Schedule.PARITY)
    session = Session(case.network)
    session.start(case.inputs)
    session.run()
    flips = [p.WeightBitFlip(0.3, 1)]
    session.go_on(flips)
    damaged = session.run()
    session.nudge(case.labels, 1)
    found = session.run(Registers())
    network = session.network
    expected = sim.nudged_phase(network, case.inputs, damaged, case.labels, 1, trace=True)
    assert sim.first_difference(expected, found) is None
    # A nudge whose phase went on is no equilibrium to nudge from: the free one stays.
    session.go_on([])
    session.run()
    session.nudge(case.labels, -1)
    starts = session.phase.start.states
    assert np.array_equal(starts, sim.Layout(network).join(damaged.states))


def test_damage_of_learning_is_refused() -> None:
    case = random_case(5)
    with pytest.raises(InputError, match="must have learning to act on"):
        Session(case.network, layers=[p.AsymmetricUpdate(0.5)])
