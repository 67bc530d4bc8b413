"""What goes into an FPGA: a core, and the link that loads and runs it. No board in sight."""

from typing import Any

from amaranth import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link.gateware import Link
from toreq_hw.boards.stream_register import StreamRegister
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters


class System(wiring.Component):
    """rx, tx: a UART of `baud` at a clock of `clock_hz`. loaded: a network is in the core.

    `images` are the core's contents at power-up; it runs nothing before a load has ended well.
    """

    def __init__(
        self, parameters: CoreParameters, images: MemoryImages, clock_hz: int, baud: int
    ) -> None:
        self._link = Link(parameters, clock_hz, baud)
        self._core = Core(parameters, images)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "loaded": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Connects the link to the core, whose reset it holds."""
        m = Module()
        link, core = self._link, self._core
        m.submodules.link = link
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx), self.loaded.eq(link.loaded)]
        add_core(m, link.core, core)
        return m


def add_core(m: Module, ports: Any, core: Core) -> None:
    """Adds `core` behind the `ports` that a link has for it, with the reset among them."""
    m.submodules.core = ResetInserter(ports.reset)(core)
    m.d.comb += [ports.faults.eq(core.faults), ports.idle.eq(core.idle)]
    learns = core.parameters.learning is not None
    for name in ("inputs", "commands", "loads", *(["reads"] if learns else [])):
        _pass(m, name, getattr(ports, name), getattr(core, name))
    for name in ("states", "summary", *(["readings"] if learns else [])):
        _pass(m, name, getattr(core, name), getattr(ports, name))


def _pass(m: Module, name: str, source: Any, sink: Any) -> None:
    """A stream from `source` to `sink`, over registers: link and core share no long path."""
    m.submodules[name] = relay = StreamRegister(source.payload.shape())
    wiring.connect(m, source, relay.source)
    wiring.connect(m, relay.sink, sink)
