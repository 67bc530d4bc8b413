"""Phases that clamp any populations, the input free or not, and sequences of inputs."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case, cases
from testbench.own_feedback import own_feedback_cases
from testbench.structured import structured_case
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import (
    ClampedReadout,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    clamping,
    layered,
    save,
    split_by_colour,
)
from toreq_hw.sim.learning import Rule, Trainer

States = npt.NDArray[np.int16]


def chain() -> Network:
    """x -(W 2, f 1)- h -(W 3, f 2)- y, one neuron each, 4 bits."""
    names, roles = "xhy", (Role.INPUT, Role.HIDDEN, Role.OUTPUT)
    populations = tuple(Population(n, 1, r, 4) for n, r in zip(names, roles, strict=True))
    couplings = (
        DenseCoupling("x", "h", np.array([[2]], np.int8), 1, WeightFormat.INT8),
        DenseCoupling("h", "y", np.array([[3]], np.int8), 2, WeightFormat.INT8),
    )
    return Network(populations, couplings, {"h": np.array([8], np.int32)})


@pytest.mark.parametrize("engine", sim.EngineName)
def test_an_output_that_drives_the_input_by_hand(engine: sim.EngineName) -> None:
    # y = 4 is clamped, F_h = 2, F_x = 1; h comes before y, so x and h are the two colours, x first.
    # Sweep 1: x = (0 + 1) >> 1 = 0. a_h = 8 + 3 4 + 2^1 2 0 = 20, (20 + 2) >> 2 = 5.
    # Sweep 2: a_x = 2 5 = 10, (10 + 1) >> 1 = 5. a_h = 20 + 4 5 = 40, 42 >> 2 = 10.
    # Sweep 3: x = 10, a_h = 20 + 40 = 60, 15. Sweep 4: x = 15, a_h = 80, 15. Sweep 5: quiet.
    found = sim.clamped_phase(chain(), {"y": [[4]]}, engine=engine, trace=True)
    assert {n: s.tolist() for n, s in found.states.items()} == {"x": [[15]], "h": [[15]]}
    assert (found.sweeps.tolist(), found.input_events.tolist()) == ([5], [1])
    assert found.trace is not None
    assert found.trace.states(0)["h"].ravel().tolist()[::2] == [0, 5, 10, 15, 15, 15]
    # One event of y walks one weight; x moved three times and h three times, a weight each:
    # nothing flows back to y.
    assert (found.events.tolist(), found.synops.tolist()) == ([6], [1 + 6])
    # Dense: y's weight once, then two weights, x-h both ways, a sweep.
    assert found.dense_synops.tolist() == [1 + 5 * 2]
    both = sim.clamped_phase(chain(), {"y": [[4]], "x": [[1]]}, engine=engine)
    # a_h = 8 + 12 + 4 = 24, (24 + 2) >> 2 = 6.
    assert {n: s.tolist() for n, s in both.states.items()} == {"h": [[6]], "y": [[4]]}
    assert (both.input_events.tolist(), both.synops.tolist()) == ([2], [2])
    # Dense: the weights of x and of y once; h updates alone, so a sweep reads nothing more.
    assert both.dense_synops.tolist() == [2]


def random_clamping(case: Case, seed: int) -> dict[str, States]:
    rng = np.random.default_rng(seed)
    populations = case.network.populations
    count = int(rng.integers(1, len(populations)))
    chosen = rng.choice(len(populations), count, replace=False)
    return {
        p.name: rng.integers(p.state_min, p.state_max + 1, (len(case.inputs), p.size)).astype(
            np.int16
        )
        for p in (populations[k] for k in sorted(chosen.tolist()))
    }


@settings(max_examples=40, deadline=None)
@given(
    case=st.one_of(
        cases(skips=True), own_feedback_cases(), st.integers(0, 2**32 - 1).map(structured_case)
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_engines_agree_and_what_is_clamped_stays(case: Case, seed: int) -> None:
    net = case.network
    if not isinstance(net.schedule, Schedule):
        net = replace(net, schedule=Schedule.SEQUENTIAL)
    clamped = random_clamping(case, seed)
    runs = [
        sim.clamped_phase(net, clamped, engine=e, trace=True, max_sweeps=200)
        for e in ("reference", "dense", "event")
    ]
    assert all(sim.first_difference(runs[0], one) is None for one in runs[1:])
    phase_network = runs[0].network
    driver = phase_network.input.name
    assert driver in clamped
    for name, given_states in clamped.items():
        if name != driver:
            assert np.array_equal(runs[0].states[name], given_states)
    if set(clamped) == {net.input.name}:
        plain = sim.relax(net, clamped[net.input.name], trace=True, max_sweeps=200)
        assert sim.first_difference(plain, runs[0]) is None
    if phase_network.sweep.always_settles:
        assert runs[0].unsettled == 0
        trace = runs[0].trace
        assert trace is not None
        for sample in range(len(case.inputs)):
            states = trace.states(sample)
            rows = np.concatenate(list(states.values()), axis=1)
            inputs = np.repeat(clamped[driver][sample : sample + 1], len(rows), axis=0)
            energy = doubled_energy(phase_network, inputs, states)
            for (before, after), (old, new) in zip(pairwise(energy), pairwise(rows), strict=True):
                assert after < before if (old != new).any() else after == before


@settings(max_examples=25, deadline=None)
@given(case=cases(skips=True))
def test_a_sequence_carries_its_states_on(case: Case) -> None:
    net, frames = case.network, np.stack([case.inputs, case.inputs[::-1], case.inputs[::-1]])
    runs = [sim.sequence(net, frames, engine=e, max_sweeps=200) for e in ("reference", "event")]
    for one, other in zip(*runs, strict=True):
        assert sim.first_difference(one, other) is None
    first, second, third = runs[0]
    alone = sim.relax(net, frames[0], max_sweeps=200)
    assert sim.first_difference(alone, first) is None
    carried = sim.relax(net, frames[1], states=first.states, max_sweeps=200)
    assert all(np.array_equal(carried.states[n], s) for n, s in second.states.items())
    assert second.input_events.tolist() == (frames[1] != frames[0]).sum(axis=1).tolist()
    assert third.input_events.tolist() == [0] * len(case.inputs)
    settled = second.status == sim.Status.SETTLED
    assert not third.events[settled].any()


def test_trained_digits_are_generated_from_their_classes() -> None:
    """Half of the classes' images are nearer to their own class's mean than to any other."""
    from toreq_hw import data
    from toreq_hw.sim.learning.generator import sample_order

    digits = data.load("digits")
    shape = layered((64, 64, 10), WeightFormat.INT8, (7, 6), beta_shift=0)
    trainer = Trainer(shape, Rule(shift=5, bias_shift=7, initial_reach=3000), 1)
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    for epoch in range(4):
        trainer.epoch = epoch
        order = sample_order(len(inputs), 1, epoch)
        trainer.learn(inputs, digits.train.labels, order)
    wanted = np.eye(10, dtype=np.int16) * np.int16(255)
    found = sim.clamped_phase(trainer.network(), {"output": wanted}).states["input"]
    assert len({row.tobytes() for row in found}) == 10
    means = np.stack([inputs[digits.train.labels == k].mean(axis=0) for k in range(10)])
    centred, images = means - means.mean(axis=0), found - found.mean(axis=0)
    nearest = np.argmax(images @ centred.T, axis=1)
    assert np.count_nonzero(nearest == np.arange(10)) >= 5


@pytest.mark.parametrize(
    ("clamped", "said"),
    [
        ({}, "must be some of input, hidden, output, found none"),
        (
            {"input": 0, "hidden": 0, "output": 0},
            "must be some of input, hidden, output, found all",
        ),
        ({"wrong": 0}, "must be of input, hidden, output, not 'wrong'"),
    ],
)
def test_what_cannot_be_clamped(clamped: dict[str, int], said: str) -> None:
    network = layered((3, 2, 2), WeightFormat.TERNARY, (1, 1))
    with pytest.raises(NetworkError, match=said):
        clamping(network, clamped)


def test_a_network_of_a_phase_is_not_stored_and_does_not_learn(tmp_path: Path) -> None:
    network = layered((3, 2, 2), WeightFormat.TERNARY, (1, 1))
    of_phase = clamping(network, ["output"])
    assert (of_phase.input.name, of_phase.output.name) == ("output", "input")
    with pytest.raises(NetworkError, match="must be the input alone in a network file"):
        save(of_phase, tmp_path / "n.safetensors")
    with pytest.raises(NetworkError, match="must be the input alone to be split by colour"):
        split_by_colour(of_phase)
    with pytest.raises(InputError, match="must be the input alone for learning"):
        Trainer(of_phase, Rule(), 1)
    with pytest.raises(NetworkError, match="must be the input and some others, found hidden"):
        replace(network, clamped=frozenset({"hidden"}))
    readout = layered((3, 2, 2), WeightFormat.INT8, (5, 5), readout=ClampedReadout((4, 1)))
    with pytest.raises(NetworkError, match="readout must be relaxing where other populations"):
        clamping(readout, ["hidden"])
    with pytest.raises(InputError, match="as many samples as those of 'output'"):
        sim.clamped_phase(network, {"output": [[0, 1]], "hidden": [[0, 1], [1, 0]]})
    with pytest.raises(InputError, match=r"frames must be of shape \(frames, batch, inputs\)"):
        sim.sequence(network, [[1, 2, 3]])
