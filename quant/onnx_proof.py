"""Proves that an imported network is what the graph computes, layer by layer, feedback left out.

The graph runs in onnxruntime (QONNX's nodes in QONNX's code) on random inputs and on the ends of
the input's range. Of every layer three things are compared, on the states that the graph itself
has before it:

1. the sums as they were read, in float64, with the graph's: within the error that float32 may make;
2. the states that the quantiser as it was read makes of the graph's sums, with the graph's states;
3. the network's integers with the graph's states. They may differ by one where a rounding boundary
   lies on the exact sum (a tie) or between it and the graph's float sum; and where weights had to
   be rounded to INT8, by what the rounded weights and bias add up to.

Any other difference is an error.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx

from toreq_hw.contract.arithmetic import to_state
from toreq_hw.errors import NetworkFileError
from toreq_hw.memory import check_memory
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.onnx_chain import Chain
from toreq_hw.quant.onnx_mlp import NOISE, QuantisedMlp, sums_in_lsbs
from toreq_hw.quant.onnx_reference import graph_values
from toreq_hw.quant.onnx_states import StateFormat

RANDOM_INPUTS = 256

_SEED = 20_26
_UNIT = 2.0**-24
"""Largest relative error of one float32 operation."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """What the comparison of one layer found.

    states: how many were compared. ties: of them, those that differ by one at a rounding boundary.
    moved: those that differ because weights were rounded; largest: by how much at most. lowest:
    those at the graph's lowest integer, which no population has: the network holds the next one.
    """

    states: int
    ties: int
    moved: int
    largest: int
    lowest: int


@np.errstate(all="ignore")
def prove(model: onnx.ModelProto, chain: Chain, mlp: QuantisedMlp) -> tuple[Compared, ...]:
    """Compares each layer. Raises NetworkFileError naming the node at the first difference."""
    values = _values(model, chain, mlp)
    found = []
    states = _states(values, mlp.formats[0])
    if not np.array_equal(_quantise(values[mlp.formats[0].real], mlp.formats[0]), states):
        raise _difference(mlp.formats[0].node.label, "input states")
    for index, layer in enumerate(mlp.layers):
        after = mlp.formats[index + 1]
        stated = mlp.stated or index + 1 < len(mlp.layers)
        sums = _Sums(
            _check_sums(values, mlp, index, states),
            values[layer.sums],
            NOISE * layer.magnitude / after.scale,
        )
        wanted = _quantise(values[layer.sums], after)
        if stated:
            given = _states(values, after)
            if not np.array_equal(wanted, given):
                raise _difference(after.node.label, "states")
            wanted = given
        found.append(_compare(mlp, index, states, sums, wanted))
        states = wanted
    return tuple(found)


def _values(model: onnx.ModelProto, chain: Chain, mlp: QuantisedMlp) -> dict[str, Reals]:
    """What the graph computes of each layer's sums and states, (samples, n) each."""
    first = mlp.formats[0]
    formats = mlp.formats if mlp.stated else mlp.formats[:-1]
    wanted = [*(f.value for f in formats), *(layer.sums for layer in mlp.layers)]
    inputs = _inputs(chain, first, len(mlp.layers[0].weight))
    widest = sum(len(layer.bias) for layer in mlp.layers) + inputs.shape[1]
    check_memory(32 * inputs.shape[0] * widest, "comparison with the graph")
    real = [] if first.real == chain.input_name else [first.real]
    return graph_values(model, chain, inputs, [*wanted, *real])


def _inputs(chain: Chain, first: StateFormat, size: int) -> npt.NDArray[np.generic]:
    """Random inputs, beyond the input's range at times, and its ends; a multiple of the batch."""
    rng = np.random.default_rng(_SEED)
    low, high = first.low, first.high
    states = rng.integers(low, high + 1, (RANDOM_INPUTS, size)).astype(np.float64)
    states[::4] *= rng.random((len(states[::4]), size)) < 0.2
    ends = np.array([[low], [high], [0], [1], [max(low, -1)]], dtype=np.float64) + np.zeros(size)
    mixed = np.where(rng.random((32, size)) < 0.5, low, high)
    states = np.concatenate([states, ends, mixed])
    whole = chain.input_type != "FLOAT"
    if not whole:
        states[1::2] += rng.uniform(-0.45, 0.45, states[1::2].shape)
        states[3::16] *= 3
    missing = -len(states) % chain.batch
    states = np.concatenate([states, np.zeros((missing, size))])
    if whole:
        kind = onnx.TensorProto.DataType.Value(chain.input_type)
        return (states + first.stored_zero).astype(onnx.helper.tensor_dtype_to_np_dtype(kind))
    return (states * first.scale).astype(np.float32)


def _states(values: dict[str, Reals], states: StateFormat) -> Integers:
    """The graph's own integers, from values that are states times scale, or stored."""
    if values[states.value].dtype != np.float32:  # stored by a graph's last QuantizeLinear
        return values[states.value].astype(np.int64) - states.stored_zero
    steps = values[states.value].astype(np.float64) / states.scale
    found = np.round(steps)
    if not np.allclose(steps, found, rtol=1e-5, atol=1e-5):
        raise _difference(states.node.label, "states that are no multiples of their scale")
    return found.astype(np.int64)


def _quantise(real: Reals, states: StateFormat) -> Integers:
    """What the quantiser, as it was read, makes of the graph's float32 values."""
    if real.dtype != np.float32:
        return real.astype(np.int64) - states.stored_zero
    steps = states.rounding(real / np.float32(states.scale))
    return np.clip(steps, states.low, states.high).astype(np.int64)


def _check_sums(values: dict[str, Reals], mlp: QuantisedMlp, index: int, states: Integers) -> Reals:
    """The sums as they were read, in steps and bounded: the graph's, within float32's error."""
    layer, after = mlp.layers[index], mlp.formats[index + 1]
    exact = sums_in_lsbs(mlp, index, states)
    sizes = np.abs(states * mlp.formats[index].scale) @ np.abs(layer.weight) + layer.magnitude
    bound = 1.1 * (layer.operations + 8) * _UNIT * sizes / after.scale
    exact = np.clip(exact, layer.low / after.scale, layer.high / after.scale)
    error = np.abs(values[layer.sums].astype(np.float64) / after.scale - exact)
    if exact.shape != error.shape or not (error <= bound + 1e-12).all():
        raise _difference(layer.node.label, f"sums, by {np.max(error - bound):.3g} of a state")
    return exact


@dataclass(frozen=True)
class _Sums:
    """Of one layer: exact, in steps, and the graph's, real, (samples, n) each; snapped, in steps
    (n,): how far the network's bias may be from the graph's (see `onnx_mlp`).
    """

    exact: Reals
    graph: Reals
    snapped: Reals


def _compare(
    mlp: QuantisedMlp, index: int, states: Integers, sums: _Sums, wanted: Integers
) -> Compared:
    layer, after, fitted = mlp.layers[index], mlp.formats[index + 1], mlp.fits[index]
    got = _network_states(mlp, index, states)
    lowest = after.low + after.loses_lowest
    differs = got != np.maximum(wanted, lowest)
    ties = differs & _at_boundary(after, sums, got, wanted)
    moved = differs & ~ties
    largest = int(np.abs(got - np.maximum(wanted, lowest))[moved].max(initial=0))
    if moved.any() and fitted.exact:
        sample, neuron = (int(k) for k in np.argwhere(moved)[0])
        raise _difference(
            layer.node.label,
            f"state {wanted[sample, neuron]} where the network has {got[sample, neuron]}, "
            f"neuron {neuron} (sum {sums.exact[sample, neuron]:.9g})",
        )
    allowed = max(1, (after.high - after.low + 1) // 8)
    if largest > allowed:
        raise layer.node.error(
            f"weights must survive rounding to INT8 within {allowed} of "
            f"{after.high - after.low + 1} states, found a state that moves by {largest}"
        )
    return Compared(
        states=got.size,
        ties=int(ties.sum()),
        moved=int(moved.sum()),
        largest=largest,
        lowest=int((wanted < lowest).sum()),
    )


def _network_states(mlp: QuantisedMlp, index: int, states: Integers) -> Integers:
    """New states of the network (docs/numerics.md, section 3) with nothing flowing back."""
    projection = mlp.network.forward_projections[index]
    post = projection.target
    total = projection.apply(states) + mlp.network.biases[post.name]
    fraction_bits = mlp.network.accumulator_fraction_bits(post.name)
    return to_state(total, fraction_bits, post.state_min, post.state_max).astype(np.int64)


def _at_boundary(
    after: StateFormat, sums: _Sums, got: Integers, wanted: Integers
) -> npt.NDArray[np.bool_]:
    """Where two neighbouring states meet on the exact sum, or between it and the graph's.

    Rounded up or down, states meet at whole numbers, rounded to the nearest half-way between them.
    """
    upper = np.maximum(got, wanted)
    between = upper - 0.5
    if not after.rounding.nearest:
        between = upper if after.rounding.value == "FLOOR" else upper - 1
    graph = sums.graph.astype(np.float64) / after.scale
    tiny = 1e-9 + sums.snapped
    near = np.minimum(sums.exact, graph) - tiny <= between
    near &= between <= np.maximum(sums.exact, graph) + tiny
    return np.asarray(near & (np.abs(got - wanted) == 1))


def _difference(where: str, what: str) -> NetworkFileError:
    return NetworkFileError(
        f"node {where}: must compute what was read of it, found other {what}; "
        "the graph is not carried"
    )
