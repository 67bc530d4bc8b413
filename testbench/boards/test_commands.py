"""Requests carried out on a stand-in for a core, at any speed of the core and of the line."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from amaranth import Module, Signal
from amaranth.sim import Simulator

from testbench.networks import random_case
from toreq_hw.boards.link.commands import CommandUnit
from toreq_hw.boards.link.frames import Deframer, Framer
from toreq_hw.boards.link.identity import Identity, buffer_bytes
from toreq_hw.boards.link.protocol import (
    LOAD_CHECK_BYTES,
    REPLY,
    SUMMARY_FIELDS,
    Code,
    Frame,
    ImageFlag,
    Request,
    State,
    load_check,
)
from toreq_hw.boards.link.requests import words
from toreq_hw.boards.link.wire_format import states_bytes
from toreq_hw.network import Schedule
from toreq_hw.rtl.parameters import CoreParameters

FIRST_TO_LAST = ImageFlag.FIRST | ImageFlag.LAST | ImageFlag.REPORT
NETWORK = random_case(6, schedule=Schedule.PARITY).network


def requests(parameters: CoreParameters) -> list[Frame]:
    """A load, two images, and questions."""
    chunks = list(words(NETWORK, parameters, 249))
    check = load_check(b"".join(chunks)).to_bytes(LOAD_CHECK_BYTES, "big")
    asked = [
        (Request.BEGIN, b""),
        *((Request.WORDS, chunk) for chunk in chunks),
        (Request.COMMIT, check),
        (Request.IMAGE, bytes([FIRST_TO_LAST, 0, 9, 1])),
        (Request.IMAGE, bytes([FIRST_TO_LAST & ~ImageFlag.REPORT, 0, 9, 1])),
        (Request.IDENTIFY, b""),
        (Request.STATUS, b""),
    ]
    return [Frame(k, request, payload) for k, (request, payload) in enumerate(asked, start=1)]


class Bench:
    """A command unit between its frames, and what a core would tell it."""

    def __init__(self) -> None:
        self.parameters = CoreParameters.of(NETWORK, 8)
        self.requests = requests(self.parameters)
        self.identity = Identity.of(self.parameters, 24_000_000)
        self.deframer = Deframer(buffer_bytes(self.parameters), self.identity.encode())
        self.framer = Framer()
        self.unit = CommandUnit(self.parameters, self.identity, self.deframer, self.framer)
        self.is_over = Signal()
        rng = random.Random(5)
        bits = self.parameters.update_lanes * self.parameters.state_bits
        self.slices = [rng.getrandbits(bits) for _ in range(self.parameters.slices)]
        summary = self.unit.core.summary.payload
        self.counters = {
            name: rng.getrandbits(min(bits, len(summary[name]))) for name, bits in SUMMARY_FIELDS
        } | {"settled": 1}

    def replies(self) -> list[Frame]:
        """What docs/link.md says to the requests."""
        result = b"".join(
            self.counters[name].to_bytes(bits // 8, "big") for name, bits in SUMMARY_FIELDS
        )
        length = states_bytes(self.parameters)
        states = b"".join(word.to_bytes(length, "big") for word in self.slices)
        after = (b"", states + result, result, self.identity.encode(), bytes(2))
        rows = len(self.requests) - len(after)
        loaded = [*[State.LOADING] * rows, *[State.LOADED] * len(after)]
        return [
            Frame(request.sequence, request.type | REPLY, bytes([Code.OK | state]) + data)
            for request, state, data in zip(
                self.requests, loaded, [b""] * rows + list(after), strict=True
            )
        ]

    async def core(self, ctx: Any, pause: int) -> None:
        """Takes everything at once, and answers `pause` cycles after it is asked."""
        core = self.unit.core
        for port in (core.inputs, core.commands, core.loads):
            ctx.set(port.ready, 1)
        while not ctx.get(self.is_over):
            await ctx.tick().until(core.commands.valid | self.is_over)
            reports = ctx.get(core.commands.payload.report)
            for index, word in enumerate(self.slices if reports else ()):
                last = index == len(self.slices) - 1
                states = core.states.payload.states.as_value()
                ctx.set(core.states.payload.last, last)
                ctx.set(states, word)
                await self._give(ctx, core.states, pause)
            for name, value in self.counters.items():
                ctx.set(core.summary.payload[name], value)
            await self._give(ctx, core.summary, pause)

    async def _give(self, ctx: Any, port: Any, pause: int) -> None:
        if pause:
            await ctx.tick().repeat(pause)
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready | self.is_over)
        ctx.set(port.valid, 0)

    async def host(self, ctx: Any, frame: Frame, is_ready: Callable[[], bool]) -> bytes:
        """Sends a request and gives back the reply to it, or what came of one in 20,000 cycles."""
        ctx.set(self.framer.bytes.ready, 0)
        for byte in frame.encode():
            ctx.set(self.deframer.data, byte)
            ctx.set(self.deframer.valid, 1)
            await ctx.tick()
            ctx.set(self.deframer.valid, 0)
            await ctx.tick().repeat(3)
        found = bytearray()
        source = self.framer.bytes
        for _ in range(20_000):
            ready = is_ready()
            ctx.set(source.ready, ready)
            _, _, valid, byte = await ctx.tick().sample(source.valid, source.payload)
            if ready and valid:
                found.append(byte)
                if len(found) > 1 and byte == found[0]:
                    break
        return bytes(found)


@pytest.mark.parametrize("pause", [0, 1, 100])
@pytest.mark.parametrize("byte_cycles", [1, 2, 40])
def test_replies_do_not_depend_on_the_speed_of_core_or_line(pause: int, byte_cycles: int) -> None:
    bench = Bench()
    rng = random.Random(pause + byte_cycles)
    module = Module()
    module.submodules += [bench.unit, bench.deframer, bench.framer]
    found = []

    async def host(ctx: Any) -> None:
        for request in bench.requests:
            reply = await bench.host(ctx, request, lambda: rng.randrange(byte_cycles) == 0)
            found.append(reply.hex(" "))
        ctx.set(bench.is_over, 1)

    async def core(ctx: Any) -> None:
        await bench.core(ctx, pause)

    simulator = Simulator(module)
    simulator.add_clock(1e-6)
    simulator.add_testbench(host)
    simulator.add_testbench(core)
    simulator.run()
    assert found == [reply.encode().hex(" ") for reply in bench.replies()]
