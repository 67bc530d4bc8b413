"""Every word passes once and in order, whatever either side does."""

import random

import pytest
from amaranth.sim import Simulator, SimulatorContext

from toreq_hw.boards.stream_register import StreamRegister

WORDS = list(range(1, 60))


@pytest.mark.parametrize("idle_source", [0.0, 0.6])
@pytest.mark.parametrize("idle_sink", [0.0, 0.6])
def test_each_word_once(idle_source: float, idle_sink: float) -> None:
    relay = StreamRegister(8)
    draw = random.Random(3)
    got: list[int] = []

    async def send(context: SimulatorContext) -> None:
        for word in WORDS:
            while draw.random() < idle_source:
                await context.tick()
            context.set(relay.source.payload, word)
            context.set(relay.source.valid, 1)
            await context.tick().until(relay.source.ready)
            context.set(relay.source.valid, 0)

    async def receive(context: SimulatorContext) -> None:
        while len(got) < len(WORDS):
            context.set(relay.sink.ready, draw.random() >= idle_sink)
            _, _, valid, ready, payload = await context.tick().sample(
                relay.sink.valid, relay.sink.ready, relay.sink.payload
            )
            if valid and ready:
                got.append(payload)
        context.set(relay.sink.ready, 1)
        for _ in range(9):
            _, _, valid = await context.tick().sample(relay.sink.valid)
            assert not valid, "a word came twice"

    simulator = Simulator(relay)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send)
    simulator.add_testbench(receive)
    simulator.run_until(1e-3)
    assert got == WORDS


def test_control_never_passes_within_a_cycle() -> None:
    relay = StreamRegister(8)

    async def watch(context: SimulatorContext) -> None:
        context.set(relay.source.valid, 1)
        assert not context.get(relay.sink.valid)
        await context.tick()
        assert context.get(relay.sink.valid)
        context.set(relay.sink.ready, 1)
        assert not context.get(relay.source.ready)
        await context.tick()
        assert context.get(relay.source.ready)

    simulator = Simulator(relay)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    simulator.run_until(1e-4)
