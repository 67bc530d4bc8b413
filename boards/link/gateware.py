"""The link in gateware: a UART on one side, the core's ports on the other."""

from amaranth import Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link.commands import CommandUnit, core_signature
from toreq_hw.boards.link.frames import Deframer, Framer
from toreq_hw.boards.link.identity import Identity, buffer_bytes
from toreq_hw.boards.link.uart import UartReceiver, UartTransmitter, bit_cycles
from toreq_hw.rtl.parameters import CoreParameters


class FrameLink(wiring.Component):
    """The link without its UART.

    data, valid: bytes that come in, four cycles apart or more. bytes: those that go out. core: the
    ports of a core. loaded: a network is in it.
    """

    def __init__(self, parameters: CoreParameters, clock_hz: int) -> None:
        identity = Identity.of(parameters, clock_hz)
        self.deframer = Deframer(buffer_bytes(parameters), identity.encode())
        self.framer = Framer()
        self.commands = CommandUnit(parameters, identity, self.deframer, self.framer)
        super().__init__(
            {
                "data": In(8),
                "valid": In(1),
                "bytes": Out(stream.Signature(unsigned(8))),
                "core": Out(core_signature(parameters)),
                "loaded": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Instantiates the parts and connects them."""
        m = Module()
        m.submodules.deframer = deframer = self.deframer
        m.submodules.framer = framer = self.framer
        m.submodules.commands = commands = self.commands
        m.d.comb += [
            deframer.data.eq(self.data),
            deframer.valid.eq(self.valid),
            self.loaded.eq(commands.loaded),
        ]
        wiring.connect(m, framer.bytes, wiring.flipped(self.bytes))
        wiring.connect(m, wiring.flipped(self.core), commands.core)
        return m


class Link(wiring.Component):
    """rx, tx: the UART. core: the ports of a core. loaded: a network is in it.

    Raises InputError where no whole number of clock cycles, four or more, is a bit.
    """

    def __init__(self, parameters: CoreParameters, clock_hz: int, baud: int) -> None:
        self._cycles = bit_cycles(clock_hz, baud)
        self._frames = FrameLink(parameters, clock_hz)
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "core": Out(core_signature(parameters)),
                "loaded": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Instantiates the parts and connects them."""
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self._cycles)
        m.submodules.transmitter = transmitter = UartTransmitter(self._cycles)
        m.submodules.frames = frames = self._frames
        m.d.comb += [
            receiver.rx.eq(self.rx),
            frames.data.eq(receiver.data),
            frames.valid.eq(receiver.valid),
            self.tx.eq(transmitter.tx),
            self.loaded.eq(frames.loaded),
        ]
        wiring.connect(m, frames.bytes, transmitter.bytes)
        wiring.connect(m, wiring.flipped(self.core), frames.core)
        return m
