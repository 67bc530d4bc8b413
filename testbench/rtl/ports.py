"""Everything between a test and the core's wires: words out, replies in, and patience."""

import random
from typing import Any

import numpy as np
import numpy.typing as npt
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from testbench.rtl.checker import MismatchError, Seen
from testbench.rtl.plan import Traffic
from testbench.rtl.streams import EventMonitor, StreamDriver, StreamMonitor, signed
from toreq_hw.rtl.interfaces import (
    command_payload,
    input_payload,
    load_payload,
    pack,
    states_payload,
    summary_payload,
    unpack,
)
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command

LIMIT_CYCLES = 10_000
"""No phase of these tests takes longer; a core that hangs fails instead of waiting."""


class Ports:
    """The streams of one core. seen: a record of every phase answered since the last reset.

    images: the number of the image at hand, for messages.
    """

    def __init__(self, dut: Any, parameters: CoreParameters, seed: int) -> None:
        self.dut = dut
        self.parameters = parameters
        self.images = 0
        rng = random.Random(seed)
        self.inputs = StreamDriver(dut, "inputs", rng)
        self.commands = StreamDriver(dut, "commands", rng)
        self.loads = StreamDriver(dut, "loads", rng)
        self.summary = StreamMonitor(dut, "summary", rng, self._take_summary)
        self.states = StreamMonitor(dut, "states", rng, self._take_states)
        self.monitor = EventMonitor(dut, parameters.delta_bits)
        self.seen: list[Seen] = []
        self._rows: list[int] = []

    @property
    def parts(self) -> tuple[StreamDriver | StreamMonitor | EventMonitor, ...]:
        """What has to run in the simulator."""
        return self.inputs, self.commands, self.loads, self.summary, self.states, self.monitor

    def check_streams(self) -> None:
        """Raises MismatchError where a stream broke its rules."""
        for sink in (self.states, self.summary):
            if sink.error:
                raise MismatchError(f"image {self.images}, {sink.error}")

    async def reset(self) -> None:
        """Two cycles of reset; forgets everything under way."""
        for driver in (self.inputs, self.commands, self.loads):
            driver.drop()
        self.states.in_reset = self.summary.in_reset = True
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)
        self.states.in_reset = self.summary.in_reset = False
        self.monitor.take()
        self.seen.clear()
        self._rows.clear()

    async def phases(self, count: int) -> None:
        """Waits for `count` summaries; a hang is an error."""
        patience, seen = LIMIT_CYCLES, len(self.seen)
        while len(self.seen) < count:
            if patience <= 0:
                raise MismatchError(
                    f"image {self.images}: expected {count} phases, {LIMIT_CYCLES} cycles each at "
                    f"most, got {len(self.seen)}"
                )
            patience = LIMIT_CYCLES if len(self.seen) > seen else patience - 20
            seen = len(self.seen)
            await ClockCycles(self.dut.clk, 20)

    async def settle(self) -> None:
        """Until every word is taken, and what it did can be seen."""
        for driver in (self.loads, self.commands, self.inputs):
            await self.drained(driver)
        await ClockCycles(self.dut.clk, 3)

    def set_traffic(self, traffic: Traffic) -> None:
        """How all streams behave from now on."""
        for driver in (self.inputs, self.commands, self.loads):
            driver.idle = traffic.idle
        for sink in (self.states, self.summary):
            sink.stall = traffic.stall

    def send_image(self, values: npt.NDArray[np.int16], traffic: Traffic) -> None:
        """Queues an image, all of it or what is not zero."""
        if not traffic.sparse:
            for index, value in enumerate(values.tolist()):
                self.send_input(dense=1, value=value, last=index == len(values) - 1)
            return
        indices = np.flatnonzero(values).tolist() or [0]
        for index in indices:
            self.send_input(index=index, value=int(values[index]), last=index == indices[-1])

    def send_input(self, **fields: int) -> None:
        """Queues one input word."""
        self.inputs.send(pack(input_payload(self.parameters), **fields))

    def send_command(self, command: "Command | int", label: int, *, report: bool) -> None:
        """Queues a command, or the number of one that does not exist."""
        number = int(command)
        layout = command_payload(self.parameters)
        self.commands.send(pack(layout, command=number, label=label, report=report))

    def send_word(self, word: LoadWord) -> None:
        """Queues a load word."""
        self.send_load(word.space, word.address, word.data)

    def send_load(self, space: int, address: int, word: int) -> None:
        """Queues a load word by its fields."""
        layout = load_payload(self.parameters)
        self.loads.send(pack(layout, space=space, address=address, data=word))

    async def drained(self, driver: StreamDriver) -> None:
        """Waits until every word is taken; a stream that stands still is an error."""
        pending, patience = driver.pending, LIMIT_CYCLES
        while driver.pending:
            if patience == 0:
                raise MismatchError(f"{pending} words were never taken in {LIMIT_CYCLES} cycles")
            patience = LIMIT_CYCLES if driver.pending < pending else patience - 1
            pending = driver.pending
            await RisingEdge(self.dut.clk)

    def _take_states(self, word: int) -> None:
        self._rows.append(word)

    def _take_summary(self, word: int) -> None:
        events, inputs = self.monitor.take()
        fields = unpack(summary_payload(self.parameters), word)
        self.seen.append(Seen(fields, events, inputs, self._taken_states()))

    def _taken_states(self) -> npt.NDArray[np.int64] | None:
        rows, self._rows = self._rows, []
        if not rows:
            return None
        layout = states_payload(self.parameters)
        states = []
        for number, row in enumerate(rows):
            fields = unpack(layout, row)
            last = number == self.parameters.slices - 1
            if (fields["slice"], fields["last"]) != (number, last):
                self.states.error = self.states.error or (
                    f"states: expected slice {number} last {int(last)}, got {fields['slice']} "
                    f"{fields['last']}"
                )
            states += self._lanes(fields["states"])
        return np.array(states, dtype=np.int64)

    def _lanes(self, word: int) -> list[int]:
        bits = self.parameters.state_bits
        values = [
            (word >> (k * bits)) & ((1 << bits) - 1) for k in range(self.parameters.update_lanes)
        ]
        if self.parameters.has_signed_states:
            values = [signed(value, bits) for value in values]
        return values
