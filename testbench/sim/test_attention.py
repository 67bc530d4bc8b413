"""Trilinear terms and budget rows: engines agree, energy falls, and answers known by hand."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.attention_networks import attention_case, attention_cases, feasible_states
from testbench.networks import Case
from testbench.watching import Registers, assert_same_ticks
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.contract.layout import Layout
from toreq_hw.sim.delivery_kernel import deliver
from toreq_hw.sim.event_kernel import begin_sample
from toreq_hw.sim.plan import compile_plan, population_numbers
from toreq_hw.sim.scratch import new_scratch
from toreq_hw.sim.session import Session
from toreq_hw.sim.term_kernel import deliver_terms

ENGINES = ("reference", "dense", "event")


def session_of(case: Case, engine: str) -> Registers:
    """All registers of every tick of the three phases."""
    watched = Registers()
    session = Session(case.network, engine=engine, observers=[watched])
    session.start(case.inputs)
    session.run()
    for sign in (1, -1):
        session.nudge(case.labels, sign)
        session.run()
    return watched


@settings(max_examples=60, deadline=None)
@given(attention_cases())
def test_engines_agree_on_every_tick(case: Case) -> None:
    expected, *others = (session_of(case, engine) for engine in ENGINES)
    for found in others:
        assert_same_ticks(expected, found)
        for one, other in zip(expected.results, found.results, strict=True):
            assert sim.first_difference(one, other) is None
            assert np.array_equal(one.dense_synops, other.dense_synops)


@settings(max_examples=60, deadline=None)
@given(attention_cases())
def test_every_phase_settles_and_a_second_one_changes_nothing(case: Case) -> None:
    free = sim.free_phase(case.network, case.inputs)
    assert not free.unsettled
    again = sim.relax(case.network, case.inputs, states=free.states)
    assert again.sweeps.tolist() == [1] * len(case.inputs)
    for name, states in free.states.items():
        assert np.array_equal(again.states[name], states)


@settings(max_examples=60, deadline=None)
@given(attention_cases())
def test_energy_falls_on_every_changing_tick(case: Case) -> None:
    """From the first sweep of the free phase on, when every row has its sum."""
    watched = session_of(case, "event")
    first = len(case.network.colours)
    at = 0
    for phase, ticks in enumerate(watched.ticks.phases):
        numbers = range(at, at + len(ticks[1]))
        begin = first - 1 if phase == 0 else 0
        for before, after in pairwise(numbers[begin:]):
            changed = (watched.states[before] != watched.states[after]).any(axis=1)
            falls = watched.energies[after] < watched.energies[before]
            same = watched.energies[after] == watched.energies[before]
            assert np.array_equal(falls, changed)
            assert np.array_equal(same, ~changed)
        at = numbers.stop


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_accumulators_are_how_the_energy_falls(seed: int) -> None:
    """One unit more of one neuron changes E2 by twice its accumulator, less its own step."""
    rng = np.random.default_rng(seed)
    case = attention_case(seed, batch=1)
    network, states = case.network, feasible_states(rng, attention_case(seed).network)
    session = Session(network, engine="reference")
    session.start(case.inputs, states)
    sums = Layout(network).split(session.phase.accumulators)
    deepest = max(network.accumulator_fraction_bits(p.name) for p in network.updating)
    for name in ("query", "key", "value", "attended"):
        population = network.population(name)
        bits, k = network.accumulator_fraction_bits(name), int(rng.integers(population.size))
        if states[name][0, k] == population.state_max:
            continue
        moved = {n: s.copy() for n, s in states.items()}
        moved[name][0, k] += 1
        step = (int(moved[name][0, k]) << bits + 1) - (1 << bits if bits else 0) - 1
        rows = [p.rows.length for p in network.updating if p.rows is not None]
        wanted = (step - 2 * int(sums[name][0, k])) * (1 + max(rows, default=0))
        found = doubled_energy(network, case.inputs, moved) - doubled_energy(
            network, case.inputs, states
        )
        assert found[0] == wanted << deepest - bits


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_events_does_not_matter(seed: int) -> None:
    """Neurons of one colour change and are sent one by one, in any order."""
    rng = np.random.default_rng(seed)
    case = attention_case(seed, batch=1)
    network, layout = case.network, Layout(case.network)
    states, target = feasible_states(rng, network), feasible_states(rng, network)
    before, after = layout.join(states)[0], layout.join(target)[0]
    plan = compile_plan(network)
    scratch, sums = new_scratch(plan, network.input.size), np.zeros(len(before), np.int32)
    drive = np.zeros(network.output.size, np.int32)
    begin_sample(plan, case.inputs[0], before, drive, 0, sums, scratch)
    colour = network.colours[int(rng.integers(len(network.colours)))]
    moving = [(p.population, n) for p in colour for n in p.neurons]
    number = population_numbers(network)
    for k in rng.permutation(len(moving)):
        name, neuron = moving[k]
        place = layout.starts[name] + neuron
        delta = np.array([after[place] - before[place]], np.int16)
        if delta[0]:
            deliver(plan, number[name], neuron, delta, 1, sums, scratch)
            deliver_terms(plan, number[name], neuron, delta, before, sums, scratch)
    for name, neuron in moving:
        states[name][0, neuron] = target[name][0, neuron]
    session = Session(network, engine="reference")
    session.start(case.inputs, states)
    assert np.array_equal(session.phase.accumulators[0], sums)
