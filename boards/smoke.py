"""A smoke design: is the board alive, and do clock and pins work? It echoes, and blinks at 1 Hz."""

from typing import Any

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Smoke(wiring.Component):
    """What comes in on `rx` goes out on `tx`; `led` changes twice a second of `clock_hz`."""

    rx: In(1, init=1)  # type: ignore[valid-type]  # Amaranth reads the annotation
    tx: Out(1, init=1)  # type: ignore[valid-type]
    led: Out(1)  # type: ignore[valid-type]

    def __init__(self, clock_hz: float) -> None:
        self._half_period = round(clock_hz / 2)
        super().__init__()

    def elaborate(self, platform: Any) -> Module:
        """A register and a counter."""
        m = Module()
        count = Signal(range(self._half_period))
        m.d.sync += self.tx.eq(self.rx)
        with m.If(count == self._half_period - 1):
            m.d.sync += [count.eq(0), self.led.eq(~self.led)]
        with m.Else():
            m.d.sync += count.eq(count + 1)
        return m
