"""What is listed once is what is built: the memories of a core, its operations, its phases."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator, SimulatorContext

from testbench.networks import random_case
from testbench.rtl.model import Model
from testbench.rtl.properties import make_module
from toreq_hw.network import Schedule
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.datapath import Datapath
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.operations import Addresses, Operand, Operation, Page
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command, Pending, Phase, Step, phase_table, successors
from toreq_hw.rtl.timing import TimingModel

CHOICES: list[tuple[int, dict[str, Any]]] = [
    (3, {"large_coupling": 0, "update_lanes": 2}),
    (4, {"threshold": 2, "block_bits": 64}),
    (8, {"initialised": False}),
]


@pytest.mark.parametrize(("seed", "choices"), CHOICES)
def test_the_memories_built_are_those_listed(seed: int, choices: dict[str, Any]) -> None:
    network = random_case(seed, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4, **choices)
    core = Core(parameters, MemoryImages.of(network, parameters))
    text = rtlil.convert(core, name="core", emit_src=False)
    found = re.findall(r"^  memory width (\d+) size (\d+) ", text, re.MULTILINE)
    listed: Counter[tuple[int, int]] = Counter()
    for spec in parameters.memories:
        for width in spec.columns:
            listed[width, spec.depth] += spec.copies
    assert Counter((int(width), int(depth)) for width, depth in found) == listed


def test_a_ninth_operation_is_one_more_entry() -> None:
    """Beats get a bit more, and it copies the row that it names from page to page."""
    network = random_case(3, schedule=Schedule.SEQUENTIAL).network
    usual = CoreParameters.of(network, 4)
    toy = Operation(
        8, Addresses.PASS, Operand.NONE, (Page.BIAS_AND_POSITIVE, Page.FREE_EQUILIBRIUM)
    )
    parameters = replace(usual, operations=(*usual.operations, toy))
    assert (usual.op_bits, parameters.op_bits) == (3, 4)
    bits = parameters.lanes * parameters.accumulator_bits
    rest = [(0x123456789ABCDEF << row) & (1 << bits) - 1 for row in range(parameters.groups)]
    part = Datapath(parameters, rest)
    accumulators = make_module(part).submodules.accumulators

    async def issue(context: SimulatorContext) -> None:
        row = 2
        context.set(part.beat.op, toy.op)
        context.set(part.beat.slice, row << parameters.part_bits)
        context.set(part.issue, 1)
        await context.tick()
        context.set(part.issue, 0)
        await context.tick().repeat(6)
        found = [context.get(accumulators.data[k]) for k in range(3 * parameters.groups)]
        wanted = [0] * (2 * parameters.groups) + rest
        wanted[Page.FREE_EQUILIBRIUM * parameters.groups + row] = rest[row]
        assert found == wanted

    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    simulator.add_testbench(issue)
    simulator.run()


def test_a_fourth_phase_is_one_more_entry(tmp_path: Path) -> None:
    """The positive nudge again, behind the negative one: same states, cycles as the table says."""
    case = random_case(3, schedule=Schedule.PARITY, batch=3, max_size=4)
    usual = CoreParameters.of(case.network, 4)
    steps = (Step.RESTORE, Step.PAUSE, Step.NUDGE)
    again = Phase(3, steps, Pending.SAVED, after=Command.NUDGE_NEGATIVE, sign=1)
    parameters = replace(usual, phases=(*usual.phases, again))
    core = CompiledCore(parameters, MemoryImages.of(case.network, parameters), tmp_path)
    timing = TimingModel(parameters)
    expected = Model(case.network, usual, usual.max_sweeps).phases(case.inputs, case.labels)
    for image, label, phases in zip(case.inputs, case.labels.tolist(), expected, strict=True):
        replies = core.run(image, [(phase.command, label) for phase in parameters.phases])
        events = [phase.for_timing() for phase in phases]
        events.append(replace(events[1], command=again.command))
        for reply, entry in zip(replies, events, strict=True):
            assert reply.summary["cycles"] == timing.cost(entry, report=True).cycles
        states = [reply.states for reply in replies]
        assert all(np.array_equal(s, p.states) for s, p in zip(states, phases, strict=False))
        assert np.array_equal(states[3], states[1])
    core.close()


def test_a_step_leads_to_one_step_whatever_the_phase() -> None:
    odd = Phase(3, (Step.PAUSE, Step.CLEAR), Pending.ALL)
    with pytest.raises(AssertionError, match="PAUSE must lead to one step"):
        successors((*phase_table(lossy=False), odd))
