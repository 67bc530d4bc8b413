"""What the exported bench of a bus sends and must get back: words in place of streams."""

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import id_value, network_value, registers
from toreq_hw.rtl.bus.words import (
    SUMMARY_WORDS,
    VALUE_BITS,
    VALUES_PER_WORD,
    packet_words,
    words_per_slice,
)
from toreq_hw.rtl.package.vectors import Vectors, hex_lines

_COMPARED = 5
"""Words of a summary that the simulator knows: the others are those of the core alone."""

_WORD_BITS = 32
_OF_BOTH = (
    "ID",
    "NETWORK",
    "CONTROL",
    "STATUS",
    "INTERRUPT_ENABLE",
    "INTERRUPT",
    "COMMAND",
    "RESULT",
    "FAULTS",
)
_OF_WISHBONE = ("INPUT", "INPUT_LAST", "OUTPUT")


def bus_files(vectors: Vectors, bus: Bus) -> dict[str, str]:
    """The files that bus_bench.v reads, by name."""
    packets = [word for pair in vectors.pairs() for word in _packet(vectors, *pair)]
    images = [word for image in vectors.inputs.tolist() for word in _words(image)]
    return {
        "bus.vh": _constants(vectors, bus),
        "image_words.hex": hex_lines(images, _WORD_BITS),
        "packets.hex": hex_lines(packets, _WORD_BITS),
        "packet_masks.hex": hex_lines(_masks(vectors), _WORD_BITS),
    }


def _words(values: list[int]) -> list[int]:
    """Bytes in words, the first lowest; the last word is filled up with 0."""
    data = bytes(value & 0xFF for value in values)
    data += bytes(-len(data) % VALUES_PER_WORD)
    step = VALUES_PER_WORD
    return [int.from_bytes(data[k : k + step], "little") for k in range(0, len(data), step)]


def _packet(vectors: Vectors, image: int, phase: int) -> list[int]:
    """The states slice by slice, then what `Vectors.summary` says in the words of a summary."""
    states = [word for row in vectors.slices(image, phase) for word in _words(row)]
    known = vectors.summary(image, phase) | {"phase": phase}
    summary = [sum(known.get(name, 0) << low for name, low in fields) for fields in SUMMARY_WORDS]
    return states + summary


def _masks(vectors: Vectors) -> list[int]:
    """Which bits of a packet are compared."""
    states = [word for row in vectors.held() for word in _words(row)]
    full = (1 << _WORD_BITS) - 1
    rest = len(SUMMARY_WORDS) - _COMPARED
    return states + [full] * _COMPARED + [0] * rest


def _constants(vectors: Vectors, bus: Bus) -> str:
    """bus.vh: sizes of images and packets, and the registers that the bench knows."""
    parameters = vectors.parameters
    inputs = parameters.input.size
    numbers = {
        "IMAGE_WORDS": -(-inputs // VALUES_PER_WORD),
        "STATE_WORDS": parameters.slices * words_per_slice(parameters),
        "SUMMARY_WORDS": len(SUMMARY_WORDS),
        "PACKET_WORDS": packet_words(parameters, report=True),
    }
    last = (1 << ((inputs - 1) % VALUES_PER_WORD + 1)) - 1
    names = (*_OF_BOTH, *(_OF_WISHBONE if bus is Bus.WISHBONE else ()))
    offsets = {register.name: register.offset for register in registers(parameters, bus)}
    lines = [f"localparam {name} = {number};" for name, number in numbers.items()]
    lines += [f"localparam [3:0] LAST_KEEP = 4'd{last};"]
    lines += [f"localparam [31:0] ID_VALUE = 32'h{id_value():08x};"]
    lines += [f"localparam [31:0] NETWORK_VALUE = 32'h{network_value(parameters):08x};"]
    lines += [f"localparam [{VALUE_BITS - 1}:0] {n} = 8'h{offsets[n]:02x};" for n in names]
    return "\n".join(lines) + "\n"
