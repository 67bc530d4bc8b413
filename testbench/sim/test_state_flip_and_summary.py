"""One flipped bit, and the figures of a batch, by hand."""

import numpy as np
from hypothesis import given, settings

from testbench.networks import Case, cases, random_case
from toreq_hw import sim
from toreq_hw.network import Schedule
from toreq_hw.sim.state_flip import flip_one_bit, relax_after_flip
from toreq_hw.sim.summary import spread, summarise


@settings(max_examples=40, deadline=None)
@given(case=cases(Schedule.PARITY))
def test_one_state_of_each_sample_changes_and_stays_in_range(case: Case) -> None:
    settled = sim.relax(case.network, case.inputs)
    flipped = flip_one_bit(settled, seed=3)
    layout = sim.Layout(case.network)
    before, after = layout.join(settled.states), layout.join(flipped)
    changed = np.count_nonzero(before != after, axis=1)
    assert np.all(changed <= 1)
    if not any(p.signed for p in case.network.relaxing):  # a signed word may be read back as -max
        assert np.all(changed == 1)


def test_returned_states_are_counted() -> None:
    case = random_case(12, schedule=Schedule.PARITY, batch=60)
    settled = sim.relax(case.network, case.inputs)
    returned = relax_after_flip(settled, case.inputs, seed=1)
    flipped = sim.relax(case.network, case.inputs, states=flip_one_bit(settled, seed=1))
    layout = sim.Layout(case.network)
    same = (layout.join(flipped.states) == layout.join(settled.states)).all(axis=1)
    assert returned.samples == 60
    assert returned.exact == np.count_nonzero(same) > 0
    assert returned.exact <= returned.same_class <= 60


def test_spread_by_hand() -> None:
    found = spread(np.arange(1, 101))
    assert (found.mean, found.p50, found.p95, found.p99, found.max) == (50.5, 50, 95, 99, 100)


@settings(max_examples=20, deadline=None)
@given(case=cases(Schedule.SEQUENTIAL))
def test_summary_is_per_sample(case: Case) -> None:
    relaxation = sim.relax(case.network, case.inputs)
    summary = summarise(relaxation, relaxation.classes)
    assert summary.accuracy == 1.0
    assert summary.samples == len(case.inputs)
    events = relaxation.events.sum() + np.count_nonzero(case.inputs)
    assert summary.events_per_sample * summary.samples == events
