"""Feedback of its own, fixed or learned: engines, cycles, learning, files and refusals."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case
from testbench.own_feedback import own_feedback_case, own_feedback_cases
from testbench.sim.test_learning import latents_of, learn_by_reference
from testbench.structured import random_convolution
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.network import (
    DenseCoupling,
    Network,
    OwnFeedback,
    Population,
    Role,
    Schedule,
    WeightFormat,
    layered,
    load,
    save,
)
from toreq_hw.network.file import from_header, header
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.learning.reference import Latents
from toreq_hw.sim.learning.synapses import weights_of

LIMIT = 300


def rotating(schedule: Schedule = Schedule.SYNCHRONOUS) -> Network:
    """y follows h, and h the negative of y: a quarter turn a tick."""
    one, zero = np.ones((1, 1), np.int8), np.zeros((1, 1), np.int8)
    populations = (
        Population("x", 1, Role.INPUT, 1),
        Population("h", 1, Role.HIDDEN, 2, signed=True),
        Population("y", 1, Role.OUTPUT, 2, signed=True),
    )
    couplings = (
        DenseCoupling("x", "h", zero, 0, WeightFormat.TERNARY),
        DenseCoupling("h", "y", one, 0, WeightFormat.TERNARY, own_feedback=OwnFeedback(-one)),
    )
    return Network(populations, couplings, {}, schedule)


@pytest.mark.parametrize("engine", sim.EngineName)
def test_a_cycle_of_four_by_hand(engine: sim.EngineName) -> None:
    # (1, 1) -1-> (-1, 1) -> (-1, -1) -> (1, -1) -4-> (1, 1): kept at sweep 4, seen again at 8.
    states = {"h": np.array([[1]], np.int16), "y": np.array([[1]], np.int16)}
    found = sim.relax(rotating(), [[0]], states=states, engine=engine)
    assert found.status.tolist() == [sim.Status.CYCLE]
    assert (found.sweeps.tolist(), found.periods.tolist()) == ([8], [4])
    assert {n: s.tolist() for n, s in found.states.items()} == {"h": [[1]], "y": [[1]]}
    # Under parity h turns to -y and y to the new h: (-1, -1), (1, 1), kept at 2, seen at 4.
    found = sim.relax(rotating(Schedule.PARITY), [[0]], states=states, engine=engine)
    assert (found.sweeps.tolist(), found.periods.tolist()) == ([4], [2])
    limited = sim.relax(rotating(), [[0]], states=states, engine=engine, max_sweeps=7)
    assert (limited.status.tolist(), limited.periods.tolist()) == ([sim.Status.SWEEP_LIMIT], [0])
    at_rest = sim.relax(rotating(), [[0]], engine=engine)
    assert (at_rest.status.tolist(), at_rest.periods.tolist()) == ([sim.Status.SETTLED], [1])


@settings(max_examples=40, deadline=None)
@given(case=own_feedback_cases())
def test_engines_agree_and_periods_are_exact(case: Case) -> None:
    net = case.network
    expected = sim.relax(net, case.inputs, engine="reference", trace=True, max_sweeps=LIMIT)
    for engine in sim.EngineName:
        found = sim.relax(net, case.inputs, engine=engine, trace=True, max_sweeps=LIMIT)
        assert sim.first_difference(expected, found) is None
    nudged = [
        sim.nudged_phase(net, case.inputs, expected, case.labels, 1, engine=e, trace=True)
        for e in ("reference", "dense", "event")
    ]
    assert all(sim.first_difference(nudged[0], one) is None for one in nudged[1:])
    assert expected.trace is not None
    colours = len(net.colours)
    for sample, status in enumerate(expected.status):
        rows = np.concatenate(list(expected.trace.states(sample).values()), axis=1)[::colours]
        if status == sim.Status.CYCLE:
            period = int(expected.periods[sample])
            same = [bool((row == rows[-1]).all()) for row in rows[:-1]]
            last = len(rows) - 2 - same[::-1].index(True)
            assert period == len(rows) - 1 - last
    lossy = sim.relax(net, case.inputs, engine="reference", threshold=2, max_sweeps=40)
    for engine in sim.EngineName:
        found = sim.relax(net, case.inputs, engine=engine, threshold=2, max_sweeps=40)
        assert sim.first_difference(lossy, found) is None


@settings(max_examples=40, deadline=None)
@given(case=own_feedback_cases())
def test_learning_is_the_written_rule(case: Case) -> None:
    net = case.network
    shifts = {c.name: 3 + k for k, c in enumerate(net.couplings)}
    rule = Rule(shift=0, bias_shift=2, theta=300, initial_reach=900, shifts=shifts)
    trainer = Trainer(net, rule, seed=11)
    fixed = {n: t for n, t in all_feedback(trainer).items() if n not in learned(net)}
    expected = with_feedback(trainer)
    for sample in range(len(case.inputs)):
        learn_by_reference(trainer.network(), expected, case, sample, shifts)
        trainer.learn(case.inputs, case.labels, np.array([sample]))
        found = with_feedback(trainer)
        for name in expected.weight:
            assert np.array_equal(found.weight[name], expected.weight[name]), name
        for name in expected.feedback:
            assert np.array_equal(found.feedback[name], expected.feedback[name]), name
        assert found.random_state == expected.random_state
        now = trainer.network()
        for coupling in now.couplings:
            own = coupling.own_feedback
            if own is not None and coupling.name in fixed:
                assert np.array_equal(own.weight, fixed[coupling.name])
        again = sim.free_phase(now, case.inputs, engine="reference")
        plan_states = sim.free_phase(now, case.inputs)
        assert sim.first_difference(again, plan_states) is None


def test_long_cycles_are_found() -> None:
    found: set[int] = set()
    for seed in range(40):
        case = own_feedback_case(seed, schedule=Schedule.SYNCHRONOUS)
        found |= set(sim.free_phase(case.network, case.inputs).periods.tolist())
    assert {1, 2} < found
    assert max(found) > 4


def learned(network: Network) -> set[str]:
    return {c.name for c in network.couplings if c.own_feedback and c.own_feedback.learned}


def all_feedback(trainer: Trainer) -> dict[str, np.ndarray]:
    couplings = trainer.network().couplings
    return {c.name: c.own_feedback.weight for c in couplings if c.own_feedback}


def with_feedback(trainer: Trainer) -> Latents:
    found = latents_of(trainer)
    names = [c.name for c in trainer.blueprint.couplings]
    for number, part in enumerate(trainer.parts):
        if part.feedback and part.learns:
            latents = trainer.latents(number).astype(np.int64)
            found.feedback[names[part.number]] = latents
    return found


def test_first_feedback_weights_follow_those_of_the_way_forward() -> None:
    plain = layered((6, 5, 4), WeightFormat.INT8, (4, 4))
    blank = np.zeros((5, 4), np.int8)
    for is_learned in (False, True):
        first, second = plain.couplings
        own = replace(second, own_feedback=OwnFeedback(blank, is_learned))
        rule = Rule(initial_reach=6000)
        trainer = Trainer(replace(plain, couplings=(first, own)), rule, seed=3)
        symmetric = Trainer(plain, rule, seed=3)
        assert np.array_equal(trainer.latents(0), symmetric.latents(0))
        assert np.array_equal(trainer.latents(1), symmetric.latents(1))
        assert trainer.latents(2).shape == (4, 5)
        assert trainer.latents(2).any()
        found = trainer.network().couplings[1].own_feedback
        assert found is not None
        assert found.learned == is_learned
        assert np.array_equal(found.weight, weights_of(trainer.latents(2), 0).T)
        going_on = Trainer.from_network(trainer.network(), rule, seed=4)
        kept = going_on.network().couplings[1].own_feedback
        assert kept is not None
        assert np.array_equal(kept.weight, found.weight)


@settings(max_examples=20, deadline=None)
@given(case=own_feedback_cases())
def test_files_and_checkpoints_keep_it(
    tmp_path_factory: pytest.TempPathFactory, case: Case
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    save(case.network, folder / "n.safetensors")
    again = load(folder / "n.safetensors")
    assert again.sha256 == case.network.sha256
    assert [c.describe() for c in again.couplings] == [c.describe() for c in case.network.couplings]
    trainer = Trainer(case.network, Rule(shift=2, theta=300, initial_reach=900), seed=2)
    checkpoint.save(trainer, folder / "t.safetensors", {})
    resumed, _ = checkpoint.load(folder / "t.safetensors")
    for one in (trainer, resumed):
        one.learn(case.inputs, case.labels, np.arange(len(case.inputs)))
    assert resumed.network().sha256 == trainer.network().sha256
    assert resumed.random_state == trainer.random_state


def test_the_hash_and_the_version_know_it() -> None:
    plain = layered((3, 2, 2), WeightFormat.TERNARY, (1, 1))
    first, second = plain.couplings
    hashes = {plain.sha256}
    for weight in (np.zeros((2, 2), np.int8), np.ones((2, 2), np.int8)):
        for is_learned in (False, True):
            own = replace(second, own_feedback=OwnFeedback(weight, is_learned))
            network = replace(plain, couplings=(first, own))
            hashes.add(network.sha256)
            assert header(network)["version"] == 2
            assert network.synapses == plain.synapses + 4
    assert len(hashes) == 5
    stated = header(network)
    with pytest.raises(
        NetworkFileError, match="'hidden-output': feedback must be in a file of ver"
    ):
        from_header({**stated, "version": 1}, network.tensors())
    tensors = network.tensors()
    del tensors["hidden-output.feedback"]
    with pytest.raises(NetworkFileError, match=r"tensor 'hidden-output.feedback' must be there"):
        from_header(stated, tensors)


def test_what_cannot_be_is_refused_in_a_line() -> None:
    plain = layered((3, 2, 2), WeightFormat.TERNARY, (1, 1), loop_fraction_bits=1)
    wrong = {
        0: (OwnFeedback(np.zeros((3, 2), np.int8)), "'input-hidden': must have no feedback of its"),
        2: (OwnFeedback(np.zeros((2, 2), np.int8)), "'hidden-hidden': must have no feedback of it"),
        1: (
            OwnFeedback(np.zeros((2, 3), np.int8)),
            r"feedback must have shape \(2, 2\), not \(2, 3",
        ),
    }
    for index, (own, said) in wrong.items():
        couplings = list(plain.couplings)
        couplings[index] = replace(couplings[index], own_feedback=own)
        with pytest.raises(NetworkError, match=said):
            replace(plain, couplings=tuple(couplings))
    second = replace(plain.couplings[1], own_feedback=OwnFeedback(np.full((2, 2), 2, np.int8)))
    with pytest.raises(NetworkError, match=r"ternary weights must be in -1..1, found 2"):
        replace(plain, couplings=(plain.couplings[0], second, plain.couplings[2]))
    conv = random_convolution(np.random.default_rng(1), pre="h", post="y")
    own = OwnFeedback(np.zeros_like(conv.weight), learned=True)
    populations = (
        Population("x", 1, Role.INPUT, 1),
        Population("h", conv.shape[0], Role.HIDDEN, 4),
        Population("y", conv.shape[1], Role.OUTPUT, 4),
    )
    with pytest.raises(
        NetworkError, match="must be dense for feedback that learns, found kind 'co"
    ):
        Network(populations, (replace(conv, own_feedback=own),), {})
    with pytest.raises(InputError, match="'h-y': feedback must be symmetric for an energy"):
        doubled_energy(rotating(), [[0]], sim.free_phase(rotating(), [[0]]).states)


def test_a_clamped_readout_keeps_its_energy_under_feedback_of_its_own() -> None:
    from toreq_hw.network import ClampedReadout

    plain = layered((4, 5, 3), WeightFormat.INT8, (5, 5), readout=ClampedReadout((4, 1)))
    rng = np.random.default_rng(5)
    weights = [rng.integers(-127, 128, c.shape, dtype=np.int8) for c in plain.couplings]
    first, second = (c.with_parameters(w) for c, w in zip(plain.couplings, weights, strict=True))
    own = OwnFeedback(rng.integers(-127, 128, second.shape, dtype=np.int8))
    network = replace(plain, couplings=(first, replace(second, own_feedback=own)))
    assert network.has_energy
    assert network.sweep.always_settles
    inputs, labels = rng.integers(0, 256, (6, 4)), rng.integers(0, 3, 6)
    free = sim.free_phase(network, inputs)
    for sign in (1, -1):
        runs = [
            sim.nudged_phase(network, inputs, free, labels, sign, engine=e, trace=True)
            for e in sim.EngineName
        ]
        assert all(sim.first_difference(runs[0], one) is None for one in runs[1:])
        assert runs[0].unsettled == 0
        trace = runs[0].trace
        assert trace is not None
        for sample in range(6):
            states = trace.states(sample)
            ticks = len(states["hidden"])
            rows = np.repeat(inputs[sample : sample + 1], ticks, axis=0)
            energy = doubled_energy(network, rows, states)
            for (before, after), (old, new) in zip(
                pairwise(energy), pairwise(states["hidden"]), strict=True
            ):
                assert after < before if (old != new).any() else after == before


def test_feedback_of_its_own_on_a_path(tmp_path: Path) -> None:
    network = rotating()
    save(network, tmp_path / "n.safetensors")
    own = load(tmp_path / "n.safetensors").couplings[1].own_feedback
    assert own is not None
    assert own.weight.tolist() == [[-1]]
    assert not own.weight.flags.writeable
