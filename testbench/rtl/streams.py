"""Drivers and monitors of the core's ports: the only code that touches signals.

Everything is driven just after the rising edge and sampled at the falling one, where all
signals of a cycle are settled in every simulator.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from cocotb.triggers import Event, FallingEdge, RisingEdge


def signed(value: int, bits: int) -> int:
    """`bits` bits read as two's complement."""
    return value - (1 << bits) if value >> (bits - 1) else value


class StreamDriver:
    """Sends words in order; rests a cycle with chance `idle` before each."""

    def __init__(self, dut: Any, name: str, rng: random.Random) -> None:
        self._clock = dut.clk
        self._payload = getattr(dut, f"{name}__payload")
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._rng = rng
        self._words: deque[int] = deque()
        self._filled = Event()
        self.idle = 0.0
        self.waited = 0
        self.sent = 0

    def send(self, word: int) -> None:
        """Queues a word; returns at once."""
        self._words.append(word)
        self._filled.set()

    @property
    def pending(self) -> int:
        """Words not yet taken by the core."""
        return len(self._words)

    def drop(self) -> None:
        """Forgets all words (for a reset)."""
        self._words.clear()
        self._rest()

    async def run(self) -> None:
        """Sends for ever; a word leaves the queue in the cycle that transfers it."""
        self._rest()
        while True:
            if not self._words:
                self._filled.clear()
                await self._filled.wait()
            await RisingEdge(self._clock)
            while self._words:
                if self._rng.random() < self.idle:
                    self._rest()
                    await RisingEdge(self._clock)
                    continue
                self._valid.value = 1
                self._payload.value = self._words[0]
                await FallingEdge(self._clock)
                while self._words and not self._ready.value:
                    self.waited += 1
                    await FallingEdge(self._clock)
                if self._words:
                    self._words.popleft()
                    self.sent += 1
                await RisingEdge(self._clock)
            self._rest()

    def _rest(self) -> None:
        """No word; what then lies on the payload is anything, and must not matter."""
        self._valid.value = 0
        self._payload.value = self._rng.getrandbits(len(self._payload))


class StreamMonitor:
    """Takes words, refusing a cycle with chance `stall`; checks that waiting words stand."""

    def __init__(
        self, dut: Any, name: str, rng: random.Random, take: Callable[[int], None]
    ) -> None:
        self._clock = dut.clk
        self._name = name
        self._payload = getattr(dut, f"{name}__payload")
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._rng = rng
        self._take = take
        self.stall = 0.0
        self.waited = 0
        self.in_reset = False
        self.error: str | None = None

    async def run(self) -> None:
        """Samples for ever."""
        self._ready.value = 1
        standing: int | None = None
        while True:
            if not self._valid.value:
                await RisingEdge(self._valid)
            ready = self._rng.random() >= self.stall
            self._ready.value = ready
            await FallingEdge(self._clock)
            if self._valid.value:
                word = int(self._payload.value)
                if standing not in (None, word):
                    self.error = self.error or f"stream {self._name}: a waiting payload changed"
                standing = None if ready else word
                self.waited += not ready
                if ready:
                    self._take(word)
            elif standing is not None and not self.in_reset:
                self.error = self.error or f"stream {self._name}: valid fell before ready"
                standing = None
            else:
                standing = None
            await RisingEdge(self._clock)


class EventMonitor:
    """Collects the monitor port: each event as its walk begins."""

    def __init__(self, dut: Any, delta_bits: int) -> None:
        self._dut = dut
        self._delta_bits = delta_bits
        self.events: list[tuple[int, int, int]] = []
        self.inputs: list[tuple[int, int]] = []

    async def run(self) -> None:
        """Samples for ever."""
        dut = self._dut
        strobe, is_input = dut.monitor__strobe, dut.monitor__is_input
        neuron, delta, sweep = dut.monitor__neuron, dut.monitor__delta, dut.monitor__sweep
        while True:
            await FallingEdge(dut.clk)
            if not strobe.value:
                await RisingEdge(strobe)
                continue
            step = signed(int(delta.value), self._delta_bits)
            if is_input.value:
                self.inputs.append((int(neuron.value), step))
            else:
                self.events.append((int(sweep.value), int(neuron.value), step))

    def take(self) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
        """What was collected since the last call."""
        taken = self.events, self.inputs
        self.events, self.inputs = [], []
        return taken
