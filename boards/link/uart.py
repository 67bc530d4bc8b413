"""A UART, 8N1: bits of `cycles` clock cycles each, lowest bit first."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from toreq_hw.errors import InputError

MIN_CYCLES = 4
"""Clock cycles a bit: with fewer, the middle of a bit cannot be hit."""

_MOST_OFF = 0.02
"""Of a bit's length, beside what a sender may be off."""


def bit_cycles(clock_hz: int, baud: int) -> int:
    """Clock cycles of a bit.

    Raises InputError where there are fewer than MIN_CYCLES, or whole cycles miss the rate by more
    than 2 %.
    """
    cycles = round(clock_hz / baud)
    if cycles < MIN_CYCLES:
        raise InputError(
            f"baud must be at most {clock_hz // MIN_CYCLES} at {clock_hz} Hz, found {baud}"
        )
    if abs(clock_hz / cycles - baud) > _MOST_OFF * baud:
        raise InputError(
            f"baud must be {clock_hz} Hz by a whole number, to 2 %; nearest {clock_hz // cycles}, "
            f"found {baud}"
        )
    return cycles


class UartReceiver(wiring.Component):
    """Bytes from `rx`; `valid` is high for one cycle, and nobody can hold a byte back.

    A byte whose stop bit is low is dropped, and the line must come to rest before the next. Bits
    are sampled half a bit after the start bit's edge. So a sender may be off by 4 %, at 16 cycles a
    bit or more.
    """

    def __init__(self, cycles: int) -> None:
        self._cycles = cycles
        super().__init__({"rx": In(1), "data": Out(8), "valid": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Builds a counter of cycles, one of bits, and a shift register."""
        m = Module()
        rx = Signal(init=1)
        m.submodules += FFSynchronizer(self.rx, rx, init=1)
        wait = Signal(range(self._cycles))
        shift = Signal(9)  # start bit lowest; the bits above fall in from the top
        bits = Signal(range(10))
        m.d.comb += self.data.eq(shift[1:])
        with m.FSM(name="uart"):
            with m.State("REST"):
                # The edge was seen up to a cycle late: half a bit, less one cycle.
                m.d.sync += [wait.eq((self._cycles - 1) // 2 - 1), bits.eq(0)]
                with m.If(~rx):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += [
                        wait.eq(self._cycles - 1),
                        bits.eq(bits + 1),
                    ]
                    with m.If((bits == 0) & rx):
                        m.next = "REST"  # a glitch, no start bit
                    with m.Elif(bits == 9):
                        m.d.comb += self.valid.eq(rx)
                        m.next = "END"
                    with m.Else():
                        m.d.sync += shift.eq(Cat(shift[1:], rx))
            with m.State("END"), m.If(rx):
                m.next = "REST"
        return m


class UartTransmitter(wiring.Component):
    """Bytes to `tx`, each with one stop bit."""

    def __init__(self, cycles: int) -> None:
        self._cycles = cycles
        super().__init__({"bytes": In(stream.Signature(unsigned(8))), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Builds a shift register that is spent when only its marker is left."""
        m = Module()
        wait = Signal(range(self._cycles))
        shift = Signal(9)  # data, then a marker that becomes the stop bit; 0 when at rest
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(shift != 0):
            m.d.sync += [
                self.tx.eq(shift[0]),
                shift.eq(shift >> 1),
                wait.eq(self._cycles - 1),
            ]
        with m.Else():
            m.d.comb += self.bytes.ready.eq(1)
            with m.If(self.bytes.valid):
                m.d.sync += [
                    self.tx.eq(0),
                    shift.eq(Cat(self.bytes.payload, 1)),
                    wait.eq(self._cycles - 1),
                ]
        return m
