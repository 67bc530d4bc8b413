"""Networks that mix dense couplings, convolutions and sparse ones, in the simulator."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case
from testbench.sim.test_learning import latents_of, learn_by_reference
from testbench.structured import dense_equivalent, random_convolution, structured_cases
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.network import (
    ConvolutionCoupling,
    DenseCoupling,
    Network,
    Population,
    Role,
    SparseCoupling,
    WeightFormat,
)
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.reference import Latents, biases_of, update

LIMIT = 200
"""Of sweeps; none of these networks comes near it."""


@settings(max_examples=25, deadline=None)
@given(case=structured_cases())
def test_engines_agree_on_every_tick_and_the_energy_falls(case: Case) -> None:
    net, dense = case.network, dense_equivalent(case.network)
    expected = sim.relax(net, case.inputs, engine="reference", trace=True, max_sweeps=LIMIT)
    of_dense = sim.relax(dense, case.inputs, engine="reference", trace=True, max_sweeps=LIMIT)
    assert sim.first_difference(replace(of_dense, synops=expected.synops), expected) is None
    for engine in sim.EngineName:
        found = sim.relax(net, case.inputs, engine=engine, trace=True, max_sweeps=LIMIT)
        assert sim.first_difference(expected, found) is None
    for sign in (1, -1):
        nudged = [
            sim.nudged_phase(n, case.inputs, free, case.labels, sign, engine=engine, trace=True)
            for n, free, engine in (
                (dense, of_dense, "reference"),
                *((net, expected, e) for e in sim.EngineName),
            )
        ]
        nudged[0] = replace(nudged[0], synops=nudged[1].synops)
        assert all(sim.first_difference(nudged[0], one) is None for one in nudged[1:])
    assert net.sweep.always_settles
    assert expected.unsettled == 0
    again = sim.relax(net, case.inputs, states=expected.states)
    assert again.events.sum() == 0
    assert expected.trace is not None
    for sample, inputs in enumerate(case.inputs):
        states = expected.trace.states(sample)
        rows = np.concatenate(list(states.values()), axis=1)
        energy = doubled_energy(net, np.repeat(inputs[None], len(rows), axis=0), states)
        changed = (rows[1:] != rows[:-1]).any(axis=1)
        assert np.all(np.diff(energy)[changed] < 0)
        assert np.all(np.diff(energy)[~changed] == 0)


@settings(max_examples=25, deadline=None)
@given(case=structured_cases())
def test_learning_is_that_of_the_plain_reference(case: Case) -> None:
    net = replace(case.network, biases={})
    trainer = Trainer(net, RULE, seed=3)
    latents = latents_of(trainer)
    shifts = {c.name: RULE.shift for c in net.couplings}
    for sample in [0, 1, 2] * 2:
        learn_by_reference(trainer.network(), latents, case, sample, shifts, RULE.bias_shift)
        trainer.learn(case.inputs, case.labels, np.array([sample]))
        found = latents_of(trainer)
        assert found.random_state == latents.random_state
        for mine, other in ((found.weight, latents.weight), (found.bias, latents.bias)):
            assert all(np.array_equal(mine[name], other[name]) for name in mine)
    for name, bias in biases_of(latents).items():
        assert np.array_equal(trainer.network().tensors()[f"{name}.bias"], bias)


RULE = Rule(shift=3, bias_shift=4, theta=900, initial_reach=4000)


def test_a_shared_weight_by_hand() -> None:
    """The example of docs/numerics.md, section 7."""
    net = Network(
        (Population("input", 3, Role.INPUT), Population("output", 2, Role.OUTPUT)),
        (
            ConvolutionCoupling(
                "input",
                "output",
                np.zeros((2, 1, 1), np.int8),
                3,
                WeightFormat.INT8,
                input_shape=(3, 1),
            ),
        ),
        {},
    )
    latents = Latents(
        {"input-output": np.zeros((2, 1, 1), np.int64)}, {"output": np.zeros(2, np.int64)}, 1
    )
    positive, negative = ({"output": np.array(s)} for s in ([5, 6], [4, 4]))
    update(
        net, latents, np.array([1, 2, 3]), positive, negative, {"input-output": 2}, {"output": 7}
    )
    assert latents.weight["input-output"].ravel().tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(6))
def test_a_shared_gradient_is_the_sum_over_places(seed: int) -> None:
    """With k = 0 nothing is rounded: the step of a parameter is the sum of its edges' steps."""
    rng = np.random.default_rng(seed)
    shared = random_convolution(rng, pre="input", post="output")
    pre, post, parameter = shared.edges()
    unrolled = SparseCoupling.of_pairs(
        "input",
        "output",
        (pre, post),
        shared.shape,
        fraction_bits=shared.fraction_bits,
        weight_format=shared.weight_format,
    )
    populations = (
        Population("input", shared.shape[0], Role.INPUT, 3),
        Population("output", shared.shape[1], Role.OUTPUT, 3),
    )
    x = rng.integers(0, 8, shared.shape[0])
    positive, negative = ({"output": rng.integers(0, 8, shared.shape[1])} for _ in range(2))
    found = []
    for coupling in (shared, unrolled):
        net = Network(populations, (coupling,), {})
        latents = Latents(
            {coupling.name: np.zeros(coupling.parameters.shape, np.int64)},
            {"output": np.zeros(shared.shape[1], np.int64)},
            1,
        )
        update(net, latents, x, positive, negative, {coupling.name: 0}, {"output": 7})
        found.append(latents.weight[coupling.name].ravel())
    order = np.lexsort((post, pre))
    summed = np.zeros(shared.parameters.size, np.int64)
    np.add.at(summed, parameter[order], found[1])
    assert np.array_equal(found[0], summed)


@pytest.mark.parametrize("weight_format", WeightFormat)
def test_a_sparse_coupling_of_all_pairs_learns_as_a_dense_one(weight_format: WeightFormat) -> None:
    rng = np.random.default_rng(4)
    sizes = {"input": 7, "hidden": 6, "output": 3}
    roles = {"input": Role.INPUT, "output": Role.OUTPUT}
    populations = tuple(Population(n, s, roles.get(n, Role.HIDDEN)) for n, s in sizes.items())
    ends = (("input", "hidden"), ("hidden", "output"))
    dense = tuple(
        DenseCoupling(a, b, np.zeros((sizes[a], sizes[b]), np.int8), 4, weight_format)
        for a, b in ends
    )
    sparse = tuple(
        SparseCoupling.of_pairs(
            c.pre,
            c.post,
            np.nonzero(np.ones(c.shape)),
            c.shape,
            fraction_bits=4,
            weight_format=weight_format,
        )
        for c in dense
    )
    trainers = [Trainer(Network(populations, c, {}), RULE, seed=2) for c in (dense, sparse)]
    inputs, labels = rng.integers(0, 256, (9, 7)).astype(np.int16), rng.integers(0, 3, 9)
    for trainer in trainers:
        trainer.learn(inputs, labels, np.tile(np.arange(9), 6))
    first, second = trainers
    assert np.array_equal(first.synapses.latent, second.synapses.latent)
    assert first.random_state == second.random_state
    assert first.network().sha256 == second.network().lowered.sha256
    assert np.any(first.synapses.latent != Trainer(first.blueprint, RULE, seed=2).synapses.latent)
