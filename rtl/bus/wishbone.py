"""A core behind Wishbone B4, classic cycles: registers alone, images and results among them."""

from amaranth import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import ADDRESS_BITS
from toreq_hw.rtl.bus.shell import Shell
from toreq_hw.rtl.bus.words import VALUES_PER_WORD, WORD_BITS
from toreq_hw.rtl.parameters import CoreParameters


class WishboneCore(wiring.Component):
    """Module `toreq_wishbone`. `wb_adr_i` counts bytes.

    A cycle ends with `wb_ack_o` or `wb_err_o`, in the clock cycle after it began. A master waits
    for one of them before it begins the next.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "wb_clk_i": In(1),
                "wb_rst_i": In(1),
                "wb_cyc_i": In(1),
                "wb_stb_i": In(1),
                "wb_we_i": In(1),
                "wb_adr_i": In(ADDRESS_BITS),
                "wb_sel_i": In(VALUES_PER_WORD),
                "wb_dat_i": In(WORD_BITS),
                "wb_dat_o": Out(WORD_BITS),
                "wb_ack_o": Out(1),
                "wb_err_o": Out(1),
                "irq": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The bus is answered out of registers."""
        m = Module()
        m.domains.sync = domain = ClockDomain("sync", local=True)
        domain.clk, domain.rst = self.wb_clk_i, self.wb_rst_i
        m.submodules.shell = shell = Shell(self._parameters, Bus.WISHBONE)
        begins, refused = Signal(), Signal()
        m.d.comb += [
            begins.eq(self.wb_cyc_i & self.wb_stb_i & ~self.wb_ack_o & ~self.wb_err_o),
            shell.write.eq(begins & self.wb_we_i),
            shell.read.eq(begins & ~self.wb_we_i),
            shell.write_address.eq(self.wb_adr_i),
            shell.read_address.eq(self.wb_adr_i),
            shell.write_data.eq(self.wb_dat_i),
            shell.write_lanes.eq(self.wb_sel_i),
            refused.eq((self.wb_we_i & shell.write_refused) | (~self.wb_we_i & shell.read_refused)),
            self.irq.eq(shell.irq),
        ]
        m.d.sync += [self.wb_ack_o.eq(begins & ~refused), self.wb_err_o.eq(begins & refused)]
        with m.If(begins):
            m.d.sync += self.wb_dat_o.eq(shell.read_data)
        return m
