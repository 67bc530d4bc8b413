"""A wrapped core under test: what is done to it, by registers, words and packets alone."""

import json
import random
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge
from cocotb.utils import get_sim_time

from testbench.rtl.bus_masters import MASTERS, PERIOD_NS, BusError, Registers, Word
from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.model import Phase
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import CONTROL, INTERRUPTS, STATUS
from toreq_hw.rtl.bus.words import SUMMARY_WORDS, state_offsets
from toreq_hw.rtl.interfaces import summary_payload
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel

CONTROLS = {field.name: 1 << field.low for field in CONTROL}
EVENTS = {field.name: 1 << field.low for field in INTERRUPTS}
WAITS = {field.name: 1 << field.low for field in STATUS}

ALL_BYTES = 15


class BusBench:
    """One core behind a bus. refused: accesses that had to be refused, and were.

    report: whether packets leave, as CONTROL was set last.
    """

    def __init__(self, dut: Any, parameters: CoreParameters, bus: Bus, seed: int) -> None:
        self.dut, self.parameters, self.bus = dut, parameters, bus
        self.rng = random.Random(seed)
        self.master = MASTERS[bus](dut, self.rng)
        self.clock = getattr(dut, self.master.clock)
        self.registers = Registers(self.master, self.parameters, bus)
        self.checker = Checker(self.parameters, TimingModel(self.parameters))
        self.refused = 0
        self.report = False

    async def set_control(self, *, sparse: bool = False, report: bool = False) -> None:
        """Raises BusError where CONTROL then holds anything else."""
        settings = CONTROLS["SPARSE"] * sparse | CONTROLS["STREAM"] * report
        await self.registers.write("CONTROL", settings)
        equal("CONTROL", await self.registers.read("CONTROL"), settings)
        self.report = report

    async def command(self, command: int, label: int = 0, *, report: bool = True) -> None:
        """Asks for states: without packets they must go nowhere."""
        await self.registers.write("COMMAND", command | report << 8 | label << 16)

    async def result(self, image: int, phase: Phase) -> None:
        """The packet, the interrupt, the registers: all must say what the simulator says."""
        states, summary = await self.answer()
        # The cycles of a command that asks for states, whether or not anybody gets them.
        asked = np.asarray(phase.states) if states is None else states
        self.checker.check_reply(image, phase, summary, asked)

    async def answer(self) -> tuple[npt.NDArray[np.int16] | None, dict[str, int]]:
        """What a phase came to: states in file order, if packets hold any, and the summary."""
        states, packed = None, []
        if self.report:
            packed = await self.master.packet()
            rows = packed[: -len(SUMMARY_WORDS)]
            states = self._states(rows) if rows else None
            packed = packed[-len(SUMMARY_WORDS) :]
        await self.interrupt("RESULT")
        words = [await self.registers.read(name) for name in self._result_registers()]
        if self.report and packed != words:
            raise BusError(f"a packet must end with the registers {words}, found {packed}")
        if not self.report and self.master.has_packet():
            raise BusError("no packet must leave without STREAM, found one")
        return states, self._summary(words)

    def _result_registers(self) -> list[str]:
        first = self.registers.map["RESULT"].offset
        byte = {r.offset: name for name, r in self.registers.map.items()}
        return [byte[first + 4 * k] for k in range(len(SUMMARY_WORDS))]

    async def interrupt(self, event: str) -> None:
        """`irq` rises, INTERRUPT says why and nothing else, and `irq` falls when it is cleared."""
        await self.until_irq()
        equal("INTERRUPT", await self.registers.read("INTERRUPT"), EVENTS[event])
        await self.registers.write("INTERRUPT", EVENTS[event])
        await ClockCycles(self.clock, 2)
        equal("irq", int(self.dut.irq.value), 0)

    async def until_irq(self, limit: int = 20_000) -> int:
        """Waits until `irq` is high; returns the cycles. Raises BusError behind so many."""
        began = get_sim_time("ns")
        if not self.dut.irq.value:
            await First(RisingEdge(self.dut.irq), ClockCycles(self.clock, limit))
        if not self.dut.irq.value:
            raise BusError("irq must rise, it did not")
        return int(get_sim_time("ns") - began) // PERIOD_NS

    def _summary(self, words: list[int]) -> dict[str, int]:
        widths = {name: field.width for name, field in summary_payload(self.parameters)}
        return {
            name: word >> low & ((1 << widths[name]) - 1)
            for word, fields in zip(words, SUMMARY_WORDS, strict=True)
            for name, low in fields
        }

    def _states(self, words: list[int]) -> npt.NDArray[np.int16]:
        """In file order, by the offsets that the C header gives."""
        data = b"".join(word.to_bytes(4, "little") for word in words)
        pairs = self.parameters.update_lanes == 2
        states = []
        for place in self.parameters.relaxing:
            first = state_offsets(self.parameters)[place.name]
            for k in range(place.size):
                value = data[first + (k // 2 * 4 + k % 2 if pairs else k)]
                states.append(value - 256 * (place.signed and value > 127))
        return np.array(states, dtype=np.int16)

    def words(self, inputs: npt.NDArray[np.int16], *, sparse: bool = False) -> list[Word]:
        """Of an image. Dense words have holes, and sometimes no byte in the last one."""
        if sparse:
            kept = [k for k in range(len(inputs)) if inputs[k]] or [0]
            return [(k << 8 | int(inputs[k]) & 0xFF, ALL_BYTES) for k in kept]
        rng, words, values = self.rng, [], [int(value) & 0xFF for value in inputs]
        while values:
            lanes = rng.choice((15, 15, 15, 5, 8, 7, 1))
            word = rng.getrandbits(32)
            for k in range(4):
                if lanes >> k & 1 and values:
                    word = word & ~(0xFF << 8 * k) | values.pop(0) << 8 * k
                elif lanes >> k & 1:
                    lanes &= ~(1 << k)
            words.append((word, lanes))
        return words

    async def load(self, words: Iterable[LoadWord]) -> None:
        """Every word through LOAD_DATA; each waits until the core has taken it."""
        registers = self.registers
        for word in words:
            for number in range(registers.map["LOAD_DATA"].count):
                await registers.write("LOAD_DATA", word.data >> 32 * number & 0xFFFFFFFF, number)
            await registers.write("LOAD", word.space << 24 | word.address)
            await registers.until("STATUS", "LOAD", 0)

    async def check_status(self, *names: str) -> None:
        """These bits of STATUS and no others are 1; INPUT is 1 whenever it can be."""
        found = await self.registers.read("STATUS")
        wanted = sum(WAITS[name] for name in names)
        equal("STATUS but INPUT", found & ~WAITS["INPUT"], wanted)
        if self.bus is Bus.AXI:
            equal("STATUS.INPUT", found & WAITS["INPUT"], 0)

    async def refuse(self, name: str, value: int, lanes: int = ALL_BYTES) -> None:
        """Raises BusError where a write is taken."""
        address = self.registers.address(name)
        if await self.master.write(address, value, lanes):
            raise BusError(f"{name} must refuse 0x{value:08x} (bytes {lanes}), it took it")
        self.refused += 1

    async def reset_core(self) -> None:
        """By CONTROL; clears what has happened until then."""
        await self.registers.write("CONTROL", CONTROLS["RESET"])
        await self.registers.until("STATUS", "IDLE", 1)
        await self.registers.write("INTERRUPT", sum(EVENTS.values()))
        self.report = False

    def record(self) -> dict[str, Any]:
        """What was compared."""
        return {
            "phases": self.checker.phases,
            "states": self.checker.states,
            "refused": self.refused,
        }


def equal(what: str, found: int, wanted: int) -> None:
    """Raises BusError where they differ."""
    if found != wanted:
        raise BusError(f"{what} must be 0x{wanted:x}, found 0x{found:x}")


async def start_image(bench: BusBench, words: list[Word], label: int = 0) -> None:
    """FREE, and the words of its image."""
    await bench.command(Command.FREE, label)
    await bench.master.send(words)


async def recorded(bench: BusBench, path: Path, work: Callable[[], Awaitable[None]]) -> None:
    """Fails with one line; always leaves a record beside the plan."""
    failure: str | None = None
    Clock(bench.clock, PERIOD_NS, unit="ns").start()
    try:
        await work()
    except (BusError, MismatchError) as error:
        failure = str(error)
    record = {"failure": failure} | bench.record()
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    assert failure is None, failure
