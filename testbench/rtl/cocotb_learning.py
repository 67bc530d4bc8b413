"""Runs inside the simulator: a core that learns under any traffic, refused words, resets."""

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.coverage import Coverage
from testbench.rtl.learning_cases import Task
from testbench.rtl.learning_model import LearnedPhases, LearningModel, check_learn_summary
from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.learning_ports import LearningPorts
from testbench.rtl.plan import Traffic
from testbench.rtl.watch import SequencerWatch
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.learning.compiled import SAMPLE, learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel

RATE_WORDS_OUT_OF_RANGE = (0, 1, 17, 31, 32)
BUSY = Traffic(idle=0.4, stall=0.5, sparse=True)


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def learn(dut: Any) -> None:
    """Fails with one line; always leaves a record beside the plan."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    plan = LearningPlan.load(path)
    Clock(dut.clk, 10, unit="ns").start()
    bench = _Bench(dut, plan)
    failure: str | None = None
    try:
        await bench.run()
    except MismatchError as mismatch:
        failure = str(mismatch)
    record = bench.record() | {"failure": failure}
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    assert failure is None, failure


class _Bench:
    def __init__(self, dut: Any, plan: LearningPlan) -> None:
        self.dut, self.plan, self.parameters = dut, plan, plan.parameters
        self.ports = LearningPorts(dut, self.parameters, seed=1)
        self.checker = Checker(self.parameters, TimingModel(self.parameters))
        self.coverage = Coverage()
        self.rng = random.Random(1)
        self.learned = self.cycles = 0

    async def run(self) -> None:
        """Learns at full rate, under traffic, many at once; refuses; is reset; learns on."""
        await self.ports.reset()
        watch = SequencerWatch(self.dut, self.parameters, self.coverage)
        tasks = [cocotb.start_soon(part.run()) for part in (*self.ports.parts, watch)]
        try:
            await self._start(self.plan.first)
            await self._one_by_one(Traffic())
            if self.plan.second is not None:
                await self._at_any_time(self.plan.second)
            self.ports.check_streams()
        finally:
            for task in tasks:
                task.cancel()

    def record(self) -> dict[str, Any]:
        """As `testbench.rtl.report` joins it."""
        checker = self.checker
        return {
            "simulator": f"{cocotb.SIM_NAME} {cocotb.SIM_VERSION}",
            "lanes": self.parameters.lanes,
            "images": self.learned,
            "phases": checker.phases + self.learned,
            "states": checker.states,
            "events": checker.events,
            "cycles": checker.cycles + self.cycles,
            "synops": sum(synops for synops, _ in checker.costs),
            "beats": sum(beats for _, beats in checker.costs),
            "coverage": {**self.coverage.hits, "phase LEARN": self.learned},
        }

    async def _one_by_one(self, traffic: Traffic) -> None:
        for sample in range(min(4, len(self.plan.first.inputs))):
            await self._learn([sample], traffic)
            await self._compare(f"sample {sample}")

    async def _at_any_time(self, second: Task) -> None:
        await self._one_by_one(BUSY)
        await self._learn(list(range(len(self.plan.first.inputs))), BUSY)
        await self._compare("after all samples at once")
        await self._read_between_phases()
        await self._refuse()
        await self._reset_within_learn(second)

    async def _start(self, task: Task) -> None:
        """Loads in any order."""
        self.model = LearningModel(self.plan.network, self.parameters, task)
        words = list(learning_words(task.state, self.model.rates, self.parameters))
        for word in self.rng.sample(words, len(words)):
            self.ports.send_word(word)
        await self.ports.settle()
        await self._compare("after the load")

    async def _learn(self, samples: list[int], traffic: Traffic) -> None:
        """Queues all samples at once: the core alone decides when it takes what."""
        self.ports.set_traffic(traffic)
        expected = [self.model.learn(sample) for sample in samples]
        first = len(self.ports.seen)
        for sample in samples:
            self._send(sample, traffic, SAMPLE)
        await self.ports.phases(first + len(SAMPLE) * len(samples))
        for number, sample in enumerate(samples):
            begin = first + len(SAMPLE) * number
            self._check(sample, expected[number], begin)

    def _send(self, sample: int, traffic: Traffic, commands: tuple[Command, ...]) -> None:
        task = self.model.task
        self.ports.send_image(task.inputs[sample], traffic)
        for command in commands:
            self.ports.send_command(command, int(task.labels[sample]), report=traffic.report)

    def _check(self, sample: int, expected: LearnedPhases, begin: int) -> None:
        """The four answers from `begin` on."""
        *phases, learned = self.ports.seen[begin : begin + len(SAMPLE)]
        for phase, seen in zip(expected.phases, phases, strict=True):
            self.checker.check(sample, phase, seen, report=True)
            self.coverage.of_phase(self.parameters, phase)
        if learned.states is not None or learned.events or learned.inputs:
            raise MismatchError(f"sample {sample}, LEARN: expected no states or events")
        self.cycles += check_learn_summary(self.parameters, sample, learned.summary, expected)
        self.learned += 1

    async def _compare(self, where: str) -> None:
        got = await self.ports.state()
        if difference := learned_difference(self.model.state, got):
            raise MismatchError(f"{where}: {difference}")

    async def _read_between_phases(self) -> None:
        """A word asked for while a phase runs waits for its end, and the next phase is allowed."""
        self.ports.set_traffic(Traffic())
        expected, first = self.model.learn(1), len(self.ports.seen)
        for place, command in enumerate(SAMPLE):
            if command is Command.FREE:
                self._send(1, Traffic(), (command,))
            else:
                label = int(self.model.task.labels[1])
                self.ports.send_command(command, label, report=True)
            await ClockCycles(self.dut.clk, 3)
            answered = len(self.ports.answers)
            self.ports.ask(Space.GENERATOR, 0)
            await self.ports.phases(first + place + 1)
            await self.ports.answered(answered + 1)
        self._check(1, expected, first)
        await self._compare("after reads between phases")

    async def _refuse(self) -> None:
        """Each wrong word is flagged and changes nothing; LEARN comes only after NUDGE_NEGATIVE."""
        faults: list[Fault] = []
        for space, address, word, fault in self._wrong_loads():
            self.ports.send_load(space, address, word)
            await self._flagged(faults, fault)
        for space, address in self._unreadable():
            answered = len(self.ports.answers)
            self.ports.ask(space, address)
            await self.ports.answered(answered + 1)
            await self._flagged(faults, Fault.LOAD_ADDRESS)
        for count in range(3):
            self._send(2, Traffic(), (*SAMPLE[:count], Command.LEARN))
            await self.ports.phases(len(self.ports.seen) + count)
            await self._flagged(faults, Fault.COMMAND)
            if count == 0:  # its image waits
                self.ports.send_command(Command.FREE, 0, report=False)
                await self.ports.phases(len(self.ports.seen) + 1)
        seen = len(self.ports.seen)
        self._send(2, Traffic(), SAMPLE[:3])
        await self.ports.phases(seen + 3)
        self.ports.send_load(Space.MAX_SWEEPS, 0, self.parameters.max_sweeps)
        await self.ports.settle()
        self.ports.send_command(Command.LEARN, 0, report=False)
        await self._flagged(faults, Fault.COMMAND)
        await self._compare("after refused words")
        await self._learn([3], Traffic())
        await self._compare("after a sample behind refused words")

    def _wrong_loads(self) -> list[tuple[int, int, int, Fault]]:
        learning = self.parameters.learning
        assert learning is not None
        rows = self.parameters.groups * self.parameters.lanes
        wrong: list[tuple[int, int, int, Fault]] = [
            (Space.RATE, 0, word, Fault.LOAD_DATA) for word in RATE_WORDS_OUT_OF_RANGE
        ]
        wrong += [
            (Space.RATE, learning.rates, 5, Fault.LOAD_ADDRESS),
            (Space.GENERATOR, 0, 0, Fault.LOAD_DATA),
            (Space.GENERATOR, 1, 5, Fault.LOAD_ADDRESS),
            (Space.THETA, 0, 0, Fault.LOAD_DATA),
            (Space.THETA, 1, 5, Fault.LOAD_ADDRESS),
            (Space.BIAS_LATENT, rows, 5, Fault.LOAD_ADDRESS),
        ]
        for number, store in enumerate(self.parameters.stores):
            lowest = 1 << (store.width - 1)
            wrong.append((number, 0, lowest, Fault.LOAD_DATA))
            wrong.append((number, store.words, 0, Fault.LOAD_ADDRESS))
        return wrong

    def _unreadable(self) -> list[tuple[int, int]]:
        rows = self.parameters.groups * self.parameters.lanes
        spaces = (Space.BIAS, Space.MAX_SWEEPS, Space.RATE, Space.THETA, Space.THRESHOLD)
        beyond = [(number, store.words) for number, store in enumerate(self.parameters.stores)]
        return [
            *((int(space), 0) for space in spaces),
            *beyond,
            (Space.BIAS_LATENT, rows),
            (Space.GENERATOR, 1),
        ]

    async def _flagged(self, faults: list[Fault], fault: Fault) -> None:
        """Exactly these words were refused since the reset."""
        await self.ports.settle()
        faults.append(fault)
        flags, count = int(self.dut.faults.value), int(self.dut.fault_count.value)
        if flags != sum(1 << one for one in set(faults)) or count != len(faults):
            raise MismatchError(f"faults: expected {len(faults)}, {fault.name} last, got {count}")

    async def _reset_within_learn(self, second: Task) -> None:
        """Whatever was written before the reset was written whole; then a load makes it good."""
        for after in (1, 7, 30, 60, 100):
            before = self.model.state
            seen = len(self.ports.seen)
            self._send(3, Traffic(), SAMPLE)
            await self.ports.phases(seen + 3)
            self.model.learn(3)
            await ClockCycles(self.dut.clk, after)
            await self.ports.reset()
            await self._before_or_after(before)
            await self._start(second)
            await self._learn([0, 1], Traffic())
            await self._compare("behind a reset within LEARN")

    async def _before_or_after(self, before: Any) -> None:
        after, got = self.model.state, await self.ports.state()
        for name, latents in got.latents.items():
            known = (latents == before.latents[name]) | (latents == after.latents[name])
            for row, column in np.argwhere(~known)[:1].tolist():
                raise MismatchError(
                    f"reset within LEARN: coupling {name!r}, row {row}, column {column}: expected "
                    f"the latent before or after, got {latents[row, column]}"
                )
