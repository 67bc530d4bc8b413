"""The three engines are one function: same states at every tick, same counters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case, cases
from toreq_hw import sim
from toreq_hw.network import Schedule

FAST_ENGINES = ("dense", "event")


@pytest.mark.parametrize("schedule", Schedule)
@pytest.mark.parametrize("threshold", [0, 3])
def test_engines_agree_on_every_tick(schedule: Schedule, threshold: int) -> None:
    @settings(max_examples=40, deadline=None)
    @given(case=cases(schedule, skips=True))
    def check(case: Case) -> None:
        def run(engine: str) -> sim.PhaseResult:
            return sim.relax(
                case.network,
                case.inputs,
                engine=engine,
                threshold=threshold,
                max_sweeps=200,
                trace=True,
            )

        expected = run("reference")
        for engine in FAST_ENGINES:
            assert sim.first_difference(expected, run(engine)) is None

    check()


@pytest.mark.parametrize("schedule", [Schedule.PARITY, Schedule.SEQUENTIAL])
@settings(max_examples=60, deadline=None)
@given(data=st.data(), threshold=st.integers(1, 40))
def test_a_threshold_lets_every_relaxation_settle(
    schedule: Schedule, data: st.DataObject, threshold: int
) -> None:
    case = data.draw(cases(schedule, skips=True))
    assert sim.relax(case.network, case.inputs, threshold=threshold).unsettled == 0


@pytest.mark.parametrize("schedule", Schedule)
@pytest.mark.parametrize("sign", [1, -1])
def test_engines_agree_in_nudged_phases(schedule: Schedule, sign: int) -> None:
    @settings(max_examples=25, deadline=None)
    @given(case=cases(schedule, skips=True))
    def check(case: Case) -> None:
        network, inputs, labels = case.network, case.inputs, case.labels
        free = sim.free_phase(network, inputs, engine="reference")

        def run(engine: str) -> sim.PhaseResult:
            return sim.nudged_phase(network, inputs, free, labels, sign, engine=engine, trace=True)

        expected = run("reference")
        assert not np.any(expected.input_events)
        for engine in FAST_ENGINES:
            assert sim.first_difference(expected, run(engine)) is None

    check()
