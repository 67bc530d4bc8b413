"""What a wrapped core must do beside its phases: refuse, wait, interrupt, report faults, reset."""

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import ClockCycles

from testbench.rtl.bus_bench import ALL_BYTES, CONTROLS, EVENTS, BusBench, equal, start_image
from testbench.rtl.bus_masters import BusError
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import MAGIC, MAP_VERSION
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command

Image = npt.NDArray[np.int16]


async def check_identity(bench: BusBench) -> None:
    """ID and NETWORK, one after another and both at once."""
    registers = bench.registers
    wanted = MAGIC << 16 | MAP_VERSION, int(bench.parameters.network_sha256[:8], 16)
    equal("ID", await registers.read("ID"), wanted[0])
    equal("NETWORK", await registers.read("NETWORK"), wanted[1])


async def check_together(bench: BusBench) -> None:
    """Reads and writes at once on AXI, whose master then has several of each under way."""
    if bench.bus is not Bus.AXI:
        return
    registers = bench.registers
    for number, value in enumerate((1, 2, 3, 1, 3, 0)):
        bench.master.idle = 0.5 * (number % 2)
        works = [registers.write("LOAD_DATA", 0, 0), registers.write("INTERRUPT_ENABLE", value)]
        tasks = [cocotb.start_soon(one) for one in works]
        names = ("ID", "NETWORK", "CONTROL", "ID")
        reads = [cocotb.start_soon(registers.read(name)) for name in names]
        found = [await one for one in reads]
        for task in tasks:
            await task
        equal("NETWORK among other reads", found[1], int(bench.parameters.network_sha256[:8], 16))
        equal("ID among other reads", found[0], found[3])
        equal("CONTROL among other reads", found[2], 0)
        equal("INTERRUPT_ENABLE", await registers.read("INTERRUPT_ENABLE"), value)
    bench.master.idle = 0.0


async def check_rejected(bench: BusBench) -> None:
    """Nothing refused has an effect."""
    registers, master = bench.registers, bench.master
    before = await registers.read("INTERRUPT_ENABLE")
    for register in registers.map.values():
        if register.access.value == "read":
            await bench.refuse(register.name, 0xFFFFFFFF)
        elif not register.wishbone:
            for lanes in (3, 12, 1, 8, 7, 14):
                await bench.refuse(register.name, 0xFFFFFFFF, lanes)
        if register.access.value == "write":
            done, _ = await master.read(register.offset)
            if done:
                raise BusError(f"{register.name} must not be readable, it was")
    known = {r.offset + 4 * k for r in registers.map.values() for k in range(r.count)}
    for address in set(range(0, 256, 4)) - known:
        if await master.write(address, 0xFFFFFFFF) or (await master.read(address))[0]:
            raise BusError(f"0x{address:02x} must be refused, it was not")
    if bench.bus is Bus.WISHBONE and (await master.read(registers.address("OUTPUT")))[0]:
        raise BusError("OUTPUT must be refused while it is empty, it was read")
    equal("INTERRUPT_ENABLE", await registers.read("INTERRUPT_ENABLE"), before)
    await bench.check_status("IDLE")


async def check_queued_command(bench: BusBench, image: Image) -> None:
    """A command that waits for the end of another phase runs behind it, with its own label."""
    await bench.set_control()
    words = bench.words(image)
    await bench.command(Command.FREE)
    await bench.command(Command.NUDGE_POSITIVE)
    await bench.master.send(words)
    await bench.until_irq()
    await bench.registers.until("STATUS", "COMMAND", 0)
    await bench.registers.until("STATUS", "IDLE", 1)
    equal("RESULT.PHASE", (await bench.registers.fields("RESULT"))["PHASE"], 1)
    await bench.reset_core()


async def check_interrupts(bench: BusBench, image: Image) -> None:
    """Only what is enabled raises `irq`, late enabling too; clearing loses nothing that comes."""
    registers, words = bench.registers, bench.words(image)
    await bench.set_control()
    await registers.write("INTERRUPT_ENABLE", EVENTS["FAULT"])
    await start_image(bench, words)
    await registers.until("INTERRUPT", "RESULT", 1)
    await ClockCycles(bench.clock, 2)
    equal("irq that is not enabled", int(bench.dut.irq.value), 0)
    await registers.write("INTERRUPT", EVENTS["FAULT"])
    equal("INTERRUPT", await registers.read("INTERRUPT"), EVENTS["RESULT"])
    await registers.write("INTERRUPT_ENABLE", EVENTS["RESULT"])
    await ClockCycles(bench.clock, 2)
    equal("irq", int(bench.dut.irq.value), 1)
    await registers.write("INTERRUPT", EVENTS["RESULT"])
    await _check_clearing(bench, image)


async def _check_clearing(bench: BusBench, image: Image) -> None:
    """INTERRUPT is written in every cycle around the end of a phase: `irq` rises each time."""
    bench.master.idle = 0.0
    words = [(int(value) & 0xFF, 1) for value in image]
    await start_image(bench, words)
    cycles = await bench.until_irq()
    await bench.registers.write("INTERRUPT", EVENTS["RESULT"])
    for wait in range(max(0, cycles - 16), cycles + 2):
        await start_image(bench, words)
        rises = cocotb.start_soon(bench.until_irq(cycles + 40))
        await ClockCycles(bench.clock, wait)
        await bench.registers.write("INTERRUPT", EVENTS["RESULT"])
        await rises  # an event that comes in the cycle of the write is not lost
        await bench.registers.write("INTERRUPT", EVENTS["RESULT"])


async def check_faults(bench: BusBench, image: Image) -> None:
    """A word that the core refuses raises the other interrupt, until RESET."""
    registers, parameters = bench.registers, bench.parameters
    await bench.reset_core()
    await registers.write("INTERRUPT_ENABLE", EVENTS["FAULT"])
    await start_image(bench, bench.words(image))  # so that a nudge may follow
    await registers.until("INTERRUPT", "RESULT", 1)
    await registers.write("INTERRUPT", EVENTS["RESULT"])
    await _check_fault(bench, "COMMAND", Command.NUDGE_POSITIVE | 1 << 31, Fault.LABEL, 1)
    label = parameters.classes << 16
    await _check_fault(bench, "COMMAND", Command.NUDGE_POSITIVE | label, Fault.LABEL, 2)
    await bench.reset_core()
    wrong = [
        ("COMMAND", Command.NUDGE_NEGATIVE, Fault.COMMAND),
        ("COMMAND", 0xFF, Fault.COMMAND),
        ("COMMAND", 0x80 | Command.FREE, Fault.COMMAND),
        ("LOAD", 0xFF << 24, Fault.LOAD_ADDRESS),
        ("LOAD", (0x80 | Space.BIAS) << 24, Fault.LOAD_ADDRESS),
        ("LOAD", Space.BIAS << 24 | 0xFFFFFF, Fault.LOAD_ADDRESS),
        ("LOAD", Space.BIAS << 24 | 1 << 23, Fault.LOAD_ADDRESS),
    ]
    if parameters.learning is not None:
        wrong += [
            ("READ", Space.GENERATOR << 24 | 1 << 23, Fault.LOAD_ADDRESS),
            ("READ", (0x80 | Space.GENERATOR) << 24, Fault.LOAD_ADDRESS),
        ]
    for number, (name, value, fault) in enumerate(wrong, 1):
        await _check_fault(bench, name, value, fault, number)
    await registers.write("CONTROL", CONTROLS["RESET"])
    await ClockCycles(bench.clock, 4)
    equal("FAULTS", await registers.read("FAULTS"), 0)
    equal("INTERRUPT", await registers.read("INTERRUPT"), 0)
    await _check_wrong_images(bench)


async def _check_wrong_images(bench: BusBench) -> None:
    """Indices that no input has, also where their low bits are one; an image too long."""
    master, size = bench.master, bench.parameters.input.size
    for word in (size << 8, 1 << 31 | 0, 1 << 24 | 0):
        await bench.set_control(sparse=True)
        await bench.command(Command.FREE)
        await master.send([(word, ALL_BYTES)])
        await _faulty(bench, f"input {word >> 8}", Fault.INPUT_INDEX, 1)
        await bench.reset_core()
    await bench.set_control()
    await bench.command(Command.FREE)
    await master.send([(0, 1)] * size + [(0, 0)])  # full, and then the end alone
    await _faulty(bench, "an image too long", Fault.INPUT_INDEX, 1)
    await bench.reset_core()


async def _check_fault(bench: BusBench, name: str, value: int, fault: Fault, count: int) -> None:
    await bench.registers.write(name, value)
    await _faulty(bench, f"{name} 0x{value:08x}", fault, count)


async def _faulty(bench: BusBench, what: str, fault: Fault, count: int) -> None:
    registers = bench.registers
    await registers.until("INTERRUPT", "FAULT", 1)
    found = await registers.fields("FAULTS")
    equal(f"FAULTS.BITS after {what}", found["BITS"] >> fault & 1, 1)
    equal(f"FAULTS.COUNT after {what}", found["COUNT"], count)
    await ClockCycles(bench.clock, 1)
    equal("irq", int(bench.dut.irq.value), 1)
    await registers.write("INTERRUPT", EVENTS["FAULT"])
