"""The registers of a core behind a bus: the one description of them.

The hardware (rtl/bus/register_file.py), the C header and the table in docs/bus.md come of it.
"""

from dataclasses import dataclass, replace
from enum import Enum

from toreq_hw.errors import NetworkError
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.words import SUMMARY_WORDS, WORD_BITS
from toreq_hw.rtl.interfaces import load_payload
from toreq_hw.rtl.parameters import CoreParameters

MAP_VERSION = 1
MAGIC = 0x7E9
"""The high half of ID is this, the low half the version of the map."""

BYTES = WORD_BITS // 8
ADDRESS_BITS = 8
"""Of a register, in bytes; the lowest two are not looked at."""

DATA_WORDS = 16
"""Words that the widest load word has: 64 lanes of 8 bits."""


class Access(Enum):
    """Who may do what with a register; the other way is answered with an error."""

    READ = "read"
    WRITE = "write"
    BOTH = "read, write"
    CLEAR = "read, write 1 to clear"


@dataclass(frozen=True)
class Field:
    """`bits` bits from `low` on."""

    name: str
    low: int
    bits: int
    meaning: str


@dataclass(frozen=True)
class Register:
    """32 bits at a byte offset; `count` of them side by side. wishbone: AXI has a stream for it.

    learns: of a core that learns.
    """

    name: str
    offset: int
    access: Access
    meaning: str
    fields: tuple[Field, ...] = ()
    count: int = 1
    wishbone: bool = False
    learns: bool = False

    @property
    def last(self) -> int:
        """The offset of the last one."""
        return self.offset + BYTES * (self.count - 1)


RESET, SPARSE, STREAM = "RESET", "SPARSE", "STREAM"
_ONE = 1

CONTROL = (
    Field(RESET, 0, _ONE, "ends what runs and clears faults; weights stay; reads as 0"),
    Field(
        SPARSE, 1, _ONE, "an input word holds one value (7:0) and its index (31:8), not four values"
    ),
    Field(STREAM, 2, _ONE, "each phase leaves a packet of words"),
)
STATUS = (
    Field("IDLE", 0, _ONE, "the core waits for a command"),
    Field("COMMAND", 1, _ONE, "a command waits; another one is refused"),
    Field("LOAD", 2, _ONE, "a load word waits; another one is refused"),
    Field("READ", 3, _ONE, "a word is being read back; another one is refused"),
    Field("INPUT", 4, _ONE, "INPUT takes a word; on AXI always 0"),
    Field("OUTPUT", 5, _ONE, "OUTPUT holds a word; on AXI always 0"),
    Field("OUTPUT_LAST", 6, _ONE, "it is the last one of its packet; on AXI always 0"),
)
INTERRUPTS = (
    Field("RESULT", 0, _ONE, "a phase has ended; RESULT to CYCLES hold what came of it"),
    Field("FAULT", 1, _ONE, "the core refused a word; FAULTS says why"),
)

_MAP = (
    Register(
        "ID",
        0x00,
        Access.READ,
        "what is here",
        (
            Field("VERSION", 0, 16, f"of this map: {MAP_VERSION}"),
            Field("MAGIC", 16, 16, f"0x{MAGIC:04x}"),
        ),
    ),
    Register("NETWORK", 0x04, Access.READ, "the first 32 bits of the network's SHA-256"),
    Register("CONTROL", 0x08, Access.BOTH, "refused while the core works, but for RESET", CONTROL),
    Register("STATUS", 0x0C, Access.READ, "what waits", STATUS),
    Register("INTERRUPT_ENABLE", 0x10, Access.BOTH, "which bits raise `irq`", INTERRUPTS),
    Register("INTERRUPT", 0x14, Access.CLEAR, "what has happened", INTERRUPTS),
    Register(
        "COMMAND",
        0x18,
        Access.WRITE,
        "starts a phase; refused while one waits",
        (
            Field("COMMAND", 0, 8, "0 FREE, 1 NUDGE_POSITIVE, 2 NUDGE_NEGATIVE, 3 LEARN"),
            Field("REPORT", 8, _ONE, "the packet holds the states, too"),
            Field("LABEL", 16, 16, "the class of a nudge"),
        ),
    ),
    Register(
        "LOAD",
        0x1C,
        Access.WRITE,
        "loads LOAD_DATA; refused while a word waits",
        (
            Field("ADDRESS", 0, 24, "of the word in its space"),
            Field("SPACE", 24, 8, "what it goes to"),
        ),
    ),
    *(
        Register(
            fields[0][0].upper() if len(fields) == 1 else "RESULT",
            0x20 + BYTES * k,
            Access.READ,
            "of the last phase that ended",
            tuple(
                Field(name.upper(), low, {"settled": 1}.get(name, 8 if low == 0 else 16), "")
                for name, low in fields
                if len(fields) > 1
            ),
        )
        for k, fields in enumerate(SUMMARY_WORDS)
    ),
    Register(
        "FAULTS",
        0x40,
        Access.READ,
        "words that the core refused since the last reset",
        (
            Field("BITS", 0, 16, "why: bits of `Fault` (rtl/interfaces.py)"),
            Field("COUNT", 16, 16, "how many"),
        ),
    ),
    Register(
        "INPUT",
        0x44,
        Access.WRITE,
        "a word of an image; its byte selects say which values it has",
        wishbone=True,
    ),
    Register("INPUT_LAST", 0x48, Access.WRITE, "the same, the last one", wishbone=True),
    Register(
        "OUTPUT",
        0x4C,
        Access.READ,
        "the next word of a packet; refused while there is none",
        wishbone=True,
    ),
    Register(
        "READ",
        0x50,
        Access.WRITE,
        "asks for the word that LOAD would set; refused while one is asked for",
        (
            Field("ADDRESS", 0, 24, "of the word in its space"),
            Field("SPACE", 24, 8, "where it lies"),
        ),
        learns=True,
    ),
    Register(
        "LOAD_DATA", 0x80, Access.WRITE, "the word to load, lowest bits first", count=DATA_WORDS
    ),
    Register(
        "READ_DATA",
        0xC0,
        Access.READ,
        "the word that was read back, lowest bits first",
        count=DATA_WORDS,
        learns=True,
    ),
)


def every_register() -> tuple[Register, ...]:
    """All registers that any core behind any bus has, by offset."""
    return _MAP


def registers(parameters: CoreParameters, bus: Bus) -> tuple[Register, ...]:
    """The registers of this core behind this bus; arrays have the words that its loads need."""
    words = -(-load_payload(parameters)["data"].width // WORD_BITS)
    learns = parameters.learning is not None
    return tuple(
        register if register.count == 1 else replace(register, count=words)
        for register in _MAP
        if (bus is Bus.WISHBONE or not register.wishbone) and (learns or not register.learns)
    )


def id_value() -> int:
    """What ID reads as."""
    return MAGIC << 16 | MAP_VERSION


def network_value(parameters: CoreParameters) -> int:
    """What NETWORK reads as: the first 32 bits of the network's SHA-256."""
    return int(parameters.network_sha256[:8], 16)


def check_core(parameters: CoreParameters, bus: Bus) -> None:
    """Raises NetworkError where a field of a register is too narrow for this core."""
    if bus is Bus.NONE:
        return
    for name, found, most in (
        ("input", parameters.input.size, 1 << 24),
        ("output", parameters.classes, 1 << 16),
    ):
        if found >= most:
            raise NetworkError(
                f"{name} population must have fewer than {most} neurons behind a bus, found {found}"
            )
