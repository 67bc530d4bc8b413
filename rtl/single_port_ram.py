"""A memory with one port: block RAM, or on an iCE40 UltraPlus its single-port RAM (SPRAM)."""

from amaranth import Cat, ClockSignal, Const, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.memory import make_memory
from toreq_hw.rtl.memory_spec import MemorySpec

SPRAM_DEPTH = 1 << 14
SPRAM_WIDTH = 16


class SinglePortRam(wiring.Component):
    """The memory of `spec`; reads arrive one cycle after `read_address`.

    init: contents at power-up, None for a memory that has none. In a cycle with `enable`
    either `write_data` is written (`write` high) or the word is read; otherwise, and after a
    write, `read_data` means nothing.

    A memory without contents becomes SPRAM where the platform is an iCE40 UltraPlus. Everywhere
    else, simulation included, it is `Memory`, in the columns of `spec`, each as wide as one block
    holds in that depth: a tool left alone may stack wide blocks instead, and the choice among
    them would stand in the way of what is read.
    """

    def __init__(self, spec: MemorySpec, init: list[int] | None) -> None:
        self._spec, self._init = spec, init
        self._depth, self._width = depth, width = spec.depth, spec.width
        super().__init__(
            {
                "read_address": In(index_bits(depth)),
                "write_address": In(index_bits(depth)),
                "enable": In(1),
                "write": In(1),
                "write_data": In(width),
                "read_data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the memory that the platform has."""
        if self._init is None and str(getattr(platform, "device", "")).startswith("iCE40UP"):
            return self._spram()
        m = Module()
        first = 0
        for width in self._spec.columns:
            mask = (1 << width) - 1
            init = [word >> first & mask for word in self._init or []]
            m.submodules += (memory := make_memory(self._spec, init, width=width))
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                write.addr.eq(self.write_address),
                write.data.eq(self.write_data[first:][:width]),
                write.en.eq(self.enable & self.write),
                read.addr.eq(self.read_address),
                read.en.eq(self.enable & ~self.write),
                self.read_data[first:][:width].eq(read.data),
            ]
            first += width
        return m

    def _spram(self) -> Module:
        """Primitives side by side for width, one behind the other for depth."""
        m = Module()
        deep = -(-self._depth // SPRAM_DEPTH)
        wide = -(-self._width // SPRAM_WIDTH)
        address = Signal(index_bits(self._depth))
        m.d.comb += address.eq(Mux(self.write, self.write_address, self.read_address))
        low = Signal(14)
        m.d.comb += low.eq(address)
        above = address[14:]
        chosen = Signal(max(1, (deep - 1).bit_length()))
        with m.If(self.enable):
            m.d.sync += chosen.eq(above)
        words = []
        for bank in range(deep):
            parts = []
            for part in range(wide):
                read = Signal(SPRAM_WIDTH, name=f"read{bank}_{part}")
                piece = self.write_data[part * SPRAM_WIDTH :][:SPRAM_WIDTH]
                m.submodules[f"spram{bank}_{part}"] = Instance(
                    "SB_SPRAM256KA",
                    i_CLOCK=ClockSignal(),
                    i_ADDRESS=low,
                    i_DATAIN=Cat(piece, Const(0, SPRAM_WIDTH - len(piece))),
                    i_MASKWREN=Const(0b1111, 4),
                    i_WREN=self.write,
                    i_CHIPSELECT=self.enable & (above == bank if deep > 1 else 1),
                    i_STANDBY=Const(0, 1),
                    i_SLEEP=Const(0, 1),
                    i_POWEROFF=Const(1, 1),  # active low
                    o_DATAOUT=read,
                )
                parts.append(read)
            words.append(Cat(*parts))
        word = words[0]
        for bank in range(1, deep):
            word = Mux(chosen == bank, words[bank], word)
        m.d.comb += self.read_data.eq(word)
        return m
