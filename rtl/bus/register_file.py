"""The register file of a wrapper, without the bus in front of it."""

from amaranth import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import (
    ADDRESS_BITS,
    BYTES,
    CONTROL,
    INTERRUPTS,
    STATUS,
    Access,
    Register,
    id_value,
    network_value,
    registers,
)
from toreq_hw.rtl.bus.words import (
    INPUT_WORD,
    RESULT_WORD,
    VALUES_PER_WORD,
    WORD_BITS,
    summary_words,
)
from toreq_hw.rtl.interfaces import (
    Fault,
    Members,
    command_payload,
    load_payload,
    readback_payload,
    readings_payload,
    source_of,
    summary_payload,
)
from toreq_hw.rtl.parameters import CoreParameters

REQUEST_PORTS: Members = {
    "write": In(1),
    "write_address": In(ADDRESS_BITS),
    "write_data": In(WORD_BITS),
    "write_lanes": In(VALUES_PER_WORD),
    "write_refused": Out(1),
    "read": In(1),
    "read_address": In(ADDRESS_BITS),
    "read_data": Out(WORD_BITS),
    "read_refused": Out(1),
    "irq": Out(1),
}
"""How a bus reads and writes registers: strobes, of one cycle each, and the interrupt."""


class RegisterFile(wiring.Component):
    """Registers of `registers(parameters, bus)`; a read and a write may come in one cycle.

    write, read: strobes, of one cycle each. What is refused has no effect; `write_refused`,
    `read_refused` and `read_data` are there in that cycle. reset_core: a register, high for one
    cycle. result: the summary is taken in this cycle.
    """

    def __init__(self, parameters: CoreParameters, bus: Bus) -> None:
        self._parameters, self._bus = parameters, bus
        learns = parameters.learning is not None
        super().__init__(
            {
                **REQUEST_PORTS,
                "reset_core": Out(1),
                "sparse": Out(1),
                "stream": Out(1),
                "commands": Out(source_of(command_payload(parameters))),
                "loads": Out(source_of(load_payload(parameters))),
                "idle": In(1),
                "faults": In(len(Fault)),
                "fault_count": In(parameters.sweep_bits),
                "result": In(1),
                "summary": In(summary_payload(parameters)),
                "words": Out(stream.Signature(INPUT_WORD)),
                "packets": In(stream.Signature(RESULT_WORD)),
                **(
                    {
                        "reads": Out(source_of(readback_payload(parameters))),
                        "readings": In(source_of(readings_payload(parameters))),
                    }
                    if learns
                    else {}
                ),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Decodes both addresses against the table; every register of it has its part here."""
        m = Module()
        self._map = {r.name: r for r in registers(self._parameters, self._bus)}
        self._values: dict[str, Value] = {}
        self._blocked: dict[str, Value] = {}
        self._written = {
            name: Signal(name=f"writes_{name}")
            for name, register in self._map.items()
            if register.access is not Access.READ
        }
        self._add_constants()
        self._add_control(m)
        self._add_interrupts(m)
        self._add_commands(m)
        self._add_loads(m)
        self._add_results(m)
        if self._parameters.learning is not None:
            self._add_reads(m)
        if self._bus is Bus.WISHBONE:
            self._add_words(m)
        with m.If(self.reset_core):
            m.d.sync += [self.commands.valid.eq(0), self.loads.valid.eq(0)]
            if self._parameters.learning is not None:
                m.d.sync += self.reads.valid.eq(0)
        self._decode_writes(m)
        self._decode_reads(m)
        return m

    def _decode_writes(self, m: Module) -> None:
        """Each register that can be written has a strobe; partial words go to INPUT only."""
        m.d.comb += self.write_refused.eq(1)
        for name, strobe in self._written.items():
            register = self._map[name]
            refused = self._blocked.get(name, Const(0))
            if not register.wishbone:
                refused = refused | ~self.write_lanes.all()
            with m.If(_hits(self.write_address, register)):
                m.d.comb += [
                    self.write_refused.eq(refused),
                    strobe.eq(self.write & ~refused),
                ]

    def _decode_reads(self, m: Module) -> None:
        m.d.comb += self.read_refused.eq(1)
        for name, register in self._map.items():
            if register.access is Access.WRITE:
                continue
            value = self._values.pop(name)
            if register.count > 1:
                offset = (self.read_address - register.offset)[2:]
                value = Array(value.word_select(k, WORD_BITS) for k in range(register.count))[
                    offset
                ]
            with m.If(_hits(self.read_address, register)):
                m.d.comb += [
                    self.read_data.eq(value),
                    self.read_refused.eq(0 if name != "OUTPUT" else ~self.packets.valid),
                ]
        assert not self._values, f"registers must be in the table: {', '.join(self._values)}"

    def _add_constants(self) -> None:
        self._values["ID"] = Const(id_value(), WORD_BITS)
        self._values["NETWORK"] = Const(network_value(self._parameters), WORD_BITS)

    def _add_control(self, m: Module) -> None:
        """Settings change while nothing runs or waits, so that a packet is whole or not at all."""
        reset, sparse, streams = (self.write_data[field.low] for field in CONTROL)
        busy = ~self.idle | self.commands.valid
        self._blocked["CONTROL"] = busy & ~reset
        self._values["CONTROL"] = Cat(Const(0, 1), self.sparse, self.stream)
        m.d.sync += self.reset_core.eq(self._written["CONTROL"] & reset)
        with m.If(self._written["CONTROL"]):
            m.d.sync += [self.sparse.eq(sparse), self.stream.eq(streams)]
        waits = {
            "IDLE": self.idle,
            "COMMAND": self.commands.valid,
            "LOAD": self.loads.valid,
            "READ": Const(0, 1),
            "INPUT": Const(0, 1),
            "OUTPUT": Const(0, 1),
            "OUTPUT_LAST": Const(0, 1),
        }
        if self._parameters.learning is not None:
            waits["READ"] = self.reads.valid
        if self._bus is Bus.WISHBONE:
            waits |= {
                "INPUT": self.words.ready,
                "OUTPUT": self.packets.valid,
                "OUTPUT_LAST": self.packets.valid & self.packets.payload.last,
            }
        self._values["STATUS"] = Cat(*(waits[field.name] for field in STATUS))

    def _add_interrupts(self, m: Module) -> None:
        """An interrupt that comes while it is cleared stays."""
        enabled, happened = Signal(len(INTERRUPTS)), Signal(len(INTERRUPTS))
        count = Signal.like(self.fault_count)
        m.d.sync += count.eq(self.fault_count)
        events = Cat(self.result, self.fault_count > count)
        cleared = Signal.like(happened)
        with m.If(self._written["INTERRUPT"]):
            m.d.comb += cleared.eq(self.write_data)
        m.d.sync += [
            happened.eq((happened & ~cleared) | events),
            self.irq.eq((happened & enabled).any()),
        ]
        with m.If(self._written["INTERRUPT_ENABLE"]):
            m.d.sync += enabled.eq(self.write_data)
        self._values["INTERRUPT_ENABLE"], self._values["INTERRUPT"] = enabled, happened
        self._values["FAULTS"] = Cat(self.faults, Const(0, 16 - len(self.faults)), self.fault_count)

    def _add_commands(self, m: Module) -> None:
        """One command waits until the core takes it; a label or command too wide is none."""
        command, label = self.commands.payload, self.write_data[16:]
        most = (1 << len(command.command)) - 1
        self._blocked["COMMAND"] = self.commands.valid
        with m.If(self.commands.ready):
            m.d.sync += self.commands.valid.eq(0)
        with m.If(self._written["COMMAND"]):
            m.d.sync += [
                self.commands.valid.eq(1),
                command.command.eq(self.write_data[:8]),
                command.report.eq(self.write_data[8]),
                command.label.eq(label),
            ]
            with m.If(self.write_data[len(command.command) : 8].any()):
                m.d.sync += command.command.eq(most)
            with m.If(label[len(command.label) :].any()):
                m.d.sync += command.label.eq(self._parameters.classes)

    def _add_loads(self, m: Module) -> None:
        """A word is put together in LOAD_DATA, and stands there while it waits."""
        load, register = self.loads.payload, self._map["LOAD_DATA"]
        words = Signal(WORD_BITS * register.count)
        self._blocked["LOAD"] = self._blocked["LOAD_DATA"] = self.loads.valid
        with m.If(self._written["LOAD_DATA"]):
            for number in range(register.count):
                with m.If(self.write_address[2:] == register.offset // BYTES + number):
                    m.d.sync += words.word_select(number, WORD_BITS).eq(self.write_data)
        m.d.comb += load.data.eq(words)
        with m.If(self.loads.ready):
            m.d.sync += self.loads.valid.eq(0)
        with m.If(self._written["LOAD"]):
            m.d.sync += [self.loads.valid.eq(1), *_place(self.write_data, load)]

    def _add_reads(self, m: Module) -> None:
        words = Signal(WORD_BITS * self._map["READ_DATA"].count)
        self._blocked["READ"] = self.reads.valid
        self._values["READ_DATA"] = words
        m.d.comb += self.readings.ready.eq(1)
        with m.If(self.readings.valid):
            m.d.sync += words.eq(self.readings.payload.data)
        with m.If(self.reads.ready):
            m.d.sync += self.reads.valid.eq(0)
        with m.If(self._written["READ"]):
            m.d.sync += [self.reads.valid.eq(1), *_place(self.write_data, self.reads.payload)]

    def _add_results(self, m: Module) -> None:
        summary = Signal(summary_payload(self._parameters))
        with m.If(self.result):
            m.d.sync += summary.eq(self.summary)
        for number, word in enumerate(summary_words(summary)):
            name = next(n for n, r in self._map.items() if r.offset == 0x20 + BYTES * number)
            self._values[name] = word

    def _add_words(self, m: Module) -> None:
        """Streams as registers: what cannot be taken or given now is refused."""
        last = self._written["INPUT_LAST"]
        self._blocked["INPUT"] = self._blocked["INPUT_LAST"] = ~self.words.ready
        m.d.comb += [
            self.words.valid.eq(self._written["INPUT"] | last),
            self.words.payload.data.eq(self.write_data),
            self.words.payload.keep.eq(self.write_lanes),
            self.words.payload.last.eq(last),
            self.packets.ready.eq(self.read & _hits(self.read_address, self._map["OUTPUT"])),
        ]
        self._values["OUTPUT"] = self.packets.payload.data


def _hits(address: Value, register: Register) -> Value:
    """Whether a byte address is that of the register, or of one of them."""
    word, first = address[2:], register.offset // BYTES
    return (
        (word >= first) & (word <= register.last // BYTES) if register.count > 1 else word == first
    )


def _place(word: Value, payload: Value) -> list[Value]:
    """Space and address of a word; ones too large become some that no core has."""
    address, space = word[:24], word[24:]
    excess = address[len(payload.address) :].any() | space[len(payload.space) :].any()
    return [
        payload.address.eq(address | excess.replicate(len(payload.address))),
        payload.space.eq(space[: len(payload.space)]),
    ]
