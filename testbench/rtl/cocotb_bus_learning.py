"""Runs inside the simulator: a core behind a bus learns; all it holds is read back by READ."""

import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from testbench.rtl.bus_bench import EVENTS, BusBench, equal, recorded
from testbench.rtl.bus_checks import check_faults, check_rejected
from testbench.rtl.bus_masters import BusError
from testbench.rtl.checker import MismatchError
from testbench.rtl.learning_cases import Task
from testbench.rtl.learning_model import LearningModel, check_learn_summary
from testbench.rtl.learning_plan import LearningPlan
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.learning.compiled import SAMPLE, learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.state import state_of
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command


class LearningBus:
    """A bench, and what its core must have learned."""

    def __init__(self, bench: BusBench, plan: LearningPlan) -> None:
        self.bench, self.plan, self.parameters = bench, plan, plan.parameters

    async def run(self) -> None:
        """Learns by packets and by registers, at full speed and not; a reset within LEARN."""
        bench, plan = self.bench, self.plan
        assert plan.second is not None
        await bench.master.reset()
        await bench.registers.write("INTERRUPT_ENABLE", EVENTS["RESULT"])
        await self._start(plan.first)
        for sample, (idle, report) in enumerate(((0.0, True), (0.4, True), (0.4, False))):
            bench.master.idle = idle
            await bench.set_control(report=report)
            await self._learn(sample)
            await self._compare(f"sample {sample}")
        bench.master.idle = 0.0
        await self._read_in_a_phase()
        await self._reset_within_learn()
        await self._start(plan.second)
        await self._learn(0)
        await self._compare("after a reset and a load")
        await check_rejected(bench)
        await check_faults(bench, plan.first.inputs[1])

    async def _start(self, task: Task) -> None:
        self.model = LearningModel(self.plan.network, self.parameters, task)
        words = learning_words(task.state, self.model.rates, self.parameters)
        await self.bench.load(words)
        await self._compare("after the load")

    async def _learn(self, sample: int) -> None:
        """Four commands, one behind the other's interrupt."""
        bench, task = self.bench, self.model.task
        expected = self.model.learn(sample)
        label = int(task.labels[sample])
        for command, phase in zip(SAMPLE, expected.phases, strict=False):
            await bench.command(command, label)
            if command is Command.FREE:
                await bench.master.send(bench.words(task.inputs[sample]))
            await bench.result(sample, phase)
        await bench.command(Command.LEARN)
        states, summary = await bench.answer()
        if states is not None:
            raise BusError("LEARN must leave no states, it left some")
        check_learn_summary(self.parameters, sample, summary, expected)

    async def _read(self, space: int, address: int) -> int:
        """One word by READ, once STATUS says that it is there."""
        registers = self.bench.registers
        await registers.write("READ", space << 24 | address)
        await registers.until("STATUS", "READ", 0)
        count = registers.map["READ_DATA"].count
        words = [await registers.read("READ_DATA", number) for number in range(count)]
        return sum(word << 32 * number for number, word in enumerate(words))

    async def _compare(self, where: str) -> None:
        words = {
            space.code: [await self._read(space.code, row) for row in range(space.rows)]
            for space in self.parameters.load_spaces
            if space.is_read_back
        }
        if difference := learned_difference(self.model.state, state_of(words, self.parameters)):
            raise MismatchError(f"{where}: {difference}")

    async def _read_in_a_phase(self) -> None:
        """A word asked for while a phase runs waits for its end; another one is refused."""
        bench, registers = self.bench, self.bench.registers
        held = await self._read(Space.GENERATOR, 0)
        await self._read(Space.BIAS_LATENT, 0)  # so that READ_DATA holds something else
        await bench.set_control()
        await bench.command(Command.FREE)
        await ClockCycles(bench.clock, 4)
        await registers.write("READ", Space.GENERATOR << 24)
        await bench.check_status("READ")
        await bench.refuse("READ", Space.BIAS_LATENT << 24)
        await bench.master.send(bench.words(self.model.task.inputs[1]))
        await bench.interrupt("RESULT")
        await registers.until("STATUS", "READ", 0)
        equal("READ_DATA", await registers.read("READ_DATA"), held)
        await bench.command(Command.FREE)
        await ClockCycles(bench.clock, 4)
        await registers.write("READ", Space.BIAS_LATENT << 24)
        await bench.reset_core()
        await bench.check_status("IDLE")
        equal("READ_DATA after a reset", await registers.read("READ_DATA"), held)

    async def _reset_within_learn(self) -> None:
        """By CONTROL; what was half learned is loaded anew by who comes next."""
        bench, task = self.bench, self.model.task
        await bench.set_control()
        for command in SAMPLE:
            await bench.command(command, int(task.labels[3]))
            if command is Command.FREE:
                await bench.master.send(bench.words(task.inputs[3]))
            if command is not Command.LEARN:
                await bench.interrupt("RESULT")
        await bench.reset_core()


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def learn(dut: Any) -> None:
    """The plan that the environment names."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    plan = LearningPlan.load(path)
    bench = BusBench(dut, plan.parameters, Bus(os.environ["TOREQ_HW_BUS"]), seed=2)
    await recorded(bench, path, LearningBus(bench, plan).run)
