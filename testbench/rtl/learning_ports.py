"""The streams of a core that learns: what is asked for, and what it answers."""

import random
from typing import Any

from cocotb.triggers import ClockCycles

from testbench.rtl.checker import MismatchError
from testbench.rtl.plan import Traffic
from testbench.rtl.ports import LIMIT_CYCLES, Ports
from testbench.rtl.streams import EventMonitor, StreamDriver, StreamMonitor
from toreq_hw.rtl.interfaces import pack, readback_payload
from toreq_hw.rtl.learning.state import LearnedState, state_of
from toreq_hw.rtl.parameters import CoreParameters


class LearningPorts(Ports):
    """answers: words read back since the last reset."""

    def __init__(self, dut: Any, parameters: CoreParameters, seed: int) -> None:
        super().__init__(dut, parameters, seed)
        rng = random.Random(seed + 1)
        self.answers: list[int] = []
        self.reads = StreamDriver(dut, "reads", rng)
        self.readings = StreamMonitor(dut, "readings", rng, self.answers.append)

    @property
    def parts(self) -> tuple[StreamDriver | StreamMonitor | EventMonitor, ...]:
        """What has to run in the simulator."""
        return *super().parts, self.reads, self.readings

    def check_streams(self) -> None:
        """Raises MismatchError where a stream broke its rules."""
        super().check_streams()
        if self.readings.error:
            raise MismatchError(self.readings.error)

    async def reset(self) -> None:
        """Two cycles of reset; forgets everything under way."""
        self.reads.drop()
        self.readings.in_reset = True
        await super().reset()
        self.readings.in_reset = False
        self.answers.clear()

    def set_traffic(self, traffic: Traffic) -> None:
        """How all streams behave from now on."""
        super().set_traffic(traffic)
        self.reads.idle, self.readings.stall = traffic.idle, traffic.stall

    def ask(self, space: int, address: int) -> None:
        """Queues a word to be read back."""
        self.reads.send(pack(readback_payload(self.parameters), space=space, address=address))

    async def answered(self, count: int) -> None:
        """Waits for `count` answers since the reset."""
        for _ in range(LIMIT_CYCLES):
            if len(self.answers) >= count:
                return
            await ClockCycles(self.dut.clk, 1)
        raise MismatchError(f"expected {count} words read back, got {len(self.answers)}")

    async def state(self) -> LearnedState:
        """All that the core holds, read back."""
        words: dict[int, list[int]] = {}
        for space in self.parameters.load_spaces:
            if space.is_read_back:
                first = len(self.answers)
                for row in range(space.rows):
                    self.ask(space.code, row)
                await self.answered(first + space.rows)
                words[space.code] = self.answers[first:]
        return state_of(words, self.parameters)
