"""A watched core goes the way of the simulator's session, tick by tick, in all phases."""

from dataclasses import replace

import pytest

from testbench.networks import random_case
from testbench.rtl.simulate import RUNS
from testbench.watching import Registers, assert_same_ticks, watched_session
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.targets import Samples
from toreq_hw.targets.watching import watch_core


@pytest.mark.parametrize(
    ("schedule", "seed"), [(Schedule.PARITY, 4), (Schedule.SEQUENTIAL, 6)], ids=["parity", "loops"]
)
def test_a_watched_core_is_a_session(schedule: Schedule, seed: int) -> None:
    """Signed and unsigned states, mixed fraction bits, a self-coupled population."""
    case = random_case(seed, schedule=schedule)
    samples = Samples("random", "random", case.inputs, case.labels)
    watched = Registers()
    found = watch_core(case.network, samples, watched, RUNS / "watched", lanes=4)
    assert_same_ticks(watched_session(case.network, samples), watched)
    assert [phase.phase for phase in found] == ["free", "positive", "negative"]
    assert sum(len(phase.trace.tick) for phase in found if phase.trace is not None) > 20

    broken = replace(case.network, biases={n: b + 40 for n, b in case.network.biases.items()})
    expected = sim.relax(broken, case.inputs, trace=True)
    difference = sim.first_difference(expected, found[0])
    assert difference is not None
    assert difference.tick in (1, 2), "a marker knows where to stand"


def test_a_lossy_core_is_refused() -> None:
    case = random_case(4, schedule=Schedule.PARITY)
    core = object.__new__(CompiledCore)  # nothing of it is needed to say so
    core._parameters = CoreParameters.of(case.network, 4, threshold=2)
    with pytest.raises(InputError, match="a watched core must be lossless"):
        core.watch(case.inputs[0], [(Command.FREE, 0)])
