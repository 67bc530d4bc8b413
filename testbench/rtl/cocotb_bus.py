"""The one test of a wrapped core that runs inside the simulator: a plan, over the bus."""

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

from testbench.rtl.bus_masters import MASTERS, BusError, Registers, Word
from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.model import Model, Phase
from testbench.rtl.plan import Images, Load, Plan, ResetMidRun
from toreq_hw.network import Network
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import CONTROL, INTERRUPTS, MAGIC, MAP_VERSION
from toreq_hw.rtl.bus.words import SUMMARY_WORDS, state_offsets
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.interfaces import Fault, summary_payload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel

_CONTROL = {field.name: 1 << field.low for field in CONTROL}
_INTERRUPTS = {field.name: 1 << field.low for field in INTERRUPTS}


class BusBench:
    """Carries out a plan by registers, words and packets alone."""

    def __init__(self, dut: Any, plan: Plan, bus: Bus) -> None:
        self.dut, self.plan, self.bus = dut, plan, bus
        self.parameters: CoreParameters = plan.parameters
        self.network: Network = plan.network
        self.rng = random.Random(plan.seed)
        self.master = MASTERS[bus](dut, self.rng)
        self.clock = getattr(dut, self.master.clock)
        self.registers = Registers(self.master, self.parameters, bus)
        self.checker = Checker(self.parameters, TimingModel(self.parameters))
        self.refused = 0

    async def run(self) -> None:
        """All steps, then what must be refused."""
        await self.master.reset()
        await self._check_identity()
        await self.registers.write("INTERRUPT_ENABLE", _INTERRUPTS["RESULT"])
        for step in self.plan.steps:
            match step:
                case Images():
                    await self._images(step)
                case Load():
                    await self._load(step.network)
                case ResetMidRun():
                    await self._reset_mid_run(step)
        await self._check_rejected()
        await self._check_faults()

    async def _check_identity(self) -> None:
        registers = self.registers
        _equal("ID", await registers.read("ID"), MAGIC << 16 | MAP_VERSION)
        wanted = int(self.parameters.network_sha256[:8], 16)
        _equal("NETWORK", await registers.read("NETWORK"), wanted)

    async def _images(self, step: Images) -> None:
        """With states in packets where the traffic reports, else by registers alone."""
        traffic = step.traffic
        self.master.idle = traffic.idle
        settings = _CONTROL["SPARSE"] * traffic.sparse | _CONTROL["STREAM"] * traffic.report
        await self.registers.write("CONTROL", settings)
        _equal("CONTROL", await self.registers.read("CONTROL"), settings)
        expected = Model(self.network, self.parameters, self.parameters.max_sweeps).phases(
            step.inputs, step.labels
        )
        for image, phases in enumerate(expected):
            words = self._words(step.inputs[image], sparse=traffic.sparse)
            for phase in phases:
                label = 0 if step.labels is None else int(step.labels[image])
                await self._command(phase.command, label)
                if phase.command is Command.FREE:
                    await self.master.send(words)
                await self._result(image, phase, report=traffic.report)

    async def _command(self, command: Command, label: int) -> None:
        """Always asks for states: without packets they must go nowhere."""
        await self.registers.write("COMMAND", command | 1 << 8 | label << 16)

    async def _result(self, image: int, phase: Phase, *, report: bool) -> None:
        """The packet, the interrupt, the registers: all must say what the simulator says."""
        states, packed = None, []
        if report:
            packed = await self.master.packet(0)
            states = self._states(packed[: -len(SUMMARY_WORDS)])
            packed = packed[-len(SUMMARY_WORDS) :]
        await self._interrupt()
        words = [await self.registers.read(name) for name in self._result_registers()]
        if report and packed != words:
            raise BusError(f"a packet must end with the registers {words}, found {packed}")
        if not report and self.master.has_packet():
            raise BusError("no packet must leave without STREAM, found one")
        # The cycles of a command that asks for states, whether or not anybody gets them.
        asked = self._silent(phase) if states is None else states
        self.checker.check_reply(image, phase, self._summary(words), asked)

    def _silent(self, phase: Phase) -> npt.NDArray[np.int16]:
        return np.asarray(phase.states)

    def _result_registers(self) -> list[str]:
        first = self.registers.map["RESULT"].offset
        byte = {r.offset: name for name, r in self.registers.map.items()}
        return [byte[first + 4 * k] for k in range(len(SUMMARY_WORDS))]

    async def _interrupt(self) -> None:
        """`irq` rises, says why, and falls when that is cleared."""
        for _ in range(20_000):
            if self.dut.irq.value:
                break
            await ClockCycles(self.clock, 1)
        else:
            raise BusError("irq must rise after a phase, it did not")
        bit = _INTERRUPTS["RESULT"]
        _equal("INTERRUPT", await self.registers.read("INTERRUPT"), bit)
        await self.registers.write("INTERRUPT", bit)
        await ClockCycles(self.clock, 2)
        _equal("irq", int(self.dut.irq.value), 0)

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

    def _words(self, inputs: npt.NDArray[np.int16], *, sparse: bool) -> list[Word]:
        """Of an image. Dense words have holes, and sometimes no byte in the last one."""
        if sparse:
            kept = [k for k in range(len(inputs)) if inputs[k]] or [0]
            return [(k << 8 | int(inputs[k]) & 0xFF, 15) for k in kept]
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

    async def _load(self, network: Network) -> None:
        """Every word through LOAD_DATA; each waits until the core has taken it."""
        registers = self.registers
        for word in load_words(network, self.parameters):
            for number in range(registers.map["LOAD_DATA"].count):
                await registers.write("LOAD_DATA", word.data >> 32 * number & 0xFFFFFFFF, number)
            await registers.write("LOAD", word.space << 24 | word.address)
            await registers.until("STATUS", "LOAD", 0)
        self.network = network

    async def _reset_mid_run(self, step: ResetMidRun) -> None:
        """An image is left in the middle; the reset ends it, and the next one runs."""
        await self.registers.write("CONTROL", 0)
        await self._command(Command.FREE, 0)
        half = self._words(step.inputs, sparse=False)
        await self.master.send(half[: max(1, len(half) // 2)])
        await ClockCycles(self.clock, step.after)
        await self._refused("CONTROL", _CONTROL["SPARSE"])
        await self.registers.write("CONTROL", _CONTROL["RESET"])
        await self.registers.until("STATUS", "IDLE", 1)
        await self.registers.write("INTERRUPT", 3)

    async def _refused(self, name: str, value: int, lanes: int = 15) -> None:
        address = self.registers.address(name)
        if await self.master.write(address, value, lanes):
            raise BusError(f"{name} must refuse 0x{value:08x} (bytes {lanes}), it took it")
        self.refused += 1

    async def _check_rejected(self) -> None:
        """Nothing refused has an effect."""
        registers, master = self.registers, self.master
        before = await registers.read("INTERRUPT_ENABLE")
        for register in registers.map.values():
            if register.access.value == "read":
                await self._refused(register.name, 0xFFFFFFFF)
            elif not register.wishbone:
                await self._refused(register.name, 0xFFFFFFFF, lanes=3)
            if register.access.value == "write":
                done, _ = await master.read(register.offset)
                if done:
                    raise BusError(f"{register.name} must not be readable, it was")
        known = {r.offset + 4 * k for r in registers.map.values() for k in range(r.count)}
        for address in set(range(0, 256, 4)) - known:
            if await master.write(address, 0xFFFFFFFF) or (await master.read(address))[0]:
                raise BusError(f"0x{address:02x} must be refused, it was not")
        if self.bus is Bus.WISHBONE and (await master.read(0x4C))[0]:
            raise BusError("OUTPUT must be refused while it is empty, it was read")
        _equal("INTERRUPT_ENABLE", await registers.read("INTERRUPT_ENABLE"), before)
        _equal("STATUS.COMMAND", (await registers.fields("STATUS"))["COMMAND"], 0)

    async def _check_faults(self) -> None:
        """A word that the core refuses raises the other interrupt, until RESET."""
        registers = self.registers
        await registers.write("INTERRUPT_ENABLE", _INTERRUPTS["FAULT"])
        wrong = (
            ("COMMAND", Command.NUDGE_NEGATIVE, Fault.COMMAND),
            ("COMMAND", 0xFF, Fault.COMMAND),
            ("LOAD", 0xFF << 24, Fault.LOAD_ADDRESS),
            ("LOAD", 4 << 24 | 0xFFFFFF, Fault.LOAD_ADDRESS),
        )
        for number, (name, value, fault) in enumerate(wrong):
            await registers.write(name, value)
            await registers.until("INTERRUPT", "FAULT", 1)
            found = await registers.fields("FAULTS")
            _equal(f"FAULTS.BITS after {name}", found["BITS"] >> fault & 1, 1)
            _equal("FAULTS.COUNT", found["COUNT"], number + 1)
            _equal("irq", int(self.dut.irq.value), 1)
            await registers.write("INTERRUPT", _INTERRUPTS["FAULT"])
        await registers.write("CONTROL", _CONTROL["RESET"])
        await ClockCycles(self.clock, 4)
        _equal("FAULTS", await registers.read("FAULTS"), 0)


def _equal(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise BusError(f"{what} must be 0x{wanted:x}, found 0x{found:x}")


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def carry_out_plan(dut: Any) -> None:
    """Fails with one line; always leaves a record beside the plan."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    bench = BusBench(dut, Plan.load(path), Bus(os.environ["TOREQ_HW_BUS"]))
    failure: str | None = None
    Clock(bench.clock, 10, unit="ns").start()
    try:
        await bench.run()
    except (BusError, MismatchError) as error:
        failure = str(error)
    record = {
        "failure": failure,
        "phases": bench.checker.phases,
        "states": bench.checker.states,
        "refused": bench.refused,
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    assert failure is None, failure
