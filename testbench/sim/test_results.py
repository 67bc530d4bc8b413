"""Two results of a phase: `first_difference` finds a wrong value in every field, and names it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from testbench.networks import random_case
from testbench.sim.test_known_answers import by_hand
from toreq_hw import sim
from toreq_hw.contract.difference import Difference
from toreq_hw.contract.results import COUNTERS, differing_samples, one_sample
from toreq_hw.contract.trace import Trace, compared_states, trace_of_states

INPUTS = [[0, 0], [3, 1]]
"""Sample 1 is the one worked out in `test_free_phase_by_hand`: six ticks."""


@pytest.fixture(scope="module")
def expected() -> sim.PhaseResult:
    return sim.relax(by_hand(), INPUTS, trace=True)


def traced(result: sim.PhaseResult) -> Trace:
    assert result.trace is not None
    return result.trace


def changed(array: np.ndarray, place: Any, by: int = 1) -> np.ndarray:
    copy = array.copy()
    copy[place] += by
    return copy


def show_ticks(trace: Trace, *ticks: int) -> Trace:
    """The trace of a machine whose states are read after some ticks."""
    samples = range(len(trace.initial))
    states = [trace.trajectory(k) for k in samples]
    known = [{t: rows[t] for t in ticks if t < len(rows)} for rows in states]
    return trace_of_states(trace.layout, trace.ticks, known)


def without(trace: Trace, index: int) -> Trace:
    """The trace without one of its changes."""
    kept = np.delete(trace.rows, index, axis=0)
    return Trace.of_changes(trace.layout, trace.initial, trace.ticks, kept)


def test_a_result_equals_itself_whatever_is_left_out(expected: sim.PhaseResult) -> None:
    bare = sim.PhaseResult(expected.network, expected.states)
    untraced = replace(expected, trace=None)
    partly = replace(expected, trace=show_ticks(traced(expected), 2, 5))
    for got in (
        expected,
        bare,
        untraced,
        partly,
        sim.join_results([one_sample(expected, k) for k in (0, 1)]),
    ):
        assert sim.first_difference(expected, got) is None
        assert not differing_samples(expected, got).any()


STATE = {"population": "output", "neuron": 0, "quantity": "state"}

WRONG: dict[str, tuple[Callable[[sim.PhaseResult], dict[str, Any]], dict[str, Any], str]] = {
    "start": (
        lambda r: {"trace": replace(traced(r), initial=changed(traced(r).initial, (1, 2)))},
        {**STATE, "sample": 1, "tick": 0, "expected": 0, "got": 1},
        "tick 0, population 'output', neuron 0: expected 0, got 1",
    ),
    "state of a tick": (
        lambda r: {"trace": replace(traced(r), after=changed(traced(r).after, -1, -3))},
        {**STATE, "sample": 1, "tick": 4, "expected": 7, "got": 4},
        "tick 4, population 'output', neuron 0: expected 7, got 4",
    ),
    "tick of a state": (
        lambda r: {"trace": replace(traced(r), tick=changed(traced(r).tick, -1))},
        {**STATE, "sample": 1, "tick": 4, "expected": 7, "got": 5},
        "tick 4, population 'output', neuron 0: expected 7, got 5",
    ),
    "neuron of a state": (
        lambda r: {"trace": replace(traced(r), neuron=changed(traced(r).neuron, -1))},
        {**STATE, "sample": 1, "tick": 4, "expected": 7, "got": 5},
        "tick 4, population 'output', neuron 0: expected 7, got 5",
    ),
    "state before": (
        lambda r: {"trace": replace(traced(r), before=changed(traced(r).before, -1))},
        {**STATE, "sample": 1, "tick": 4, "expected": "5 to 7", "got": "6 to 7"},
        "tick 4, population 'output', neuron 0: expected 5 to 7, got 6 to 7",
    ),
    "a change too few": (
        lambda r: {"trace": without(traced(r), -1)},
        {**STATE, "sample": 1, "tick": 4, "expected": 7, "got": 5},
        "tick 4, population 'output', neuron 0: expected 7, got 5",
    ),
    "ticks": (
        lambda r: {"trace": replace(traced(r), ticks=changed(traced(r).ticks, 1))},
        {"sample": 1, "quantity": "ticks", "expected": 6, "got": 7},
        "ticks: expected 6, got 7",
    ),
    "a state seen": (
        lambda r: {
            "trace": show_ticks(replace(traced(r), after=changed(traced(r).after, -1, -3)), 3, 5)
        },
        {**STATE, "sample": 1, "tick": 5, "expected": 7, "got": 4},
        "tick 5, population 'output', neuron 0: expected 7, got 4",
    ),
    "final state": (
        lambda r: {"states": {**r.states, "output": changed(r.states["output"], (1, 0), -2)}},
        {**STATE, "sample": 1, "tick": 6, "final": True, "expected": 7, "got": 5},
        "tick 6 (final), population 'output', neuron 0: expected 7, got 5",
    ),
    "population left out": (
        lambda r: {"states": {"hidden": r.states["hidden"]}},
        {**STATE, "sample": 0, "tick": 12, "final": True, "expected": 7, "got": "none"},
        "tick 12 (final), population 'output', neuron 0: expected 7, got none",
    ),
    "class": (
        lambda r: {"own_classes": changed(r.classes, 1)},
        {"sample": 1, "quantity": "class", "expected": 0, "got": 1},
        "class: expected 0, got 1",
    ),
} | {
    name: (
        lambda r, name=name: {name: changed(getattr(r, name), 1)},  # type: ignore[misc]
        {"sample": 1, "quantity": name},
        f"{name}: expected",
    )
    for name in COUNTERS
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_value_is_named(expected: sim.PhaseResult, field: str) -> None:
    break_it, wanted, line = WRONG[field]
    found = sim.first_difference(expected, replace(expected, **break_it(expected)))
    assert found is not None
    assert vars(found) == {**vars(found), "phase": "free", **wanted}
    assert str(found).startswith(f"free phase, sample {wanted['sample']}, {line}")


def test_every_counter_of_a_result_can_differ() -> None:
    """The table above has an entry for each compared field."""
    compared = {*COUNTERS, "class"}
    assert compared <= set(WRONG)
    fields = set(sim.PhaseResult.__dataclass_fields__)
    beside = {"network", "phase", "states", "dense_synops", "trace", "own_classes", "costs"}
    beside.add("readout")  # of a clamped output; testbench/sim/test_clamped_readout.py compares it
    assert fields == beside | set(COUNTERS), "a new field is compared, or named here"


def test_two_changes_of_a_neuron_in_a_tick_are_told_apart(expected: sim.PhaseResult) -> None:
    """Under faults a state may flip and be put right in one tick: its end shows nothing."""
    rows = traced(expected).rows
    flip = np.insert(rows, len(rows), [[1, 5, 0, 7, 3], [1, 5, 0, 3, 7]], axis=0)
    broken = Trace.of_changes(
        traced(expected).layout, traced(expected).initial, traced(expected).ticks, flip
    )
    found = sim.first_difference(expected, replace(expected, trace=broken))
    assert str(found) == (
        "free phase, sample 1, tick 5, population 'hidden', neuron 0: "
        "expected no change, got 7 to 3 to 7"
    )


def test_states_seen_now_and_then_are_compared_there() -> None:
    case = random_case(11)
    whole = traced(sim.relax(case.network, case.inputs, trace=True))
    partly = show_ticks(whole, 1, 3)
    neurons = whole.layout.neurons
    assert (
        compared_states(whole, partly)
        == sum(sum(t <= ticks for t in (1, 3)) for ticks in whole.ticks) * neurons
    )
    assert compared_states(whole, whole) == int((whole.ticks + 1).sum()) * neurons


def test_which_samples_differ(expected: sim.PhaseResult) -> None:
    wrong = {**expected.states, "hidden": changed(expected.states["hidden"], (1, 0), -1)}
    assert differing_samples(expected, replace(expected, states=wrong)).tolist() == [False, True]
    sweeps = changed(expected.sweeps, 0)
    assert differing_samples(expected, replace(expected, sweeps=sweeps)).tolist() == [True, False]


def test_a_difference_is_a_value() -> None:
    assert Difference("free", 0, "sweeps", 1, 2) == Difference("free", 0, "sweeps", 1, 2)
