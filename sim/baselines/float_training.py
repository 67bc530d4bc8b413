"""Float EqProp trained on the same data: the accuracy that integer learning is held against."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import check_epochs, named_type_errors
from toreq_hw.network import Network, check_labels
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork, Floats

_BATCH = 20


@named_type_errors
def train_float(
    shape: Network,
    inputs: Floats,
    labels: npt.NDArray[np.int64],
    *,
    epochs: int,
    seed: int,
    rate: float = 0.4,
    beta: float = 0.5,
    watch: Callable[[int], None] = lambda _: None,
) -> FloatNetwork:
    """Mini-batch gradient descent with EqProp's own gradients on a network of `shape`.

    inputs: (samples, input.size) in [0, 1]; labels: (samples,). The rate falls linearly to a
    tenth. watch: called with the samples of each batch. Raises InputError.
    """
    check_epochs(epochs)
    net = FloatNetwork(shape, seed, scale=0.5)
    inputs = net.check_inputs(inputs)
    classes = check_labels(shape.output, labels, len(inputs))
    rng = np.random.default_rng(seed)
    target = np.eye(shape.output.size)[classes]
    for epoch in range(epochs):
        order = rng.permutation(len(inputs))
        step = rate * (1 - 0.9 * epoch / epochs)
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            gradient, _ = net.gradient(
                inputs[batch], target[batch], beta, tolerance=1e-3, max_sweeps=40
            )
            net.descend(gradient, step)
            watch(len(batch))
    return net


@named_type_errors
def float_accuracy(net: FloatNetwork, inputs: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Fraction of samples whose largest output is the label. Raises InputError.

    inputs: (batch, n_input); labels: (batch,).
    """
    outputs = net.outputs(net.relax(inputs))
    classes = check_labels(net.shape.output, labels, len(outputs))
    return float(np.mean(outputs.argmax(axis=1) == classes))
