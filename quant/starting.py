"""Training that has the shape of a network, or goes on from its integers."""

from typing import Any

import numpy as np
import torch

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, require_pairs
from toreq_hw.quant.equilibrium import FLOAT32_EXACT, Layers
from toreq_hw.quant.parameters import Parameters
from toreq_hw.quant.quantisers import weight_quantiser


def layers_of(network: Network) -> Layers:
    """The chain of populations that a network is, with couplings of any kind.

    Raises InputError where it is none, or not under the parity schedule, or has no hidden one.
    """
    if not network.is_chain or len(network.couplings) < 2:
        names = [p.name for p in network.populations]
        found = ", ".join(c.name for c in network.couplings)
        raise InputError(
            f"starting network must couple {' - '.join(names)} in a chain with at least one "
            f"hidden population, found {found}"
        )
    require_pairs(network, "for training in torch", InputError)
    if network.schedule is not Schedule.PARITY:
        raise InputError(
            f"starting network must have the parity schedule, not {network.sweep.name}"
        )
    return Layers(
        network.populations,
        tuple(c.fraction_bits for c in network.couplings),
        network.couplings,
        network.readout,
        tuple(network.budget_table.tolist()),
    )


def shape_options(network: Network) -> dict[str, Any]:
    """What `TrainingOptions` says of a network's shape. Bits are those of the first hidden one."""
    layers = layers_of(network)
    return {
        "hidden": tuple(p.size for p in layers.populations[1:-1]),
        "weight_format": weight_format_of(network),
        "state_bits": network.relaxing[0].state_bits,
        "input_bits": network.input.state_bits,
        "fraction_bits": layers.fraction_bits,
    }


def weight_format_of(network: Network) -> WeightFormat:
    """Ternary where all couplings are; otherwise INT8, as which a ternary one goes on."""
    ternary = all(c.weight_format is WeightFormat.TERNARY for c in network.couplings)
    return WeightFormat.TERNARY if ternary else WeightFormat.INT8


@named_type_errors
def parameters_from(network: Network, ternary_threshold: float, device: torch.device) -> Parameters:
    """Latents that quantise to the very integers of the network.

    An INT8 latent starts at its integer, a ternary one in the middle of the range that stands
    for it: at 0, or halfway between threshold and clipping. Raises InputError.
    """
    weight_format = weight_format_of(network)
    unit = 1.0
    if weight_format is WeightFormat.TERNARY:
        unit = (ternary_threshold + weight_format.limit) / 2
    weights = [
        torch.tensor(c.parameters, dtype=torch.float32, device=device) for c in network.couplings
    ]
    biases = [network.biases[p.name][: p.biases] for p in network.relaxing]
    largest = max(int(np.abs(b.astype(np.int64)).max()) for b in biases)
    if largest > FLOAT32_EXACT:
        raise InputError(f"starting network must have biases of at most 2^24, found {largest}")
    return Parameters(
        layers_of(network),
        weight_format,
        weight_quantiser(weight_format, ternary_threshold),
        [w * unit for w in weights],
        [torch.tensor(b, dtype=torch.float32, device=device) for b in biases],
    )
