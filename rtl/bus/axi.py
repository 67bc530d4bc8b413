"""A core behind AXI: images and results as AXI4-Stream, registers as AXI4-Lite."""

from amaranth import ClockDomain, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import ADDRESS_BITS
from toreq_hw.rtl.bus.shell import Shell
from toreq_hw.rtl.bus.words import VALUES_PER_WORD, WORD_BITS
from toreq_hw.rtl.parameters import CoreParameters

OKAY, SLVERR = 0, 2
"""Responses of a bus that did, and did not do, what it was asked for."""


class AxiCore(wiring.Component):
    """Module `toreq_axi`. One clock, `aclk`; `aresetn` is low for a cycle or more, and synchronous.

    A register is read or written in two cycles where the master does not wait.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(WORD_BITS),
                "s_axis_tkeep": In(VALUES_PER_WORD),
                "s_axis_tlast": In(1),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(WORD_BITS),
                "m_axis_tkeep": Out(VALUES_PER_WORD),
                "m_axis_tlast": Out(1),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "s_axi_awaddr": In(ADDRESS_BITS),
                "s_axi_awprot": In(3),
                "s_axi_awvalid": In(1),
                "s_axi_awready": Out(1),
                "s_axi_wdata": In(WORD_BITS),
                "s_axi_wstrb": In(VALUES_PER_WORD),
                "s_axi_wvalid": In(1),
                "s_axi_wready": Out(1),
                "s_axi_bresp": Out(2),
                "s_axi_bvalid": Out(1),
                "s_axi_bready": In(1),
                "s_axi_araddr": In(ADDRESS_BITS),
                "s_axi_arprot": In(3),
                "s_axi_arvalid": In(1),
                "s_axi_arready": Out(1),
                "s_axi_rdata": Out(WORD_BITS),
                "s_axi_rresp": Out(2),
                "s_axi_rvalid": Out(1),
                "s_axi_rready": In(1),
                "irq": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Address and data of a write come in any order, one of each at a time."""
        m = Module()
        m.domains.sync = domain = ClockDomain("sync", local=True)
        domain.clk = self.aclk
        m.d.comb += domain.rst.eq(~self.aresetn)
        m.submodules.shell = self._shell = Shell(self._parameters, Bus.AXI)
        self._connect_streams(m)
        self._connect_writes(m)
        self._connect_reads(m)
        m.d.comb += self.irq.eq(self._shell.irq)
        return m

    def _connect_streams(self, m: Module) -> None:
        words, packets = self._shell.words, self._shell.packets
        m.d.comb += [
            words.payload.data.eq(self.s_axis_tdata),
            words.payload.keep.eq(self.s_axis_tkeep),
            words.payload.last.eq(self.s_axis_tlast),
            words.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(words.ready),
            self.m_axis_tdata.eq(packets.payload.data),
            self.m_axis_tkeep.eq(~0),
            self.m_axis_tlast.eq(packets.payload.last),
            self.m_axis_tvalid.eq(packets.valid),
            packets.ready.eq(self.m_axis_tready),
        ]

    def _connect_writes(self, m: Module) -> None:
        shell, has_address, has_data = self._shell, Signal(), Signal()
        m.d.comb += [
            self.s_axi_awready.eq(~has_address),
            self.s_axi_wready.eq(~has_data),
            shell.write.eq(has_address & has_data & ~self.s_axi_bvalid),
        ]
        with m.If(self.s_axi_awvalid & self.s_axi_awready):
            m.d.sync += [has_address.eq(1), shell.write_address.eq(self.s_axi_awaddr)]
        with m.If(self.s_axi_wvalid & self.s_axi_wready):
            m.d.sync += [
                has_data.eq(1),
                shell.write_data.eq(self.s_axi_wdata),
                shell.write_lanes.eq(self.s_axi_wstrb),
            ]
        with m.If(self.s_axi_bready):
            m.d.sync += self.s_axi_bvalid.eq(0)
        with m.If(shell.write):
            m.d.sync += [
                has_address.eq(0),
                has_data.eq(0),
                self.s_axi_bvalid.eq(1),
                self.s_axi_bresp.eq(Mux(shell.write_refused, SLVERR, OKAY)),
            ]

    def _connect_reads(self, m: Module) -> None:
        shell, has_address = self._shell, Signal()
        m.d.comb += [
            self.s_axi_arready.eq(~has_address),
            shell.read.eq(has_address & ~self.s_axi_rvalid),
        ]
        with m.If(self.s_axi_arvalid & self.s_axi_arready):
            m.d.sync += [has_address.eq(1), shell.read_address.eq(self.s_axi_araddr)]
        with m.If(self.s_axi_rready):
            m.d.sync += self.s_axi_rvalid.eq(0)
        with m.If(shell.read):
            m.d.sync += [
                has_address.eq(0),
                self.s_axi_rvalid.eq(1),
                self.s_axi_rdata.eq(shell.read_data),
                self.s_axi_rresp.eq(Mux(shell.read_refused, SLVERR, OKAY)),
            ]
