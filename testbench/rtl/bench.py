"""The bench around one core inside the simulator: what to send, and what to make of replies."""

import random
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from testbench.rtl.checker import Checker
from testbench.rtl.coverage import Coverage
from testbench.rtl.model import Model
from testbench.rtl.plan import (
    BadTraffic,
    Images,
    Limit,
    Load,
    LoadBetweenPhases,
    Plan,
    ResetMidRun,
    Step,
    Threshold,
    Traffic,
)
from testbench.rtl.ports import Ports
from testbench.rtl.rejected_words import RejectedWords
from testbench.rtl.watch import SequencerWatch
from toreq_hw.rtl.images import load_words, threshold_word
from toreq_hw.rtl.load_spaces import LoadWord, Space
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel


class Bench:
    """Drives the steps of a plan and checks everything the core answers."""

    def __init__(self, dut: Any, plan: Plan) -> None:
        self.dut = dut
        self.watches = hasattr(dut, "sequencer")  # a flat netlist has lost it
        self.plan = plan
        self.parameters = plan.parameters
        self.network = plan.network
        self._forget_settings()
        self.coverage = Coverage()
        self.checker = Checker(self.parameters, TimingModel(self.parameters))
        self.ports = Ports(dut, self.parameters, plan.seed)
        self.rejected_words = RejectedWords(self.ports, self.checker, self.coverage)
        self._rng = random.Random(plan.seed)

    @property
    def images(self) -> int:
        """Images relaxed and compared so far."""
        return self.ports.images

    async def run(self) -> None:
        """All steps, in order."""
        await self.reset()
        ports = self.ports
        watches = [SequencerWatch(self.dut, self.parameters, self.coverage)] if self.watches else []
        tasks = [cocotb.start_soon(part.run()) for part in (*ports.parts, *watches)]
        try:
            if not all(store.initialised for store in self.parameters.stores):
                await self.load(Load(self.network))
            for step in self.plan.steps:
                await self._step(step)
                ports.check_streams()
        finally:
            for task in tasks:
                task.cancel()
        for name, part in (
            ("states", ports.states),
            ("summary", ports.summary),
            ("input", ports.inputs),
            ("command", ports.commands),
            ("load", ports.loads),
        ):
            self.coverage.hit(f"{name} held back", part.waited)

    async def reset(self) -> None:
        """Two cycles of reset; forgets everything under way."""
        await self.ports.reset()
        self.rejected_words.fault_slack = 0
        self._forget_settings()

    def _forget_settings(self) -> None:
        """What a reset does to loaded registers, unlike loaded memories."""
        self.max_sweeps = self.parameters.max_sweeps
        self.threshold = self.parameters.threshold or 0

    @property
    def model(self) -> Model:
        """Of what the core holds now."""
        return Model(self.network, self.parameters, self.max_sweeps, self.threshold)

    async def _step(self, step: Step) -> None:
        match step:
            case Images():
                await self._run_images(step)
            case Load():
                await self.load(step)
            case Limit():
                self.ports.send_load(Space.MAX_SWEEPS, 0, step.max_sweeps)
                await self.ports.drained(self.ports.loads)
                self.max_sweeps = step.max_sweeps
            case Threshold():
                self.ports.send_word(threshold_word(self.parameters, step.threshold))
                await self.ports.drained(self.ports.loads)
                self.threshold = step.threshold
                self.coverage.hit("threshold loaded between images")
            case ResetMidRun():
                await self._reset_mid_run(step)
            case BadTraffic():
                await self.rejected_words.bad_traffic(step.turn, self.model)
                await self.reset()
                self.rejected_words.check([])
            case LoadBetweenPhases():
                await self.rejected_words.load_between_phases(step, self.model)
                await self.reset()

    async def _run_images(self, step: Images) -> None:
        """Queues all images at once: the core alone decides when it takes what."""
        self.ports.set_traffic(step.traffic)
        expected = self.model.phases(step.inputs, step.labels)
        first = len(self.ports.seen)
        starved = self.ports.inputs.sent
        for image, phases in enumerate(expected):
            self.ports.send_image(step.inputs[image], step.traffic)
            for phase in phases:
                label = 0 if step.labels is None else int(step.labels[image])
                self.ports.send_command(phase.command, label, report=step.traffic.report)
        if step.labels is None:
            await self._load_between_images()
        wanted = [(k, phase) for k, phases in enumerate(expected) for phase in phases]
        await self.ports.phases(first + len(wanted))
        self.coverage.hit(
            "input starved", step.traffic.idle > 0 and self.ports.inputs.sent > starved
        )
        for (image, phase), seen in zip(wanted, self.ports.seen[first:], strict=True):
            self.checker.check(self.ports.images + image, phase, seen, report=step.traffic.report)
            self.coverage.of_phase(self.parameters, phase)
        self._cover_inputs(step)
        self.ports.images += len(expected)

    async def _load_between_images(self) -> None:
        """A load that comes while the core works waits until it is idle, and changes nothing."""
        await ClockCycles(self.dut.clk, 5)
        self.ports.send_load(Space.MAX_SWEEPS, 0, self.max_sweeps)

    def _cover_inputs(self, step: Images) -> None:
        self.coverage.hit("empty input", int(np.sum(~step.inputs.any(axis=1))))
        self.coverage.hit("sparse input" if step.traffic.sparse else "dense input")
        self.coverage.hit("report" if step.traffic.report else "no report")
        if not step.traffic.sparse:
            self.coverage.hit("zero input dropped", int(np.sum(step.inputs == 0)))

    async def load(self, step: Load) -> None:
        """Every row of every memory, while the commands of the next images already wait."""
        words = list(load_words(step.network, self.parameters))
        for word in self._shuffled(words) if step.shuffled else words:
            self.ports.send_word(word)
        await self.ports.drained(self.ports.loads)
        self.network = step.network
        self.coverage.hit(
            f"weights reloaded {'in any order' if step.shuffled else 'between images'}"
        )

    def _shuffled(self, words: list[LoadWord]) -> list[LoadWord]:
        """In any order, and before them as many with wrong biases."""
        wrong = [
            replace(word, data=word.data ^ 1 if word.space == Space.BIAS else word.data)
            for word in words
        ]
        return self._rng.sample(wrong, len(wrong)) + self._rng.sample(words, len(words))

    async def _reset_mid_run(self, step: ResetMidRun) -> None:
        self.ports.set_traffic(Traffic())
        self.ports.states.stall = self.ports.summary.stall = 1.0
        self.ports.send_image(step.inputs, Traffic())
        self.ports.send_command(Command.FREE, 0, report=True)
        await ClockCycles(self.dut.clk, step.after)
        await FallingEdge(self.dut.clk)
        if self.dut.states__valid.value:
            self.coverage.hit("reset while results wait")
        elif self.ports.monitor.events:
            self.coverage.hit("reset while relaxing")
        elif self.ports.monitor.inputs:
            self.coverage.hit("reset while presenting")
        await self.reset()
