"""Networks small enough to follow by hand."""

import numpy as np

from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat


def chain(*weights: int) -> Network:
    """x - h1 - .. - y, one neuron each; 8-bit unsigned states, INT8 weights, F = 0, no bias."""
    names = ["x", *(f"h{k}" for k in range(1, len(weights))), "y"]
    roles = [Role.INPUT, *([Role.HIDDEN] * (len(weights) - 1)), Role.OUTPUT]
    return Network(
        populations=tuple(Population(n, 1, r, 8) for n, r in zip(names, roles, strict=True)),
        couplings=tuple(
            DenseCoupling(pre, post, np.array([[w]], np.int8), 0, WeightFormat.INT8)
            for pre, post, w in zip(names, names[1:], weights, strict=False)
        ),
        biases={},
        schedule=Schedule.PARITY,
    )
