"""Feedback shifts in the core: a walk has its own shift, so each direction takes what it needs."""

from testbench.rtl.plan import Images, Plan
from testbench.rtl.simulate import simulate
from testbench.shifted_networks import narrow_case
from toreq_hw.rtl.parameters import CoreParameters


def test_the_core_walks_each_direction_at_its_own_shift() -> None:
    network = narrow_case(0).network
    walks = CoreParameters.of(network, 4).walks
    assert len({walk.shift for walk in walks}) > 2


def test_the_core_relaxes_as_the_simulator() -> None:
    case = narrow_case(0)
    plan = Plan(case.network, 4, (Images(case.inputs, case.labels),))
    assert simulate(plan, "feedback-shift").failure is None
