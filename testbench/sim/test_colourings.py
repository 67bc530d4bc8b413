"""Colours are any sets of neurons: every engine agrees, and so does the network split by colour."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.colourings import chequered_case, coloured_case
from testbench.networks import Case
from toreq_hw import sim
from toreq_hw.network import Colouring, NeuronSet, Schedule, Split, split_by_colour
from toreq_hw.sim import perturbation
from toreq_hw.sim.perturbation.disturbance import Disturbance

SEEDS = st.integers(0, 2**32 - 1)


def free(case: Case, engine: str, threshold: int = 0) -> sim.PhaseResult:
    return sim.free_phase(case.network, case.inputs, engine=engine, threshold=threshold, trace=True)


@pytest.mark.parametrize("threshold", [0, 5])
def test_engines_agree_on_every_tick_of_a_chequered_lattice(threshold: int) -> None:
    for seed in range(5):
        case = chequered_case(seed)
        expected = free(case, "reference", threshold)
        assert expected.unsettled == 0
        assert expected.events.sum() > 100, "a lattice that does nothing"
        assert sim.first_difference(expected, free(case, "event", threshold)) is None
        assert sim.first_difference(expected, free(case, "dense", threshold)) is None


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, threshold=st.sampled_from([0, 0, 5]))
def test_engines_agree_on_every_tick_of_any_colouring(seed: int, threshold: int) -> None:
    case = coloured_case(seed)
    assert case.network.sweep.always_settles
    expected = free(case, "reference", threshold)
    assert expected.unsettled == 0
    assert sim.first_difference(expected, free(case, "event", threshold)) is None
    assert sim.first_difference(expected, free(case, "dense", threshold)) is None


def test_disturbed_engines_agree_on_any_colouring() -> None:
    for seed in range(6):
        case = coloured_case(seed)
        expected = free(case, "reference")
        for name in sim.EngineName:
            engine = perturbation.disturbed_engine(
                case.network, Disturbance.none(case.network), name
            )
            found = sim.relax(case.network, case.inputs, engine=engine, trace=True)
            assert sim.first_difference(expected, found) is None


def same_ticks(case: Case, split: Split, sign: int) -> None:
    """States of every tick of the free phase and of a nudged one, and the counters."""
    whole, parts = free(case, "event"), sim.free_phase(split.network, case.inputs, trace=True)
    compare(split, whole, parts)
    nudged = sim.nudged_phase(case.network, case.inputs, whole, case.labels, sign, trace=True)
    of_parts = sim.nudged_phase(split.network, case.inputs, parts, case.labels, sign, trace=True)
    compare(split, nudged, of_parts)


def compare(split: Split, whole: sim.PhaseResult, parts: sim.PhaseResult) -> None:
    assert whole.trace is not None
    assert parts.trace is not None
    for sample in range(len(whole.sweeps)):
        expected = whole.trace.states(sample)
        found = split.to_original(parts.trace.states(sample))
        for name, states in expected.items():
            assert np.array_equal(states, found[name]), (sample, name)
    for counter in ("sweeps", "status", "events", "input_events"):
        assert np.array_equal(getattr(whole, counter), getattr(parts, counter)), counter


@pytest.mark.parametrize("sign", [1, -1])
def test_a_chequered_lattice_split_by_colour_has_the_same_ticks(sign: int) -> None:
    for seed in range(5):
        case = chequered_case(seed)
        split = split_by_colour(case.network)
        assert split.network.schedule is Schedule.SEQUENTIAL
        assert [p.name for p in split.network.relaxing] == ["hidden_0", "hidden_1", "output"]
        assert split.neuron_numbers[:3].tolist() == [0, 2, 5]
        same_ticks(case, split, sign)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_any_colouring_split_by_colour_has_the_same_ticks(seed: int) -> None:
    case = coloured_case(seed, whole_output=True)
    split = split_by_colour(case.network)
    assert split.network.sweep.whole_populations
    numbers = split.neuron_numbers
    assert sorted(numbers.tolist()) == list(range(len(numbers)))
    states = sim.free_phase(case.network, case.inputs).states
    back = split.to_original(split.to_parts(states))
    assert all(np.array_equal(back[name], states[name]) for name in states)
    same_ticks(case, split, 1)


def test_a_colour_with_couplings_inside_is_updated_at_once_everywhere() -> None:
    """Two halves of a lattice: neighbours update together, so a phase may end in a cycle."""
    statuses = set()
    for seed in range(6):
        case = chequered_case(seed)
        halves = (range(8), range(8, 16))
        colours = ((NeuronSet("hidden", half),) for half in halves)
        schedule = Colouring((*colours, (NeuronSet("output", range(3)),)))
        case = replace(case, network=replace(case.network, schedule=schedule))
        assert not case.network.sweep.always_settles
        expected = free(case, "reference")
        assert sim.first_difference(expected, free(case, "event")) is None
        assert sim.first_difference(expected, free(case, "dense")) is None
        split = split_by_colour(case.network)
        assert isinstance(split.network.schedule, Colouring)
        same_ticks(case, split, -1)
        statuses |= set(expected.status.tolist())
    assert sim.Status.SETTLED in statuses
