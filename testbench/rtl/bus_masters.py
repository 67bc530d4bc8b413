"""What masters both buses in a simulation: registers written and read, images in, packets out."""

import random
from collections.abc import Coroutine, Iterator
from itertools import repeat
from typing import Any

from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, SimTimeoutError, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import BYTES, STATUS, Register, registers
from toreq_hw.rtl.parameters import CoreParameters

PATIENCE = 3_000
"""Cycles that something may take, and reads of STATUS."""

PERIOD_NS = 10
"""Of the clock."""

Word = tuple[int, int]
"""32 bits, and which bytes of them count."""


class BusError(Exception):
    """The bus did what it must not; the message is one line."""


class AxiMaster:
    """AXI by cocotbext-axi, which rests on any channel with chance `idle`."""

    clock = "aclk"

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self._dut, self._rng = dut, rng
        self.idle = 0.0
        low = {"reset": dut.aresetn, "reset_active_level": False}
        lite = AxiLiteBus.from_prefix(dut, "s_axi")
        self._lite = AxiLiteMaster(lite, dut.aclk, **low)
        self._source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, **low)
        self._sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, **low)
        write, read = self._lite.write_if, self._lite.read_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel):
            channel.set_pause_generator(self._rests())
        for channel in (read.ar_channel, read.r_channel, self._source, self._sink):
            channel.set_pause_generator(self._rests())

    def _rests(self) -> Iterator[bool]:
        while True:
            yield self._rng.random() < self.idle

    async def reset(self) -> None:
        """Two cycles."""
        self._dut.aresetn.value = 0
        await ClockCycles(self._dut.aclk, 2)
        self._dut.aresetn.value = 1
        await ClockCycles(self._dut.aclk, 2)

    async def write(self, address: int, value: int, lanes: int = 15) -> bool:
        """Whether it was done. lanes: which bytes, side by side."""
        first = (lanes & -lanes).bit_length() - 1
        data = value.to_bytes(BYTES, "little")[first : lanes.bit_length()]
        response = await self._in_time(self._lite.write(address + first, data), "a write must end")
        return bool(response.resp == AxiResp.OKAY)

    async def read(self, address: int) -> tuple[bool, int]:
        """Whether it was done, and the value."""
        response = await self._in_time(self._lite.read(address, BYTES), "a read must end")
        return response.resp == AxiResp.OKAY, int.from_bytes(response.data, "little")

    async def send(self, words: list[Word]) -> None:
        """The words of an image, whenever the core takes them."""
        data = b"".join(word.to_bytes(BYTES, "little") for word, _ in words)
        keep = [lanes >> k & 1 for _, lanes in words for k in range(BYTES)]
        await self._source.send(AxiStreamFrame(data, tkeep=keep))

    async def packet(self) -> list[int]:
        """The next packet."""
        frame = await self._in_time(self._sink.recv(), "a packet must come")
        data = bytes(frame.tdata)
        return [int.from_bytes(data[k : k + BYTES], "little") for k in range(0, len(data), BYTES)]

    async def _in_time(self, work: Coroutine[Any, Any, Any], must: str) -> Any:
        """What `work` gives; raises BusError where it takes too long."""
        try:
            return await with_timeout(work, 8 * PATIENCE * PERIOD_NS, "ns")
        except SimTimeoutError:
            raise BusError(f"{must} within {8 * PATIENCE} cycles, it did not") from None

    def has_packet(self) -> bool:
        """Whether anything has come that nobody asked for."""
        return not self._sink.empty()

    def hold_packets(self, *, held: bool) -> None:
        """Takes no words while `held`."""
        self._sink.set_pause_generator(repeat(True) if held else self._rests())

    def hold_responses(self, *, held: bool) -> None:
        """Takes no answers to writes while `held`."""
        answers = self._lite.write_if.b_channel
        answers.set_pause_generator(repeat(True) if held else self._rests())


class WishboneMaster:
    """Wishbone B4, classic cycles; rests before each with chance `idle`, `cyc` high or low."""

    clock = "wb_clk_i"

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self._dut, self._rng = dut, rng
        self.idle = 0.0
        for name in ("cyc", "stb", "we", "adr", "sel", "dat"):
            getattr(dut, f"wb_{name}_i").value = 0

    async def reset(self) -> None:
        """Two cycles."""
        self._dut.wb_rst_i.value = 1
        await ClockCycles(self._dut.wb_clk_i, 2)
        self._dut.wb_rst_i.value = 0

    async def write(self, address: int, value: int, lanes: int = 15) -> bool:
        """Whether it was done. lanes: which bytes."""
        return (await self._cycle(address, value, lanes, writes=True))[0]

    async def read(self, address: int) -> tuple[bool, int]:
        """Whether it was done, and the value."""
        return await self._cycle(address, self._rng.getrandbits(32), 15, writes=False)

    async def _cycle(
        self, address: int, value: int, lanes: int, *, writes: bool
    ) -> tuple[bool, int]:
        """One cycle of the bus; what lies there while it rests is noise."""
        dut = self._dut
        while self._rng.random() < self.idle:
            await RisingEdge(dut.wb_clk_i)
            cycle, strobe = self._rng.choice(((0, 0), (0, 1), (1, 0)))
            dut.wb_cyc_i.value, dut.wb_stb_i.value = cycle, strobe
            dut.wb_we_i.value = self._rng.getrandbits(1)
            dut.wb_adr_i.value = self._rng.getrandbits(8)
        await RisingEdge(dut.wb_clk_i)
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 1
        dut.wb_we_i.value, dut.wb_adr_i.value = int(writes), address
        dut.wb_sel_i.value, dut.wb_dat_i.value = lanes, value
        for _ in range(PATIENCE):
            await FallingEdge(dut.wb_clk_i)
            done, refused = int(dut.wb_ack_o.value), int(dut.wb_err_o.value)
            if done and refused:
                raise BusError("a cycle must end with ack or err, found both")
            if done or refused:
                break
        else:
            raise BusError("a cycle must end, found none")
        read = int(dut.wb_dat_o.value)
        await RisingEdge(dut.wb_clk_i)
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 0
        return bool(done), read

    async def send(self, words: list[Word]) -> None:
        """A word whenever INPUT takes one, without asking STATUS first: a refused one is sent
        again."""
        for number, (word, lanes) in enumerate(words):
            address = 0x48 if number == len(words) - 1 else 0x44
            for _ in range(PATIENCE):
                if await self.write(address, word, lanes):
                    break
            else:
                raise BusError("INPUT must take a word, it did not")

    async def packet(self) -> list[int]:
        """Words until the one that STATUS calls the last."""
        bits = {field.name: 1 << field.low for field in STATUS}
        found: list[int] = []
        for _ in range(PATIENCE):
            _, status = await self.read(0x0C)
            if not status & bits["OUTPUT"]:
                continue
            if await self.write(0x4C, 0):
                raise BusError("OUTPUT must refuse to be written, it took it")
            done, word = await self.read(0x4C)
            if not done:
                raise BusError("OUTPUT must hold what STATUS says, found none")
            found.append(word)
            if status & bits["OUTPUT_LAST"]:
                return found
        raise BusError(f"a packet must end, found {len(found)} words of it")

    def has_packet(self) -> bool:
        """Words stay in the core until they are read."""
        return False

    def hold_packets(self, *, held: bool) -> None:
        """The same: nothing has to be done."""


Master = AxiMaster | WishboneMaster
MASTERS: dict[Bus, type[Master]] = {Bus.AXI: AxiMaster, Bus.WISHBONE: WishboneMaster}


class Registers:
    """Registers by name, behind a master; what is refused against expectation is an error."""

    def __init__(self, master: Master, parameters: CoreParameters, bus: Bus):
        self.master = master
        self.map: dict[str, Register] = {r.name: r for r in registers(parameters, bus)}

    def address(self, name: str, number: int = 0) -> int:
        """Of a register, or of one of several."""
        return self.map[name].offset + BYTES * number

    async def write(self, name: str, value: int, number: int = 0) -> None:
        """Raises BusError where it is refused."""
        if not await self.master.write(self.address(name, number), value):
            raise BusError(f"{name} must take 0x{value:08x}, it was refused")

    async def read(self, name: str, number: int = 0) -> int:
        """Raises BusError where it is refused."""
        done, value = await self.master.read(self.address(name, number))
        if not done:
            raise BusError(f"{name} must be readable, it was refused")
        return value

    async def fields(self, name: str) -> dict[str, int]:
        """The fields of a register by name."""
        value = await self.read(name)
        return {f.name: value >> f.low & ((1 << f.bits) - 1) for f in self.map[name].fields}

    async def until(self, name: str, field: str, wanted: int) -> None:
        """Reads until a field has a value."""
        for _ in range(PATIENCE):
            if (await self.fields(name))[field] == wanted:
                return
        raise BusError(f"{name}.{field} must become {wanted}, it did not")
