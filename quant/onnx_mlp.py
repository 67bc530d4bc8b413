"""A plain quantised multilayer perceptron in ONNX, as Brevitas exports it, becomes a network.

It is a *starting* network: with states q of scale s on either side of a coupling, the forward
weight in states is W s_pre / s_post. What then also flows back, an MLP does not have, so the
network's equilibria are not the MLP's states; with the feedback left out they are.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.quant.fit import Fit, Reals, fit
from toreq_hw.quant.onnx_chain import Chain
from toreq_hw.quant.onnx_layers import Layer
from toreq_hw.quant.onnx_quantisers import Rounding
from toreq_hw.quant.onnx_states import StateFormat, carry

NOISE = 2.0**-21
"""Relative error of a float32 quotient of float32 values, with room: less is no difference."""


@dataclass(frozen=True, eq=False)
class QuantisedMlp:
    """A graph's layers with the formats on either side, and the network made of them.

    formats: of the input and of each layer. stated: whether the graph quantises the outputs. fits:
    of each layer's weights, W s_pre / s_post.
    """

    layers: tuple[Layer, ...]
    formats: tuple[StateFormat, ...]
    stated: bool
    fits: tuple[Fit, ...]
    network: Network


def quantised_mlp(chain: Chain) -> QuantisedMlp:
    """The starting network of a quantised MLP.

    An output without a quantiser takes the format of the layer before it. Raises
    NetworkFileError naming the node that cannot be carried, NetworkError where the integers make
    no network.
    """
    assert chain.first is not None
    stated = chain.layers[-1].states is not None
    formats = [carry(chain.first, None)]
    for layer in chain.layers:
        formats.append(carry(layer.states or formats[-1], layer))
    populations = _populations(chain, formats)
    fits = [
        fit(layer.weight * (formats[k].scale / formats[k + 1].scale), WeightFormat.INT8)
        for k, layer in enumerate(chain.layers)
    ]
    couplings = tuple(
        _coupling(populations[k], populations[k + 1], found) for k, found in enumerate(fits)
    )
    biases = {
        populations[k + 1].name: _bias(layer, formats[k + 1], fits[k : k + 2])
        for k, layer in enumerate(chain.layers)
    }
    network = Network(populations, couplings, biases)
    return QuantisedMlp(tuple(chain.layers), tuple(formats), stated, tuple(fits), network)


def _populations(chain: Chain, formats: list[StateFormat]) -> tuple[Population, ...]:
    hidden = len(chain.layers) - 1
    names = ["input", *(f"hidden{k + 1}" if hidden > 1 else "hidden" for k in range(hidden))]
    sizes = [len(chain.layers[0].weight), *(len(layer.bias) for layer in chain.layers)]
    roles = [Role.INPUT, *[Role.HIDDEN] * hidden, Role.OUTPUT]
    return tuple(
        Population(name, size, role, states.bits, states.signed)
        for name, size, role, states in zip([*names, "output"], sizes, roles, formats, strict=True)
    )


def _coupling(pre: Population, post: Population, found: Fit) -> DenseCoupling:
    ternary = int(np.abs(found.weight).max(initial=0)) <= 1
    kind = WeightFormat.TERNARY if ternary else WeightFormat.INT8
    return DenseCoupling(pre.name, post.name, found.weight, found.fraction_bits, kind)


def _bias(layer: Layer, states: StateFormat, fits: list[Fit]) -> npt.NDArray[np.int32]:
    """Biases in accumulator LSBs, (n,), with which the contract's one rounding is the graph's.

    Products are whole LSBs. So a bias between two LSBs acts as the one below it does, or the one
    above it where steps are rounded up. Nothing is lost by rounding it, as long as the weights are
    exact. Where they are not, the nearest LSB is taken.
    """
    fraction_bits = max(found.fraction_bits for found in fits)
    one, half = 1 << fraction_bits, rounding_half(fraction_bits)
    exact = layer.bias / states.scale * 2.0**fraction_bits
    near = np.abs(exact - np.round(exact)) <= NOISE * np.abs(exact)
    exact = np.where(near, np.round(exact), exact)
    match states.rounding:
        case Rounding.FLOOR:
            stored = np.floor(exact) - half
        case Rounding.CEIL:
            stored = np.ceil(exact) + one - 1 - half
        case _ if fits[0].exact:
            stored = np.floor(exact + one / 2) - half
        case _:
            stored = np.round(exact)
    if stored.size and np.abs(stored).max() >= 2**31:
        raise layer.node.error(f"bias must fit 32 bits, found {np.abs(stored).max():.3g}")
    return stored.astype(np.int32)


def sums_in_lsbs(mlp: QuantisedMlp, index: int, states: npt.NDArray[np.int64]) -> Reals:
    """What layer `index` of the graph adds up for `states` (batch, n_in), in steps of its states.

    float64 (batch, n_out), bounds not applied.
    """
    layer, pre, post = mlp.layers[index], mlp.formats[index], mlp.formats[index + 1]
    return (states * pre.scale @ layer.weight + layer.bias) / post.scale
