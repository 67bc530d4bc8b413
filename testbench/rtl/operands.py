"""What a lane of the real datapath adds, at the widths of real networks.

Every lane is followed through every beat, whatever the traffic: in cycle 4 its operand is weight
times delta, shifted, for a WALK; the value for a NUDGE or BIAS of this lane; zero for everything
else. The product on this side is kept too wide to overflow.
"""

from typing import ClassVar

import numpy as np
from amaranth import Array, Module, Mux, Signal, Value

from testbench.rtl.properties import Property, make_module
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.rtl.beat import shifts
from toreq_hw.rtl.datapath import Datapath
from toreq_hw.rtl.operations import Op
from toreq_hw.rtl.parameters import CoreParameters

WEIGHTS_COME = 2
"""Cycles from the issue of a beat to the one in which its weights arrive."""

MULTIPLY = 3
"""Cycles from the issue of a beat to the one that multiplies."""

DELAY = 4
"""Cycles from the issue of a beat to the one that adds its operand and writes the row."""


class OpenDatapath(Datapath):
    """The datapath with its operands in sight: `operands[lane]` in cycle 4."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(parameters, [0] * parameters.groups)
        self.operands: list[Value] = []

    def _operands(self, m: Module) -> list[Value]:
        self.operands = super()._operands(m)
        return self.operands


class OperandsAreExact(Property):
    """Assumed of the rest of the core: no delta is beyond the largest difference of two states,
    a weight is one of its format, a value for one lane fits its port."""

    CHECKS: ClassVar[tuple[str, ...]] = ("operands_are_exact",)
    RESETS = False

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._parameters = CoreParameters.of(network, lanes=2)

    def describe(self, m: Module) -> None:
        """The datapath, free beats, and what each must add to the lane."""
        parameters = self._parameters
        part = OpenDatapath(parameters)
        make_module(part)  # its operands
        m.submodules.part = part
        issue, op = self.free(1, "issue"), self.free(parameters.op_bits, "op")
        delta = self.free(part.walk.delta.shape(), "delta")
        which = self.free(part.walk.shift.shape(), "which")
        value = self.free(part.single.value.shape(), "value")
        place = self.free(parameters.neuron_address_bits, "place")
        weights = self.free(len(part.weights.as_value()), "weights")
        largest = parameters.largest_delta
        self.assume((delta <= largest) & (delta >= -largest))
        self.assume(which < len(shifts(parameters)))
        m.d.comb += [
            part.issue.eq(issue),
            part.beat.op.eq(op),
            part.walk.delta.eq(delta),
            part.walk.shift.eq(which),
            part.single.value.eq(value),
            part.single.neuron.eq(place),
            part.weights.eq(weights),
        ]
        before = MULTIPLY - WEIGHTS_COME
        is_walk = later(m, op == Op.WALK, WEIGHTS_COME, "is_walk")
        delta, which = (later(m, v, MULTIPLY, v.name) for v in (delta, which))
        issued = later(m, issue, DELAY, "issued")
        for lane, added in enumerate(part.operands):
            weight = Value.cast(weights).word_select(lane, parameters.weight_bits).as_signed()
            self.assume(weight != -(1 << (parameters.weight_bits - 1)))
            mine = (place[: parameters.lane_bits] == lane) & ((op == Op.NUDGE) | (op == Op.BIAS))
            single = later(m, Mux(mine, value, 0), DELAY, f"single{lane}")
            one = later(m, mine, WEIGHTS_COME, f"one{lane}")
            weight = later(m, Mux(is_walk, weight, one), before, f"weight{lane}")
            product = weight * delta << Array(shifts(parameters))[which]
            walked = later(m, op == Op.WALK, MULTIPLY, f"walked{lane}")
            product = Mux(walked, product, 0)
            wanted = later(m, product, DELAY - MULTIPLY, f"product{lane}") + single
            self.check("operands_are_exact", added == wanted, when=issued)


def later(m: Module, value: Value, cycles: int, name: str) -> Value:
    """The value, some cycles later; 0 before there was one."""
    for cycle in range(cycles):
        register = Signal(value.shape(), name=f"{name}_later{cycle}")
        m.d.sync += register.eq(value)
        value = register
    return value


def wide_network(kind: WeightFormat) -> Network:
    """States of eight bits, signed ones among them, and two shifts."""
    populations = (
        Population("input", 1, Role.INPUT),
        Population("hidden", 1, Role.HIDDEN, signed=True),
        Population("output", 3, Role.OUTPUT),
    )
    couplings = (
        DenseCoupling("input", "output", np.zeros((1, 3), dtype=np.int8), 3, kind),
        DenseCoupling("hidden", "output", np.zeros((1, 3), dtype=np.int8), 0, kind),
    )
    return Network(populations, couplings, {"output": np.array([-9, 0, 9], np.int32)})
