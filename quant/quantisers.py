"""The quantisers of training, from Brevitas, in units of an LSB so that their scale is 1.

Latent weights are real numbers of LSBs. A quantiser maps them to the integers the network file
holds, as integer-valued floats. Training is straight-through: what moves a quantised weight moves
its latent. Brevitas' own gradient for a ternary weight of zero is zero, from which no weight would
come back. The power-of-two scale 2^-f stays apart.
"""

from collections.abc import Callable
from typing import cast

import torch
from brevitas.core.function_wrapper import FloorSte, Identity, RoundSte, TensorClamp
from brevitas.core.quant import IntQuant, TernaryQuant
from brevitas.core.scaling import ConstScaling

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.network import Population, WeightFormat

Quantiser = Callable[[torch.Tensor], torch.Tensor]


@named_type_errors
def weight_quantiser(weight_format: WeightFormat, ternary_threshold: float) -> Quantiser:
    """From latent weights to integer-valued weights of the format.

    INT8: round to the nearest (ties to even), clip to -127..127. Ternary: the sign where the
    latent is above `ternary_threshold` in magnitude, else 0.
    """
    if weight_format is WeightFormat.TERNARY:
        ternary = TernaryQuant(ConstScaling(1.0), ternary_threshold)
        return lambda latent: cast(torch.Tensor, ternary(latent)[0])
    integer = IntQuant(
        narrow_range=True,
        signed=True,
        input_view_impl=Identity(),
        float_to_int_impl=RoundSte(),
        tensor_clamp_impl=TensorClamp(),
    )
    one, zero, bits = torch.tensor(1.0), torch.tensor(0.0), torch.tensor(8.0)
    return lambda latent: cast(torch.Tensor, integer(one, zero, bits, latent))


@named_type_errors
def state_quantiser(population: Population, fraction_bits: int) -> Quantiser:
    """From accumulators to states, clip((a + half) >> F, s_min, s_max) of docs/numerics.md.

    The gradient passes where the state is not clipped: a hard sigmoid's (a hard tanh's).
    """
    floor, clamp = FloorSte(), TensorClamp()
    half, lsb = float(rounding_half(fraction_bits)), 2.0**-fraction_bits
    low = torch.tensor(float(population.state_min))
    high = torch.tensor(float(population.state_max))
    return lambda a: cast(torch.Tensor, floor(clamp((a + half) * lsb, min_val=low, max_val=high)))
