"""Float EqProp's gradient is the gradient, for every coupling, recurrent ones included."""

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork, Floats, Gradient
from toreq_hw.sim.baselines.float_training import float_accuracy, train_float

pytestmark = pytest.mark.float_sums

SHAPES = {
    "one hidden layer": layered((64, 24, 10), WeightFormat.INT8, (0, 0)),
    "three hidden layers": layered((64, 24, 16, 12, 10), WeightFormat.INT8, (0, 0, 0, 0)),
    "looped": layered((64, 24, 10), WeightFormat.INT8, (0, 0), loop_fraction_bits=0),
    "looped, synchronous": layered(
        (64, 24, 10),
        WeightFormat.INT8,
        (0, 0),
        loop_fraction_bits=0,
        schedule=Schedule.SYNCHRONOUS,
    ),
    "looped, signed": layered(
        (64, 24, 10), WeightFormat.INT8, (0, 0), loop_fraction_bits=0, signed=True
    ),
}
TIGHT = {"tolerance": 1e-13, "max_sweeps": 5000}


def images(count: int) -> tuple[Floats, Floats]:
    digits = data.load("digits").train
    return digits.images[:count] / 16, np.eye(10)[digits.labels[:count]]


def started(shape: Network) -> FloatNetwork:
    net = FloatNetwork(shape, seed=1, scale=0.5)
    for name in net.biases:
        net.biases[name] += 0.2  # keeps neurons inside their range, where gradients flow
    return net


def cosine(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("name", SHAPES)
def test_cosine_with_the_exact_gradient(name: str) -> None:
    net = started(SHAPES[name])
    inputs, target = images(40)
    estimate, free = net.gradient(inputs, target, beta=1e-3, **TIGHT)  # type: ignore[arg-type]
    exact = net.exact_gradient(inputs, target, free)
    for coupling in net.shape.couplings:
        found, wanted = estimate.weights[coupling.name], exact.weights[coupling.name]
        assert cosine(found, wanted) > 0.999, coupling.name
        assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(wanted), rel=0.01)
    for population in net.shape.relaxing:
        pair = estimate.biases[population.name], exact.biases[population.name]
        assert cosine(*pair) > 0.999, population.name


@pytest.mark.parametrize("name", ["three hidden layers", "looped", "looped, signed"])
def test_exact_gradient_is_that_of_finite_differences(name: str) -> None:
    net = started(SHAPES[name])
    inputs, target = images(6)

    def loss() -> float:
        outputs = net.outputs(net.relax(inputs, **TIGHT))  # type: ignore[arg-type]
        return float(((outputs - target) ** 2).sum() / 2 / len(inputs))

    exact = net.exact_gradient(inputs, target, net.relax(inputs, **TIGHT))  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    for coupling in net.shape.couplings:
        weight = net.weights[coupling.name]
        gradient = exact.weights[coupling.name]
        largest = np.argsort(-np.abs(gradient), axis=None)[:40]
        for index in rng.choice(largest, 4, replace=False):
            i, j = np.unravel_index(index, weight.shape)
            ends = {(i, j), (j, i)} if coupling.is_self_coupling else {(i, j)}
            losses = []
            for step in (1e-5, -1e-5):
                for end in ends:
                    weight[end] += step
                losses.append(loss())
                for end in ends:
                    weight[end] -= step
            difference = (losses[0] - losses[1]) / 2e-5
            assert difference == pytest.approx(gradient[i, j], rel=1e-3, abs=1e-9)


def test_forgetting_one_direction_would_show() -> None:
    """The control: a one-sided product, the usual mistake for recurrent couplings, fails."""
    net = started(SHAPES["looped"])
    inputs, target = images(40)
    _, free = net.gradient(inputs, target, beta=1e-3, **TIGHT)  # type: ignore[arg-type]
    exact: Gradient = net.exact_gradient(inputs, target, free)
    hidden = free[:, net.layout.of(net.shape.population("hidden"))]
    one_sided = hidden.T @ hidden
    assert cosine(one_sided, exact.weights["hidden-hidden"]) < 0.9


def test_float_training_learns_digits() -> None:
    digits = data.load("digits")
    shape = layered((64, 32, 10), WeightFormat.TERNARY, (0, 0))
    net = train_float(shape, digits.train.images / 16, digits.train.labels, epochs=6, seed=1)
    assert float_accuracy(net, digits.test.images / 16, digits.test.labels) > 0.85
