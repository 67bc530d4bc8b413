"""A core with registers and words around it: all of a wrapper but the bus itself."""

from amaranth import ClockSignal, Instance, Module, ResetInserter, ResetSignal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.register_file import REQUEST_PORTS, RegisterFile
from toreq_hw.rtl.bus.registers import check_core
from toreq_hw.rtl.bus.words import (
    INPUT_WORD,
    RESULT_WORD,
    InputWords,
    ResultWords,
)
from toreq_hw.rtl.core_ports import core_ports
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import TOP


class CoreInstance(wiring.Component):
    """The module `toreq_core` of core.v, by its ports. reset: beside that of the clock domain."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__({**core_ports(parameters), "reset": In(1)})

    def elaborate(self, platform: object) -> Module:
        """One instance."""
        m = Module()
        ports = {}
        for path, member, value in self.signature.flatten(self):
            if path != ("reset",):
                letter = "i" if member.flow is In else "o"
                ports[f"{letter}_{'__'.join(map(str, path))}"] = Value.cast(value)
        m.submodules.core = Instance(
            TOP, i_clk=ClockSignal(), i_rst=ResetSignal() | self.reset, **ports
        )
        return m


class Shell(wiring.Component):
    """Registers, the words of images, and the packets of results, around one core.

    words, packets: streams of a bus that has them; behind Wishbone they are registers, and these
    ports do nothing.
    """

    def __init__(self, parameters: CoreParameters, bus: Bus) -> None:
        check_core(parameters, bus)
        self._parameters, self._bus = parameters, bus
        super().__init__(
            {
                **REQUEST_PORTS,
                "words": In(stream.Signature(INPUT_WORD)),
                "packets": Out(stream.Signature(RESULT_WORD)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Wires the parts; a reset by software is that of the core and of what is under way."""
        m = Module()
        parameters = self._parameters
        m.submodules.core = core = CoreInstance(parameters)
        m.submodules.registers = registers = RegisterFile(parameters, self._bus)
        reset = registers.reset_core
        inputs, results = InputWords(parameters), ResultWords(parameters)
        m.submodules.inputs = ResetInserter(reset)(inputs)
        m.submodules.results = ResetInserter(reset)(results)
        for name in ("commands", "loads"):
            wiring.connect(m, getattr(registers, name), getattr(core, name))
        if parameters.learning is not None:
            wiring.connect(m, registers.reads, core.reads)
            wiring.connect(m, core.readings, registers.readings)
        wiring.connect(m, inputs.inputs, core.inputs)
        wiring.connect(m, core.states, results.states)
        wiring.connect(m, core.summary, results.summary)
        if self._bus is Bus.WISHBONE:
            wiring.connect(m, registers.words, inputs.words)
            wiring.connect(m, results.words, registers.packets)
        else:
            wiring.connect(m, wiring.flipped(self.words), inputs.words)
            wiring.connect(m, results.words, wiring.flipped(self.packets))
        m.d.comb += [
            core.reset.eq(reset),
            inputs.sparse.eq(registers.sparse),
            results.enabled.eq(registers.stream),
            registers.idle.eq(core.idle),
            registers.faults.eq(core.faults),
            registers.fault_count.eq(core.fault_count),
            registers.result.eq(results.taken),
            registers.summary.eq(core.summary.payload),
            *(getattr(registers, name).eq(getattr(self, name)) for name in _TO_REGISTERS),
            *(getattr(self, name).eq(getattr(registers, name)) for name in _FROM_REGISTERS),
        ]
        return m


_TO_REGISTERS = ("write", "write_address", "write_data", "write_lanes", "read", "read_address")
_FROM_REGISTERS = ("write_refused", "read_data", "read_refused", "irq")
