"""UART and frames in Amaranth's simulator, against the protocol's software side."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from amaranth.sim import Simulator

from toreq_hw.boards.link.frames import Deframer, Framer
from toreq_hw.boards.link.protocol import (
    ESCAPE,
    FLAG,
    Frame,
    Request,
    delimit,
    frame_crc,
    load_check,
)
from toreq_hw.boards.link.uart import UartReceiver, UartTransmitter

BUFFER = 256


def simulate(component: Any, bench: Callable[[Any], Any]) -> None:
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def random_frames(seed: int, count: int) -> list[Frame]:
    """Payloads of all lengths that fit, many bytes of which need an escape."""
    rng = random.Random(seed)
    lengths = [0, 1, BUFFER - 7, *(rng.randrange(40) for _ in range(count))]
    common = [FLAG, ESCAPE, FLAG ^ 0x20, 0, 0xFF]
    return [
        Frame(
            rng.randrange(256),
            rng.randrange(256),
            bytes(rng.choice([*common, rng.randrange(256)]) for _ in range(length)),
        )
        for length in lengths
    ]


async def feed(ctx: Any, dut: Deframer, data: bytes) -> None:
    for byte in data:
        ctx.set(dut.data, byte)
        ctx.set(dut.valid, 1)
        await ctx.tick()
        ctx.set(dut.valid, 0)
        await ctx.tick().repeat(3)


async def taken(ctx: Any, dut: Deframer, sequence: int | None = None) -> Frame | None:
    """The frame that the deframer holds, read back and released; sequence: if it was seen before.

    The deframer shows that of the frame that came last, held or not.
    """
    if not ctx.get(dut.held):
        return None
    payload = []
    is_empty = sequence is None and ctx.get(dut.empty)
    for at in range(4, 4 if is_empty else ctx.get(dut.end)):
        ctx.set(dut.read_address, at)
        await ctx.tick()
        payload.append(ctx.get(dut.read))
    sequence = ctx.get(dut.sequence) if sequence is None else sequence
    frame = Frame(sequence, ctx.get(dut.type), bytes(payload))
    ctx.set(dut.release, 1)
    await ctx.tick()
    ctx.set(dut.release, 0)
    return frame


def test_every_frame_of_the_software_side_is_taken() -> None:
    dut = Deframer(BUFFER, b"identity")

    async def bench(ctx: Any) -> None:
        for frame in random_frames(1, 20):
            await feed(ctx, dut, frame.encode())
            assert await taken(ctx, dut) == frame
        assert ctx.get(dut.errors) == 0
        ctx.set(dut.read_address, BUFFER)
        await ctx.tick()
        assert ctx.get(dut.read) == b"identity"[0]

    simulate(dut, bench)


def test_garbage_is_dropped_counted_and_forgotten() -> None:
    dut = Deframer(BUFFER, b"")
    rng = random.Random(2)
    good = Frame(9, 3, bytes(range(20)))
    body = good.encode()[1:-1]
    short = bytes([9, 3, 0, 19]) + good.payload
    wrong_length = delimit(short + frame_crc(short).to_bytes(2, "big"))[1:-1]
    long = bytes(BUFFER) + bytes([9, 3, 0, 20]) + good.payload
    behind = delimit(long + frame_crc(long).to_bytes(2, "big"))
    wrong = {
        "a flipped bit": bytes([body[0] ^ 1]) + body[1:],
        "a cut": body[:-1],
        "a byte too many": body + b"\0",
        "a wrong length": wrong_length,
        "a cut escape": body + bytes([ESCAPE]),
        "a frame longer than the buffer": bytes(300),
        "a frame as long as the buffer": Frame(1, 2, bytes(BUFFER - 6)).encode()[1:-1],
        "a frame behind a bufferful": behind[1:-1],
        "a length beyond the buffer": bytes([1, 2, 0xFF, 0xFF, 0, 0]),
        "noise": bytes(rng.randrange(0x7D) for _ in range(50)),
    }

    async def bench(ctx: Any) -> None:
        for count, (name, stuffed) in enumerate(wrong.items(), start=1):
            await feed(ctx, dut, bytes([FLAG]) + stuffed + bytes([FLAG]))
            assert await taken(ctx, dut) is None, name
            assert ctx.get(dut.errors) == count, name
            await feed(ctx, dut, good.encode())
            assert await taken(ctx, dut) == good, name
        await feed(ctx, dut, b"before any flag" + good.encode())
        assert await taken(ctx, dut) == good

    simulate(dut, bench)


@pytest.mark.parametrize("payload", [b"second", b"again"])
def test_what_arrives_while_a_frame_is_held_is_dropped(payload: bytes) -> None:
    """Longer than the one that is held, or as long."""
    dut = Deframer(BUFFER, b"")
    first, second, third = Frame(1, 2, b"first"), Frame(2, 2, payload), Frame(3, 2, b"third")

    async def bench(ctx: Any) -> None:
        encoded = second.encode()
        await feed(ctx, dut, first.encode() + encoded[:5])
        assert await taken(ctx, dut, first.sequence) == first
        await feed(ctx, dut, encoded[5:])
        assert await taken(ctx, dut) is None
        await feed(ctx, dut, third.encode())
        assert await taken(ctx, dut) == third
        assert ctx.get(dut.errors) == 0

    simulate(dut, bench)


@pytest.mark.parametrize("kind", [Request.IDENTIFY, Request.RESET])
@pytest.mark.parametrize("sent", range(1, 8))
def test_identify_and_reset_are_heard_while_a_frame_is_held(kind: Request, sent: int) -> None:
    """However much of it is here when the other one is released; no other frame is."""
    dut = Deframer(BUFFER, b"")
    first, urgent = Frame(1, Request.IMAGE, bytes(range(20))), Frame(2, kind)
    encoded = urgent.encode()
    other = Frame(3, Request.STATUS).encode() + Frame(4, kind, b"payload").encode()
    wrong = bytearray(Frame(5, kind).encode())
    wrong[-2] ^= 1
    for length in (b"\0\1", b"\1\0"):
        body = bytes([6, kind]) + length
        other += delimit(body + frame_crc(body).to_bytes(2, "big"))
    interrupts = []

    async def bench(ctx: Any) -> None:
        await feed(ctx, dut, first.encode() + other + wrong + encoded[:sent])
        assert await taken(ctx, dut, first.sequence) == first
        await feed(ctx, dut, encoded[sent:])
        assert await taken(ctx, dut) == urgent
        await feed(ctx, dut, first.encode() + encoded)
        assert await taken(ctx, dut) == urgent
        assert ctx.get(dut.empty)
        await feed(ctx, dut, first.encode())
        assert await taken(ctx, dut) == first
        assert ctx.get(dut.errors) == 0

    async def watch(ctx: Any) -> None:
        async for _, _, high in ctx.tick().sample(dut.interrupts):
            interrupts.append(high)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_process(watch)
    simulator.run()
    assert sum(interrupts) == 1


@pytest.mark.parametrize("held_back", [0.0, 0.7])
def test_the_framer_sends_what_the_software_side_would(held_back: float) -> None:
    dut = Framer()
    rng = random.Random(3)
    frames = random_frames(4, 12)
    bodies = [frame.encode() for frame in frames]
    found = bytearray()

    async def source(ctx: Any) -> None:
        for frame in frames:
            head = bytes([frame.sequence, frame.type]) + len(frame.payload).to_bytes(2, "big")
            data = head + frame.payload
            for index, byte in enumerate(data):
                ctx.set(dut.body.payload, {"byte": byte, "last": index == len(data) - 1})
                ctx.set(dut.body.valid, 1)
                await ctx.tick().until(dut.body.ready)
        ctx.set(dut.body.valid, 0)

    async def sink(ctx: Any) -> None:
        for _ in range(10 * sum(map(len, bodies))):
            ready = rng.random() >= held_back
            ctx.set(dut.bytes.ready, ready)
            _, _, valid, byte = await ctx.tick().sample(dut.bytes.valid, dut.bytes.payload)
            if ready and valid:
                found.append(byte)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    assert bytes(found) == b"".join(bodies)


@pytest.mark.parametrize("cycles", [4, 16, 24, 208])
@pytest.mark.parametrize("off", [0.98, 1.0, 1.02])
def test_the_receiver_takes_bytes_from_a_sender_that_is_two_percent_off(
    cycles: int, off: float
) -> None:
    dut = UartReceiver(cycles)
    rng = random.Random(cycles)
    data = bytes([0x00, 0xFF, 0x55, 0xAA, *(rng.randrange(256) for _ in range(8))])
    bits = [bit for byte in data for bit in (0, *(byte >> k & 1 for k in range(8)), 1)]
    found = bytearray()

    async def bench(ctx: Any) -> None:
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(2 * cycles)
        for cycle in range(int(len(bits) * cycles * off) + 2 * cycles):
            at = int(cycle / (cycles * off))
            ctx.set(dut.rx, bits[at] if at < len(bits) else 1)
            _, _, valid, byte = await ctx.tick().sample(dut.valid, dut.data)
            if valid:
                found.append(byte)

    simulate(dut, bench)
    assert bytes(found) == data


def test_the_receiver_drops_a_byte_without_stop_bit_and_a_glitch() -> None:
    dut = UartReceiver(16)
    levels = [1] * 20 + [0] * 4 + [1] * 40 + [0] * 160 + [1] * 40
    levels += [level for bit in (0, 1, 0, 1, 0, 0, 0, 0, 0, 1) for level in [bit] * 16] + [1] * 20
    found = bytearray()

    async def bench(ctx: Any) -> None:
        for level in levels:
            ctx.set(dut.rx, level)
            _, _, valid, byte = await ctx.tick().sample(dut.valid, dut.data)
            if valid:
                found.append(byte)

    simulate(dut, bench)
    assert bytes(found) == bytes([0b00000101])


def test_the_transmitter_keeps_its_bits_equally_long() -> None:
    dut = UartTransmitter(5)
    levels: list[int] = []

    async def source(ctx: Any) -> None:
        for byte in (0xA5, 0x00):
            ctx.set(dut.bytes.payload, byte)
            ctx.set(dut.bytes.valid, 1)
            await ctx.tick().until(dut.bytes.ready)
        ctx.set(dut.bytes.valid, 0)
        await ctx.tick().repeat(60)

    async def watch(ctx: Any) -> None:
        while True:
            levels.append(ctx.get(dut.tx))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    first = levels.index(0)
    bits = levels[first + 2 : first + 2 + 50 : 5]
    assert bits == [0, 1, 0, 1, 0, 0, 1, 0, 1, 1]
    second = first + 50 + levels[first + 50 :].index(0)
    assert 50 <= second - first <= 51, "one stop bit between bytes"
    assert levels[second : second + 45] == [0] * 45


def test_both_checks_are_the_catalogued_ones() -> None:
    """The check values of CRC-16/IBM-3740 and CRC-32/BZIP2 in the RevEng catalogue."""
    assert frame_crc(b"123456789") == 0x29B1
    assert load_check(b"123456789") == 0xFC891918
