"""A watched run on Lava goes the way of the simulator's session, tick by tick, in all phases."""

import pytest

from testbench.lava.conftest import random_samples
from testbench.networks import random_case
from testbench.watching import Registers, assert_same_ticks, watched_session
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.targets.watching import watch_lava, watch_phases


@pytest.mark.parametrize(
    ("schedule", "seed", "batch"), [(Schedule.PARITY, 4, 3), (Schedule.SEQUENTIAL, 6, 1)]
)
def test_a_watched_run_on_lava_is_a_session(schedule: Schedule, seed: int, batch: int) -> None:
    case = random_case(seed, schedule=schedule)
    samples = random_samples(case.inputs, case.labels)
    watched = Registers()
    watch_lava(case.network, samples, watched, batch=batch)
    assert_same_ticks(watched_session(case.network, samples), watched)


def test_a_phase_without_its_trace_is_refused() -> None:
    case = random_case(4, schedule=Schedule.PARITY)
    samples = random_samples(case.inputs, case.labels)
    with pytest.raises(InputError, match="must have the trace of all its changes, found none"):
        watch_phases([sim.relax(case.network, case.inputs)], samples, Registers())
