"""State formats: which integers a quantiser lets through, and whether a population has them."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toreq_hw.quant.fit import Reals
from toreq_hw.quant.onnx_constants import Constants
from toreq_hw.quant.onnx_nodes import Node
from toreq_hw.quant.onnx_quantisers import (
    Rounding,
    check_precision,
    output_type,
    quant_flags,
    quant_range,
    range_of_type,
    rounding_of,
)

if TYPE_CHECKING:
    from toreq_hw.quant.onnx_layers import Layer


_SCALES = (1e-30, 1e30)
"""Of one step of a state; beyond these float32 values of states end."""


@dataclass(frozen=True)
class StateFormat:
    """What a quantiser makes of values: integers low..high times `scale`.

    real: the graph's name for the value that is quantised; value: for the states times scale.
    stored_zero: what is added to the integers while they are stored (QCDQ), before `value`.
    """

    node: Node
    scale: float
    low: int
    high: int
    rounding: Rounding
    real: str
    value: str
    stored_zero: int = 0

    @property
    def bits(self) -> int:
        """Bits of the population's states."""
        return self.high.bit_length() + self.signed

    @property
    def signed(self) -> bool:
        """Whether states are on both sides of 0."""
        return self.low < 0

    @property
    def loses_lowest(self) -> bool:
        """Whether the format has a lowest integer that a signed population has not."""
        return self.low == -self.high - 1

    def within(self, low: int, high: int) -> "StateFormat":
        """The same with fewer integers."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))


def quant_format(node: Node, constants: Constants) -> StateFormat:
    """The format of a `Quant` node in the chain. Raises NodeError."""
    if len(node.inputs) != 4:
        raise node.error(f"must have 4 inputs, found {len(node.inputs)}")
    signed, narrow = quant_flags(node)
    low, high = quant_range(node, constants.array(node, 3), signed, narrow)
    zero = _whole(node, constants.number(node, 2))
    scale = _scale(node, constants)
    rounding = rounding_of(node)
    return StateFormat(
        node=node,
        scale=scale,
        low=low - zero,
        high=high - zero,
        rounding=rounding,
        real=node.inputs[0],
        value=node.outputs[0],
    )


def stored_format(node: Node, constants: Constants) -> StateFormat:
    """The format of a `QuantizeLinear` in the chain. Raises NodeError."""
    check_precision(node)
    node.only("block_size", 0)
    zero_point = constants.array(node, 2) if node.input(2) else None
    low, high = range_of_type(node, output_type(node, zero_point))
    zero = _whole(node, constants.number(node, 2)) if zero_point is not None else 0
    return _state_format(node, (low, high), zero, constants)


def input_format(node: Node, kind: str, constants: Constants) -> StateFormat:
    """The format of an input of integers of element type `kind`, at its DequantizeLinear."""
    low, high = range_of_type(node, kind)
    zero = _whole(node, constants.number(node, 2)) if node.input(2) else 0
    return _state_format(node, (low, high), zero, constants)


def _state_format(
    node: Node, stored: tuple[int, int], zero: int, constants: Constants
) -> StateFormat:
    """Integers that are stored in the range `stored`, with `zero` added."""
    low, high = stored
    return StateFormat(
        node=node,
        scale=_scale(node, constants),
        low=low - zero,
        high=high - zero,
        rounding=Rounding.HALF_EVEN,
        real=node.inputs[0],
        value="",
        stored_zero=zero,
    )


def clip_stored(node: Node, stored: StateFormat, constants: Constants) -> StateFormat:
    """What a `Clip` leaves of stored states. Raises NodeError where it leaves nothing."""
    low, high = clip_bounds(node, constants)
    zero = stored.stored_zero
    found = stored.within(
        stored.low if math.isinf(low) else _whole(node, low) - zero,
        stored.high if math.isinf(high) else _whole(node, high) - zero,
    )
    if found.low > found.high:
        raise node.error(f"must leave states, found {low}..{high}")
    return found


def clip_bounds(node: Node, constants: Constants) -> tuple[float, float]:
    """Bounds of a `Clip`, infinite where they are left out. Raises NodeError."""
    if node.version < 11:
        low, high = (float(node.given.get(k, s * np.inf)) for k, s in (("min", -1), ("max", 1)))
    else:
        low = constants.number(node, 1) if node.input(1) else -np.inf
        high = constants.number(node, 2) if node.input(2) else np.inf
    if not low <= high:
        raise node.error(f"bounds must be in order, found {low} and {high}")
    return low, high


def dequantise(node: Node, stored: StateFormat, constants: Constants) -> StateFormat:
    """Stored states as values again; scale and zero point must be those they were stored with.

    Raises NodeError.
    """
    check_precision(node)
    node.only("block_size", 0)
    scale = _scale(node, constants)
    zero = _whole(node, constants.number(node, 2)) if node.input(2) else 0
    if (scale, zero) != (stored.scale, stored.stored_zero):
        raise node.error(
            "must have the scale and zero point of its QuantizeLinear, "
            f"{stored.scale:.9g} and {stored.stored_zero}, found {scale:.9g} and {zero}"
        )
    return replace(stored, value=node.outputs[0])


def requantise(before: StateFormat, again: StateFormat) -> StateFormat:
    """Two quantisers in a row of one scale: the integers that both let through.

    Raises NodeError for another scale, and for a rounding that moves integers.
    """
    power_of_two = math.frexp(before.scale)[0] == 0.5
    if before.scale != again.scale or not (again.rounding.nearest or power_of_two):
        raise again.node.error(
            f"must have the scale of the quantiser before it, {before.scale:.9g}, and round to "
            f"the nearest, found {again.scale:.9g} and {again.rounding.value}"
        )
    found = replace(before.within(again.low, again.high), value=again.value)
    if found.low > found.high:
        raise again.node.error("must leave states of the quantiser before it")
    return found


def carry(states: StateFormat, layer: "Layer | None") -> StateFormat:
    """The format that a population takes: what a layer's bounds leave of its quantiser's integers.

    Raises NodeError naming the bound that is not one of the population's own (a ReLU that other
    nodes follow, say). The same for a quantiser whose integers no population has.
    """
    low, high = states.low, states.high
    if layer is not None and layer.bounded:
        low = _end(layer, layer.low, states)
        high = _end(layer, layer.high, states)
    found = replace(states, low=low, high=high)
    if high < 1 or high > 255 or (low and low not in (-high, -high - 1)) or high & (high + 1):
        raise states.node.error(
            "states must run over 0..2^b - 1 or between -(2^(b-1) - 1) and 2^(b-1) - 1, b up to 8, "
            f"found {low}..{high}"
        )
    if states.rounding in (Rounding.UP, Rounding.DOWN):
        if low < 0:
            raise states.node.error(
                f"signed states must not be rounded {states.rounding.value}, which no shift does"
            )
        one_sided = Rounding.CEIL if states.rounding is Rounding.UP else Rounding.FLOOR
        found = replace(found, rounding=one_sided)
    return found


def _end(layer: "Layer", bounds: Reals, states: StateFormat) -> int:
    """The state at which a bound stops all neurons alike."""
    stops = np.clip(states.rounding(bounds / states.scale), states.low, states.high)
    if np.ptp(stops) > 0:
        raise (layer.bounded_by or layer.node).error(
            "must bound all neurons at one state, as a network clips, "
            f"found bounds at states {stops.min():.0f}..{stops.max():.0f}"
        )
    return int(stops[0])


def _scale(node: Node, constants: Constants) -> float:
    scale = constants.number(node, 1)
    kind = constants.array(node, 1).dtype
    if kind != np.float32:
        raise node.error(f"scale must be float32, found {kind}")
    if not 0 < scale < math.inf:
        raise node.error(f"scale must be above 0, not {scale}")
    if not _SCALES[0] <= scale <= _SCALES[1]:
        raise node.error(f"scale must be {_SCALES[0]:g}..{_SCALES[1]:g}, not {scale:g}")
    return scale


def _whole(node: Node, value: float) -> int:
    if not math.isfinite(value) or value != int(value):
        raise node.error(f"zero point and bounds must be whole numbers, not {value}")
    return int(value)
