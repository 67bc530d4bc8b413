"""A plain quantised multilayer perceptron in ONNX, as Brevitas exports it, becomes a network.

What is understood: a chain from the one input to the one output of `Quant` / `IntQuant`
nodes (QONNX) or `QuantizeLinear`, `Clip`, `DequantizeLinear` (QCDQ), `Gemm` or `MatMul` with
constant weights, `Add` of a constant, `BatchNormalization`, `Relu`, and nodes that move no
values. It is a *starting* network: with states q of scale s on either side of a coupling,
the forward weight in states is W s_pre / s_post; what then also flows back, an MLP does not
have, so the states of the network are not those of the MLP.
"""

from dataclasses import dataclass, field

import numpy as np
import onnx

from toreq_hw.errors import NetworkFileError
from toreq_hw.network import Coupling, Network, Population, Role, WeightFormat
from toreq_hw.quant.fit import Fit, fit
from toreq_hw.quant.onnx_constants import (
    PASSIVE,
    Constants,
    NodeError,
    StateFormat,
    describe,
    quantiser_format,
)
from toreq_hw.quant.onnx_layers import Layer, add, linear, normalise


@dataclass(frozen=True)
class Carried:
    """How one coupling's weights were carried over.

    exact: the integers stand for the very weights; otherwise they were rounded to INT8.
    """

    coupling: str
    exact: bool
    sqnr_db: float | None
    clipped_fraction: float


def mlp_network(graph: onnx.GraphProto) -> tuple[Network, tuple[Carried, ...]]:
    """The starting network of a quantised MLP, and how each coupling was carried over.

    An output without a quantiser takes the format of the layer before it. Raises
    NetworkFileError naming the node that cannot be carried.
    """
    first, layers = _chain(graph)
    formats = [first]
    for layer in layers:
        formats.append(layer.states or formats[-1])
    hidden = len(layers) - 1
    names = ["input", *(f"hidden{k + 1}" if hidden > 1 else "hidden" for k in range(hidden))]
    sizes = [len(layers[0].weight), *(len(layer.bias) for layer in layers)]
    roles = [Role.INPUT, *[Role.HIDDEN] * hidden, Role.OUTPUT]
    populations = tuple(
        Population(name, size, role, states.bits, states.signed)
        for name, size, role, states in zip([*names, "output"], sizes, roles, formats, strict=True)
    )
    fits = [
        fit(layer.weight * (formats[k].scale / formats[k + 1].scale), WeightFormat.INT8)
        for k, layer in enumerate(layers)
    ]
    couplings = tuple(
        _coupling(populations[k], populations[k + 1], found) for k, found in enumerate(fits)
    )
    biases = {
        populations[k + 1].name: _bias(layer, formats[k + 1], fits[k : k + 2])
        for k, layer in enumerate(layers)
    }
    carried = tuple(
        Carried(c.name, f.exact, None if f.exact else f.sqnr_db, f.clipped_fraction)
        for c, f in zip(couplings, fits, strict=True)
    )
    return Network(populations, couplings, biases), carried


def _coupling(pre: Population, post: Population, found: Fit) -> Coupling:
    ternary = int(np.abs(found.weight).max(initial=0)) <= 1
    kind = WeightFormat.TERNARY if ternary else WeightFormat.INT8
    return Coupling(pre.name, post.name, found.weight, found.fraction_bits, kind)


def _bias(
    layer: Layer, states: StateFormat, fits: list[Fit]
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int32]]":
    fraction_bits = max(found.fraction_bits for found in fits)
    scaled = np.round(layer.bias / states.scale * 2.0**fraction_bits)
    if scaled.size and np.abs(scaled).max() >= 2**31:
        raise NodeError(layer.node, f"bias must fit 32 bits, found {np.abs(scaled).max():.3g}")
    return scaled.astype(np.int32)


def _chain(graph: onnx.GraphProto) -> tuple[StateFormat, list[Layer]]:
    """The input's format and the layers, by following the one value that depends on the input."""
    constants = Constants(graph)
    inputs = [i.name for i in graph.input if i.name not in constants.known]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise NetworkFileError(
            "a quantised MLP must have one input and one output, "
            f"found {len(inputs)} and {len(graph.output)}"
        )
    chain = _Chain(inputs[0], constants)
    for node in graph.node:
        if not constants.fold(node):
            chain.follow(node)
    if chain.first is None or not chain.layers:
        raise NetworkFileError("a quantised MLP must have a quantised input and a Gemm or MatMul")
    if chain.current != graph.output[0].name:
        raise NetworkFileError(f"output {graph.output[0].name!r:.80}: must end the chain")
    return chain.first, chain.layers


@dataclass
class _Chain:
    """The value followed so far, the input's format and the layers before it."""

    current: str
    constants: Constants
    first: StateFormat | None = None
    layers: list[Layer] = field(default_factory=list)

    def follow(self, node: onnx.NodeProto) -> None:
        """Takes one node further. Raises NodeError where it does not belong to an MLP."""
        used = [name for name in node.input if name not in self.constants.known and name]
        if used != [self.current] or len(node.output) != 1:
            raise NodeError(describe(node), f"must take the chain's value, found inputs {used}")
        states = quantiser_format(node, self.constants)
        if states is not None:
            self._end_in(states)
        elif node.op_type in ("Gemm", "MatMul"):
            if self.first is None or (self.layers and self.layers[-1].states is None):
                raise NodeError(describe(node), "must take quantised values, found floats")
            self.layers.append(linear(node, self.current, self.constants))
        elif self.layers and self.layers[-1].states is None and node.op_type in _AFFINE:
            _AFFINE[node.op_type](node, self.layers[-1], self.constants)
        elif node.op_type not in PASSIVE:
            raise NodeError(describe(node), "is not something a network can carry")
        self.current = node.output[0]

    def _end_in(self, states: StateFormat) -> None:
        if self.layers:
            self.layers[-1].states = states.narrowed_from(self.layers[-1].states)
        else:
            self.first = states.narrowed_from(self.first)


def _relu(_: onnx.NodeProto, __: Layer, ___: Constants) -> None:
    """Nothing to do: the unsigned states that must follow clip at 0 by themselves."""


_AFFINE = {"Add": add, "BatchNormalization": normalise, "Relu": _relu}
