"""Runs are the edges of a coupling, and are walked exactly whatever their lengths."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from testbench.structured import convolutional, drawn_weights
from toreq_hw import sim
from toreq_hw.contract.learning import BIAS_GUARD_BITS
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.network.couplings import Coupling, SparseCoupling
from toreq_hw.network.couplings.runs import Runs, joined, runs_of
from toreq_hw.sim.learning import Rule, Trainer, reference, shared
from toreq_hw.sim.plan import compile_plan

TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8

CHANNELS = [(16, 32), (32, 16), (8, 48), (24, 7), (3, 40), (1, 1)]
"""Of two convolutions, one of which may be pooled: runs of 16, of a multiple, of 8 and a rest, of
fewer, of one."""


def looped(seed: int, kind: WeightFormat) -> Network:
    """A hidden population that couples to some of itself."""
    rng = np.random.default_rng(seed)
    most, f = (25, 7) if kind is INT8 else (1, 4)
    pairs = np.argwhere(np.triu(rng.random((20, 20)) < 0.3, 1))
    loop = SparseCoupling.of_pairs(
        "hidden",
        "hidden",
        (pairs[:, 0], pairs[:, 1]),
        (20, 20),
        weight=drawn_weights(rng, kind, (len(pairs),), most),
        fraction_bits=f,
        weight_format=kind,
    )
    populations = (
        Population("input", 6, Role.INPUT, 4),
        Population("hidden", 20, Role.HIDDEN, 5),
        Population("output", 4, Role.OUTPUT, 5),
    )
    couplings = (
        DenseCoupling("input", "hidden", drawn_weights(rng, kind, (6, 20), most), f, kind),
        loop,
        DenseCoupling("hidden", "output", drawn_weights(rng, kind, (20, 4), most), f, kind),
    )
    return Network(populations, couplings, {}, Schedule.SEQUENTIAL)


def samples(network: Network, count: int, seed: int) -> npt.NDArray[np.int16]:
    rng = np.random.default_rng(seed)
    shape = (count, network.input.size)
    return (rng.integers(0, 16, shape) * (rng.random(shape) < 0.5)).astype(np.int16)


def edges_of(runs: Runs) -> set[tuple[int, int, int]]:
    """Source, target and place of every edge that runs hold."""
    found = set()
    for source in range(len(runs.first) - 1):
        for run in range(runs.first[source], runs.first[source + 1]):
            for k in range(runs.length[run]):
                edge = source, int(runs.target[run]) + k, int(runs.place[run]) + k
                assert edge not in found
                found.add(edge)
    return found


@pytest.mark.parametrize("network", [convolutional(1, (3, 5), INT8), looped(2, INT8)])
def test_runs_are_the_edges_both_ways(network: Network) -> None:
    for coupling in network.couplings:
        pre, post, parameter = (part.tolist() for part in coupling.edges())
        forward = edges_of(coupling.runs(backward=False))
        assert forward == set(zip(pre, post, parameter, strict=True))
        place = np.argsort(coupling.backward_order())[parameter].tolist()
        assert edges_of(coupling.runs(backward=True)) == set(zip(post, pre, place, strict=True))
        for backward in (False, True):
            runs = coupling.runs(backward=backward)
            walked = np.add.reduceat(np.append(runs.length, 0), runs.first[:-1])
            walked[np.diff(runs.first) == 0] = 0
            if not coupling.is_self_coupling:
                assert walked.tolist() == coupling.degrees(backward=backward).tolist()


def test_a_convolutions_runs_are_as_long_as_its_channels() -> None:
    first, second, _ = convolutional(3, (3, 5), TERNARY).couplings
    lengths = [c.runs(backward=b).common_length for c in (first, second) for b in (False, True)]
    assert lengths == [3, 1, 5, 3]


def test_a_run_ends_where_a_row_does() -> None:
    source, target = np.zeros(6, dtype=np.intp), np.arange(6)
    assert runs_of(source, target, target, sources=1).length.tolist() == [6]
    broken = runs_of(source, target, target, sources=1, breaks=np.array([0, 4]))
    assert broken.length.tolist() == [4, 2]
    both = joined(broken, broken.moved(10))
    assert (both.place.tolist(), both.first.tolist()) == ([0, 4, 10, 14], [0, 4])


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("kind", WeightFormat)
@pytest.mark.parametrize("channels", CHANNELS)
def test_engines_agree_whatever_the_length_of_runs(
    channels: tuple[int, int], kind: WeightFormat, pooled: bool
) -> None:
    check_engines(convolutional(4, channels, kind, pooled=pooled))


@pytest.mark.parametrize("kind", WeightFormat)
def test_engines_agree_on_a_sparse_loop(kind: WeightFormat) -> None:
    check_engines(looped(5, kind))


def check_engines(network: Network) -> None:
    inputs = samples(network, 3, 6)
    results = [sim.relax(network, inputs, engine=e, trace=True) for e in sim.EngineName]
    assert [sim.first_difference(results[0], found) for found in results] == [None] * 3
    assert results[0].events.max() > 0
    whole = sim.relax(network.lowered, inputs, engine="reference", trace=True)
    costs = {"synops": whole.synops, "dense_synops": whole.dense_synops}
    assert sim.first_difference(whole, replace(results[0], **costs)) is None
    assert np.all(results[0].synops < whole.synops)


def test_a_synop_is_a_kernel_weight_at_one_position() -> None:
    network = convolutional(7, (2, 3), INT8)
    first, second, _ = network.couplings
    corner, inside = first.degrees(backward=False)[[0, 9]]
    assert (corner, inside) == (2, 4 * 2)
    assert second.degrees(backward=True).tolist() == [4 * 2] * 12 * 3
    inputs = np.zeros((1, 72), dtype=np.int16)
    inputs[0, [0, 9]] = 1
    still = replace(network, biases={"one": np.full(2, -(1 << 20), np.int32)})
    assert sim.free_phase(still, inputs).synops.tolist() == [corner + inside]


@pytest.mark.parametrize("kind", WeightFormat)
@pytest.mark.parametrize("network", ["conv", "narrow", "pooled", "loop"])
def test_learning_is_that_of_the_reference(network: str, kind: WeightFormat) -> None:
    channels = CHANNELS[0] if network == "conv" else CHANNELS[3]
    pooled = network == "pooled"
    net = convolutional(8, channels, kind, pooled=pooled)
    net = looped(8, kind) if network == "loop" else net
    rule = Rule(shift=1, bias_shift=5, theta=900, initial_reach=4000, bias_shifts={"output": 2})
    trainer = Trainer(net, rule, seed=3)
    latents = reference.Latents(
        {c.name: trainer.latents(k).astype(np.int64) for k, c in enumerate(net.couplings)},
        {p.name: np.zeros(p.biases, dtype=np.int64) for p in net.relaxing},
        int(trainer.random_state),
    )
    inputs, labels = samples(net, 6, 9), np.arange(6) % 4
    start = trainer.network()
    for sample in range(6):
        now, x, y = trainer.network(), inputs[sample : sample + 1], labels[sample : sample + 1]
        free = sim.free_phase(now, x)
        plus, minus = (
            {n: s[0] for n, s in sim.nudged_phase(now, x, free, y, sign).states.items()}
            for sign in (1, -1)
        )
        shifts = {c.name: rule.shift for c in net.couplings}
        bias_shifts = {p.name: rule.bias_shift_of(p.name, 0) for p in net.relaxing}
        reference.update(net, latents, x[0], plus, minus, shifts, bias_shifts)
        trainer.learn(inputs, labels, np.array([sample]))
        assert int(trainer.random_state) == latents.random_state
        for k, coupling in enumerate(net.couplings):
            assert np.array_equal(trainer.latents(k), latents.weight[coupling.name])
        learned = trainer.network()
        for population in net.relaxing:
            bias = latents.bias[population.name] >> BIAS_GUARD_BITS
            assert np.array_equal(learned.biases[population.name][: population.biases], bias)
    changes = [np.count_nonzero(a.parameters != b.parameters) for a, b in pairs(start, learned)]
    assert sum(changes) > 0


def pairs(first: Network, second: Network) -> list[tuple[Coupling, Coupling]]:
    return list(zip(first.couplings, second.couplings, strict=True))


def test_a_trainer_programs_every_place_of_a_weight() -> None:
    for net in (
        convolutional(10, (3, 16), INT8),
        convolutional(10, (3, 16), INT8, pooled=True),
        looped(11, TERNARY),
    ):
        trainer = Trainer(net, Rule(), seed=1)
        trainer.learn(samples(net, 4, 12), np.arange(4), np.arange(4))
        assert np.array_equal(trainer._plan.weights, compile_plan(trainer.network()).weights)


def test_a_memory_that_can_be_damaged_is_written_a_row_at_a_time() -> None:
    class OnCells(Trainer):
        runs_lowered = True

    net = convolutional(15, (3, 16), INT8)
    trainer = OnCells(net, Rule(shift=2, initial_reach=2000), seed=1)
    shared = trainer.synapses.shared
    trainer._plan.weights[shared.places] += 1
    before = trainer.network()
    trainer.learn(samples(net, 6, 16), np.arange(6) % 4, np.arange(6))
    now = compile_plan(trainer.network().lowered).weights
    for k, (old, new) in enumerate(pairs(before, trainer.network())[:2]):
        weights = (one.parameters.reshape(-1, one.parameters.shape[-1]) for one in (old, new))
        rows = np.flatnonzero(np.any(np.not_equal(*weights), axis=1))
        columns, entry = new.parameters.shape[-1], shared.place_entry[k]
        assert len(rows)
        for row in rows:
            first, last = entry + row * columns, entry + (row + 1) * columns
            places = shared.places[shared.place_first[first] : shared.place_first[last]]
            assert np.array_equal(trainer._plan.weights[places], now[places])


def test_gradients_that_could_leave_32_bits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    net = convolutional(13, (2, 2), INT8)
    worst = 12 * 31 * 31
    monkeypatch.setattr(shared, "GRADIENT_LIMIT", worst - 1)
    with pytest.raises(InputError, match=f"'one-two': the gradient .* worst case is {worst} "):
        Trainer(net, Rule(), seed=1)
    monkeypatch.setattr(shared, "GRADIENT_LIMIT", worst)
    Trainer(net, Rule(), seed=1)


def test_rates_of_biases_name_populations() -> None:
    net = convolutional(14, (2, 2), INT8)
    with pytest.raises(InputError, match=r"bias_shifts must name populations \(one, two, output\)"):
        Trainer(net, Rule(bias_shifts={"input": 3}), seed=1)
