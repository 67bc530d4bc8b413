"""What a wrapped core holds while something waits, and what a reset leaves of it."""

import cocotb
from cocotb.triggers import ClockCycles

from testbench.rtl.bus_bench import CONTROLS, EVENTS, WAITS, BusBench, equal, start_image
from testbench.rtl.bus_checks import Image
from testbench.rtl.bus_masters import AxiMaster, BusError
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command


async def check_responses(bench: BusBench) -> None:
    """On AXI a write waits until the answer to the one before is taken, and each gets its own."""
    if not isinstance(bench.master, AxiMaster):
        return
    registers, master = bench.registers, bench.master
    master.hold_responses(held=True)
    refused = cocotb.start_soon(master.write(registers.address("ID"), 1))
    await ClockCycles(bench.clock, 20)
    taken = cocotb.start_soon(master.write(registers.address("INTERRUPT_ENABLE"), 3))
    await ClockCycles(bench.clock, 20)
    master.hold_responses(held=False)
    equal("the answer to a write of ID", int(await refused), 0)
    equal("the answer to a write of INTERRUPT_ENABLE", int(await taken), 1)
    equal("INTERRUPT_ENABLE", await registers.read("INTERRUPT_ENABLE"), 3)
    await registers.write("INTERRUPT_ENABLE", 0)


async def check_waiting(bench: BusBench, image: Image) -> None:
    """A command and a load that wait, and what they refuse; a reset by software drops all."""
    registers, data = bench.registers, range(bench.registers.map["LOAD_DATA"].count)
    await bench.set_control(report=True)
    await bench.check_status("IDLE")
    await bench.command(Command.FREE)
    await ClockCycles(bench.clock, 4)
    await bench.check_status()
    for number in data:
        await registers.write("LOAD_DATA", 0, number)
    await registers.write("LOAD", Space.MAX_SWEEPS << 24)  # 0: it would be a fault
    await bench.check_status("LOAD")
    await bench.refuse("LOAD", Space.BIAS << 24)
    await bench.refuse("LOAD_DATA", 0)
    await bench.command(Command.NUDGE_NEGATIVE)
    await bench.check_status("COMMAND", "LOAD")
    await bench.refuse("COMMAND", Command.FREE)
    await bench.refuse("CONTROL", CONTROLS["SPARSE"])
    equal("CONTROL", await registers.read("CONTROL"), CONTROLS["STREAM"])
    await bench.reset_core()
    await bench.check_status("IDLE")
    equal("CONTROL", await registers.read("CONTROL"), 0)
    equal("FAULTS", await registers.read("FAULTS"), 0)
    if bench.bus is Bus.WISHBONE:
        await _check_stray_words(bench, image)


async def _check_stray_words(bench: BusBench, image: Image) -> None:
    """Words behind an image, while it settles, are refused once one waits; a reset drops it."""
    registers, seen, clean = bench.registers, set(), await _result_of(bench, image)
    await start_image(bench, bench.words(image))
    for number in range(64):
        if not await registers.read("STATUS") & WAITS["INPUT"]:
            seen.add("STATUS")
        name = ("INPUT", "INPUT_LAST")[number % 2]
        if not await bench.master.write(registers.address(name), 0x01020304):
            seen.add(name)
        if len(seen) == 3:
            break
    else:
        raise BusError(
            f"STATUS, INPUT, INPUT_LAST must say that a word waits, found {sorted(seen)}"
        )
    await bench.reset_core()
    if await _result_of(bench, image) != clean:
        raise BusError("an image behind a reset must come to what it came to before")


async def _result_of(bench: BusBench, image: Image) -> dict[str, int]:
    """What the free phase of an image comes to."""
    await bench.set_control()
    await start_image(bench, bench.words(image))
    _, summary = await bench.answer()
    return summary


async def check_packets(bench: BusBench, image: Image) -> None:
    """`irq` waits for the packet; without REPORT it holds the summary alone; a reset drops it."""
    await bench.set_control(report=True)
    words = bench.words(image)
    await bench.command(Command.FREE, report=False)
    await bench.master.send(words)
    states, _ = await bench.answer()
    if states is not None:
        raise BusError("a packet must have no states without REPORT, it has some")
    for report in (True, False):  # states wait, or the summary
        await bench.set_control(report=True)
        bench.master.hold_packets(held=True)
        await bench.command(Command.FREE, report=report)
        await bench.master.send(words)
        await ClockCycles(bench.clock, 1000)
        equal("irq before the packet is taken", int(bench.dut.irq.value), 0)
        equal("INTERRUPT", await bench.registers.read("INTERRUPT"), 0)
        await bench.reset_core()
        bench.master.hold_packets(held=False)
    if bench.bus is Bus.WISHBONE:
        await _check_broken_packet(bench, image)


async def _check_broken_packet(bench: BusBench, image: Image) -> None:
    """A reset behind the first word of a summary; the next packet is that of before."""
    packets = []
    for breaks in (False, True, False):
        await bench.set_control(report=True)
        await bench.command(Command.FREE, report=not breaks)
        await bench.master.send(bench.words(image))
        if not breaks:
            packets.append(await bench.master.packet())
            continue
        await bench.registers.until("STATUS", "OUTPUT", 1)
        await bench.registers.read("OUTPUT")
        await bench.reset_core()
    await bench.reset_core()
    whole, again = packets
    if again != whole:
        raise BusError(f"a packet behind a broken one must be {whole}, found {again}")


async def check_silence(bench: BusBench, image: Image) -> None:
    """Without STREAM no word leaves on AXI, not for a cycle."""
    if bench.bus is not Bus.AXI:
        return
    await bench.set_control()
    await start_image(bench, bench.words(image))
    for _ in range(1000):
        await ClockCycles(bench.clock, 1)
        equal("m_axis_tvalid without STREAM", int(bench.dut.m_axis_tvalid.value), 0)
        if bench.dut.irq.value:
            break
    await bench.reset_core()


async def check_result_stands(bench: BusBench, image: Image) -> None:
    """What a phase came to can be read until the next one ends."""
    registers, names = bench.registers, ("RESULT", "CYCLES")
    await bench.set_control()
    await start_image(bench, bench.words(image))
    await bench.until_irq()
    before = [await registers.read(name) for name in names]
    await bench.command(Command.FREE)
    await ClockCycles(bench.clock, 50)
    for name, value in zip(names, before, strict=True):
        equal(f"{name} while the next phase runs", await registers.read(name), value)
    await bench.reset_core()


async def check_reset(bench: BusBench, image: Image) -> None:
    """The reset of the bus in an image, while things wait: nothing is left but weights."""
    registers, words = bench.registers, bench.words(image)
    await registers.write("INTERRUPT_ENABLE", sum(EVENTS.values()))
    await registers.write("COMMAND", Command.NUDGE_NEGATIVE)  # a fault
    await bench.until_irq()
    await bench.set_control(sparse=True, report=True)
    await bench.command(Command.FREE)
    await bench.master.send(words[:1])
    await bench.command(Command.NUDGE_POSITIVE)
    await registers.write("LOAD", Space.MAX_SWEEPS << 24)
    await bench.master.reset()
    equal("irq", int(bench.dut.irq.value), 0)
    for name in ("CONTROL", "INTERRUPT_ENABLE", "INTERRUPT", "FAULTS"):
        equal(f"{name} after a reset", await registers.read(name), 0)
    equal("STATUS but INPUT", await registers.read("STATUS") & ~WAITS["INPUT"], WAITS["IDLE"])
    await registers.write("INTERRUPT_ENABLE", EVENTS["RESULT"])
