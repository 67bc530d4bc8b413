"""The register map for people and for C, both written from rtl/bus/registers.py."""

from collections.abc import Iterator

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import (
    BYTES,
    Register,
    every_register,
    id_value,
    network_value,
    registers,
)
from toreq_hw.rtl.bus.words import packet_words, state_offsets, words_per_slice
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.load_spaces import LoadSpace, Space
from toreq_hw.rtl.parameters import CoreParameters

_WIDTH = 46
"""Columns before a value in the header."""


def registers_table(rows: tuple[Register, ...] | None = None) -> str:
    """Markdown: a line a register, and one for each of its fields. Offsets are hexadecimal.

    Without `rows` those that any core behind any bus has.
    """
    lines = ["| offset | register | bits | access | meaning |", "|---|---|---|---|---|"]
    for register in every_register() if rows is None else rows:
        end = f" to {register.last:02x}" if register.count > 1 else ""
        where = "core that learns: " if register.learns else ""
        where = "Wishbone: " if register.wishbone else where
        lines.append(
            f"| {register.offset:02x}{end} | {register.name} | "
            f"{'' if register.fields else '31:0'} | {register.access.value} | "
            f"{where}{register.meaning} |"
        )
        for f in register.fields:
            span = f"{f.low + f.bits - 1}:{f.low}" if f.bits > 1 else str(f.low)
            lines.append(f"| | {f.name} | {span} | | {f.meaning} |")
    return "\n".join(lines)


def c_header(parameters: CoreParameters, bus: Bus) -> str:
    """C99: offsets and fields of this core's registers, its load spaces, and where states lie."""
    lines = [
        f"/* Written by toreq-hw: registers of one core behind {_TITLES[bus]}. */",
        "#ifndef TOREQ_REGISTERS_H",
        "#define TOREQ_REGISTERS_H",
    ]
    for register in registers(parameters, bus):
        lines += ["", f"/* {register.access.value}: {register.meaning} */"]
        lines.append(_define(register.name, f"0x{register.offset:02x}u"))
        if register.count > 1:
            lines.append(_define(f"{register.name}_WORDS", f"{register.count}u"))
        for field in register.fields:
            name = f"{register.name}_{field.name}"
            lines.append(_define(f"{name}_SHIFT", f"{field.low}u"))
            mask = ((1 << field.bits) - 1) << field.low
            lines.append(_define(f"{name}_MASK", f"0x{mask:08x}u"))
    lines += ["", *_values(parameters), "", "/* bits of FAULTS_BITS */"]
    lines += [_define(f"FAULT_{fault.name}", f"0x{1 << fault:02x}u") for fault in Fault]
    lines += ["", *_spaces(parameters), "", *_packets(parameters), "", "#endif"]
    return "\n".join(lines) + "\n"


_TITLES = {Bus.AXI: "AXI4-Lite", Bus.WISHBONE: "Wishbone"}


def _define(name: str, value: str) -> str:
    start = f"#define TOREQ_{name}"
    return f"{start:{_WIDTH}} {value}"


def _values(parameters: CoreParameters) -> Iterator[str]:
    """What ID and NETWORK of this core read as, and what COMMAND takes."""
    yield "/* what ID and NETWORK read as; the network's SHA-256 */"
    yield _define("ID_VALUE", f"0x{id_value():08x}u")
    yield _define("NETWORK_VALUE", f"0x{network_value(parameters):08x}u")
    yield _define("NETWORK_SHA256", f'"{parameters.network_sha256}"')
    yield ""
    yield "/* values of COMMAND_COMMAND */"
    for phase in parameters.phases:
        yield _define(f"COMMAND_{phase.command.name}", f"{phase.command.value}u")


def _space_name(space: LoadSpace) -> str:
    return f"SPACE_WEIGHTS_{space.code}" if space.is_store else f"SPACE_{Space(space.code).name}"


def _spaces(parameters: CoreParameters) -> Iterator[str]:
    """What LOAD takes, in the order in which a load of a network comes."""
    yield "/* spaces of LOAD: number, words, bits of a word */"
    for space in parameters.load_spaces:
        name = _space_name(space)
        yield _define(name, f"{space.code}u")
        yield _define(f"{name}_WORDS", f"{space.rows}u")
        yield _define(f"{name}_BITS", f"{space.bits}u")


def _packets(parameters: CoreParameters) -> Iterator[str]:
    """Where a packet holds what; offsets are in bytes."""
    states = packet_words(parameters, report=True) - packet_words(parameters, report=False)
    yield "/* a packet: states, if the command asked for them, then RESULT to CYCLES */"
    yield _define("PACKET_STATES_WORDS", f"{states}u")
    yield _define("PACKET_SUMMARY_WORDS", f"{packet_words(parameters, report=False)}u")
    used = min(parameters.update_lanes, BYTES)
    yield f"/* {used} states a word; of each population the byte of its first neuron */"
    yield _define("PACKET_STATES_PER_WORD", f"{used}u")
    yield _define("PACKET_WORDS_PER_SLICE", f"{words_per_slice(parameters)}u")
    for number, place in enumerate(parameters.relaxing):
        yield f"/* population {place.name.encode('ascii', 'replace').decode()!r} */"
        name = f"POPULATION_{number}"
        yield _define(f"{name}_OFFSET", f"{state_offsets(parameters)[place.name]}u")
        yield _define(f"{name}_NEURONS", f"{place.size}u")
        yield _define(f"{name}_SIGNED", f"{int(place.signed)}u")
    yield _define("INPUT_NEURONS", f"{parameters.input.size}u")
    yield _define("INPUT_SIGNED", f"{int(parameters.input.signed)}u")
