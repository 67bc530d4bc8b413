"""What hurts most: which input line, which hidden neuron, which bit of which coupling's words."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.network import Network, WeightFormat, check_labels
from toreq_hw.records.critical import BitDamage
from toreq_hw.sim.event import EventEngine
from toreq_hw.sim.perturbation import WeightBitFlip
from toreq_hw.sim.perturbation.reprogram import with_weights
from toreq_hw.sim.phases import relax

Inputs = npt.NDArray[np.int16]
Labels = npt.NDArray[np.int64]


@named_type_errors
def bit_damage(
    network: Network, inputs: Inputs, labels: Labels, *, rate: float, trials: int, seed: int
) -> list[BitDamage]:
    """Every bit of every coupling in turn, highest bits last.

    inputs: int16 (samples, input.size); labels: int64 (samples,).
    """
    found = []
    for coupling in network.couplings:
        for bit in range(8 if coupling.weight_format is WeightFormat.INT8 else 2):
            layers = [
                WeightBitFlip(rate, seed + k, place=coupling.name, bit=bit) for k in range(trials)
            ]
            values = [_accuracy(layer.program(network), inputs, labels) for layer in layers]
            found.append(BitDamage(coupling.name, bit, rate, trials, float(np.mean(values))))
    return found


@named_type_errors
def critical_weights(
    network: Network, inputs: Inputs, labels: Labels, watch: Callable[[], None] = lambda: None
) -> npt.NDArray[np.float64]:
    """Points of margin lost per image when all weights of one input line change sign.

    The mean fall of (right output - best wrong one) over the output range, in per cent, shape
    (input.size,): accuracy alone would be zero almost everywhere.
    """
    first = network.out_of(network.input.name)[0].dense
    clean = _margin(network, inputs, labels)
    lost = np.zeros(network.input.size)
    for line in range(network.input.size):
        if inputs[:, line].any():
            weight = first.weight.copy()
            weight[line] *= -1
            turned = with_weights(network.lowered, {first.name: weight})
            lost[line] = clean - _margin(turned, inputs, labels)
        watch()
    return lost


def _accuracy(network: Network, inputs: Inputs, labels: Labels) -> float:
    result = relax(network, inputs, engine=EventEngine(network, threads=1))
    return float(np.mean(result.classes == check_labels(network.output, labels, len(inputs))))


def _margin(network: Network, inputs: Inputs, labels: Labels) -> float:
    output = network.output
    labels = check_labels(output, labels, len(inputs))
    result = relax(network, inputs, engine=EventEngine(network, threads=1))
    states = result.states[output.name].astype(np.float64)
    right = states[np.arange(len(labels)), labels]
    states[np.arange(len(labels)), labels] = -np.inf
    state_range = output.state_max - output.state_min
    return float(100 * np.mean(right - states.max(axis=1)) / state_range)
