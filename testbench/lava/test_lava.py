"""Lava's fixed-point model does, tick by tick, what the simulator does."""

from dataclasses import replace

import numpy as np
import pytest

from testbench.lava.conftest import random_samples, samples
from testbench.lava.exact import EXACT
from testbench.networks import random_case
from toreq_hw import sim
from toreq_hw.lava_backend import lava_run
from toreq_hw.lava_backend.record import RunRecord
from toreq_hw.network import Network, Schedule
from toreq_hw.targets import Samples
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.expected import simulate


def traced(phase: sim.PhaseResult) -> sim.Trace:
    assert phase.trace is not None
    return phase.trace


def run(trained: Network, chosen: Samples, batch: int) -> RunRecord:
    targets = sim.targets(trained.output, chosen.labels)
    return lava_run.run(trained, chosen.inputs, targets, batch=batch)


def test_200_digits_in_batches(digits_network: Network) -> None:
    chosen = samples(digits_network, "digits", 200)
    found = run(digits_network, chosen, batch=100)
    expected = simulate(digits_network, chosen)
    assert compare(expected, found) == EXACT
    assert all(len(traced(phase).tick) > 100 for phase in found.phases), "phases that do nothing"
    assert np.array_equal(found.classes, expected.free.classes)
    assert np.mean(found.classes == chosen.labels) > 0.9


def test_20_digits_one_at_a_time(digits_network: Network) -> None:
    chosen = samples(digits_network, "digits", 20)
    assert compare(simulate(digits_network, chosen), run(digits_network, chosen, batch=1)) == EXACT


def test_100_mnist_images_in_batches(mnist_network: Network) -> None:
    chosen = samples(mnist_network, "mnist", 100)
    found = run(mnist_network, chosen, batch=100)
    assert compare(simulate(mnist_network, chosen), found) == EXACT
    assert all(len(traced(phase).tick) > 100 for phase in found.phases), "phases that do nothing"


@pytest.mark.parametrize(
    ("schedule", "seed", "batch"),
    [
        (Schedule.PARITY, 0, 1),
        (Schedule.PARITY, 0, 3),
        (Schedule.PARITY, 4, 3),
        (Schedule.SEQUENTIAL, 6, 1),
        (Schedule.SEQUENTIAL, 6, 3),
    ],
)
def test_random_networks(schedule: Schedule, seed: int, batch: int) -> None:
    """Signed and unsigned, mixed fraction bits, self-couplings; a last round that is not full."""
    case = random_case(seed, schedule=schedule)
    chosen = random_samples(case.inputs, case.labels)
    assert compare(simulate(case.network, chosen), run(case.network, chosen, batch)) == EXACT


def test_a_run_that_differs_is_told_apart(digits_network: Network) -> None:
    """The comparison itself can fail: in a state, in a tick, in an event count."""
    chosen = samples(digits_network, "digits", 3)
    expected = simulate(digits_network, chosen)
    found = run(digits_network, chosen, batch=3)
    free = found.phases[0]

    after = traced(free).after.copy()
    after[-1] += 1
    broken = replace(free, trace=replace(traced(free), after=after))
    wrong_state = replace(found, phases=(broken, *found.phases[1:]))
    agreement = compare(expected, wrong_state)
    assert agreement.differing_states == 2
    assert str(agreement.first_difference).startswith("free phase, sample 2, tick")

    wrong_ticks = replace(found, phases=(replace(free, sweeps=free.sweeps + 1), *found.phases[1:]))
    assert compare(expected, wrong_ticks).differing_ticks == 3

    wrong_count = replace(found, phases=(replace(free, events=free.events - 1), *found.phases[1:]))
    agreement = compare(expected, wrong_count)
    assert agreement.differing_event_counts == 3
    assert "events: expected" in str(agreement.first_difference)
