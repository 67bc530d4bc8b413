"""Rows of accumulators, with and without a register behind their memory: beats of every kind, as
close as can be, end in the sums that they have one after another.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator, SimulatorContext

from testbench.rtl.operands import WEIGHTS_COME, wide_network
from testbench.rtl.properties import make_module
from toreq_hw.network import WeightFormat
from toreq_hw.records import plain
from toreq_hw.rtl.beat import shifts
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.datapath import Datapath
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.operations import Operand, Operation, Page
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import most_cycles
from toreq_hw.rtl.writing import write_core

BEATS = 1500
WRITTEN = 5
"""Cycles from the issue of a beat to the first in which memory holds its sum."""

REGISTER = {"accumulator_register": True}


@dataclass(frozen=True)
class Beat:
    """issued: False for a rest. weights: int64 (lanes,)."""

    issued: bool
    op: Operation
    slice_: int
    neuron: int
    value: int
    delta: int
    shift: int
    weights: npt.NDArray[np.int64]


class Pages:
    """What beats make of all pages, one after another: `sums`, int64 (pages, groups, lanes)."""

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        self._rng = np.random.default_rng(1)
        self.sums = np.zeros((len(Page), parameters.groups, parameters.lanes), np.int64)

    def beat(self) -> Beat:
        """A random one, done; a rest in one cycle of four."""
        rng, parameters = self._rng, self._parameters
        beat = Beat(
            issued=bool(rng.integers(4)),
            op=parameters.operations[rng.integers(len(parameters.operations))],
            slice_=int(rng.integers(parameters.slices)),
            neuron=int(rng.integers(parameters.lanes)),
            value=int(rng.integers(-3, 4)),
            delta=int(rng.integers(-3, 4)),
            shift=int(rng.integers(len(shifts(parameters)))),
            weights=rng.integers(-1, 2, parameters.lanes),
        )
        if beat.issued:
            self._do(beat)
        return beat

    def _do(self, beat: Beat) -> None:
        parameters, op = self._parameters, beat.op
        group = beat.slice_ >> parameters.part_bits
        row = self.sums[op.sums[0], group].copy()
        if op.operand is Operand.PRODUCT:
            row += beat.weights * beat.delta << shifts(parameters)[beat.shift]
        elif op.operand is Operand.VALUE:
            row[beat.neuron] += beat.value
        elif op.operand is Operand.NEW_VALUE:
            row[beat.neuron] = beat.value
        if op.sums[1] is not None:
            half = 1 << (parameters.accumulator_bits - 1)
            self.sums[op.sums[1], group] = (row + half) % (2 * half) - half

    def words(self) -> list[int]:
        """As the memory holds them."""
        bits = self._parameters.accumulator_bits
        rows = self.sums.reshape(-1, self._parameters.lanes).tolist()
        return [
            sum((total & (1 << bits) - 1) << lane * bits for lane, total in enumerate(row))
            for row in rows
        ]


@pytest.mark.parametrize("kind", list(WeightFormat))
@pytest.mark.parametrize("choices", [{}, REGISTER, REGISTER | {"update_lanes": 2}])
def test_beats_that_follow_each_other_add_up(kind: WeightFormat, choices: dict[str, Any]) -> None:
    parameters = CoreParameters.of(wide_network(kind), 4, **choices)
    pages = Pages(parameters)
    part = Datapath(parameters, [0] * parameters.groups)
    memory = make_module(part).submodules.accumulators

    async def run(context: SimulatorContext) -> None:
        weights = [np.zeros(parameters.lanes, np.int64)] * WEIGHTS_COME
        wanted = [pages.words()] * WRITTEN
        for _ in range(BEATS):
            beat = pages.beat()
            weights.append(beat.weights)
            wanted.append(pages.words())
            context.set(part.issue, beat.issued)
            context.set(part.beat.op, beat.op.op)
            context.set(part.beat.slice, beat.slice_)
            context.set(part.walk.delta, beat.delta)
            context.set(part.walk.shift, beat.shift)
            context.set(part.single.neuron, beat.neuron)
            context.set(part.single.value, beat.value)
            for lane, weight in enumerate(weights.pop(0).tolist()):
                context.set(part.weights[lane], weight & (1 << parameters.weight_bits) - 1)
            found = [context.get(memory.data[k]) for k in range(len(wanted[0]))]
            assert found == wanted.pop(0)
            await context.tick()

    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()


@pytest.mark.parametrize("register", [False, True])
def test_what_collides_is_used_only_where_no_register_stands(register: bool) -> None:
    """Tools spend tables on it otherwise, or give what nobody asked for."""
    network = wide_network(WeightFormat.TERNARY)
    parameters = CoreParameters.of(network, 4, accumulator_register=register)
    assert parameters.memory("accumulators").collides is not register
    core = Core(parameters, MemoryImages.of(network, parameters))
    text = rtlil.convert(core, name="core", emit_src=False)
    (attributes,) = re.findall(r"((?:  attribute .*\n)+)  memory .* \\accumulators$", text, re.M)
    assert ("no_rw_check" in attributes) is register


@pytest.mark.parametrize("lanes", [2, 8])
def test_no_phase_takes_a_cycle_more(lanes: int) -> None:
    network = wide_network(WeightFormat.INT8)
    plain, held = (CoreParameters.of(network, lanes, **choices) for choices in ({}, REGISTER))
    assert most_cycles(plain) == most_cycles(held)


def test_a_register_is_said_where_there_is_one(tmp_path: Path) -> None:
    network = wide_network(WeightFormat.TERNARY)
    for register in (False, True):
        parameters = CoreParameters.of(network, 4, accumulator_register=register)
        record = write_core(network, parameters, tmp_path / str(register))
        said = "held as they leave" in Path(record.files["datasheet"]).read_text()
        assert (said, plain(record).get("accumulator_register", False)) == (register, register)
