"""The frames of docs/link.md: what both ends agree on, and the software side of it.

    frame   = FLAG body FLAG, with FLAG and ESCAPE inside the body replaced by ESCAPE, byte ^ FLIP
    body    = sequence, type, length (2 bytes), payload, CRC (2 bytes)

Numbers of more than one byte travel highest byte first.
"""

import binascii
import zlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag

VERSION, LEARNING_VERSION = 2, 3
"""Of the protocol, without and with the requests of a board that learns: the identity's first byte.
"""

FLAG = 0x7E
ESCAPE = 0x7D
FLIP = 0x20
REPLY = 0x80
"""Set in the type of a reply."""

HEADER_BYTES = 4
CRC_BYTES = 2
REPLY_LIMIT = 1 << 16
"""No payload is longer: the length has two bytes."""


class Request(IntEnum):
    """What the host can ask for; docs/link.md has the payloads."""

    IDENTIFY = 0
    STATUS = 1
    RESET = 2
    BEGIN = 3
    WORDS = 4
    COMMIT = 5
    IMAGE = 6
    NUDGE = 7
    TRAIN = 8
    READ = 9
    SET = 10


LEARNING_REQUESTS = (Request.TRAIN, Request.READ, Request.SET)
"""Of a board that learns; to others they are unknown."""


def requests_of(*, learns: bool) -> tuple[Request, ...]:
    """The requests that a board knows."""
    return tuple(r for r in Request if learns or r not in LEARNING_REQUESTS)


class Code(IntEnum):
    """Low half of the first byte of a reply's payload: what became of the request."""

    OK = 0
    REPEATED = 1
    """A request with the sequence number of the last one: it was not carried out again."""
    UNLOADED = 2
    """No network whose check held is on the board, or no load is under way."""
    ORDER = 3
    """A part of an image without its first part; a row of a load that is not the next one."""
    LENGTH = 4
    """A payload that ends inside an item, or has bytes after its last one."""
    CHECK = 5
    """The load as a whole is not what was sent, or rows are missing; nothing is loaded."""
    REFUSED = 6
    """The core refused what the request carries, or the request has flags that mean nothing."""
    UNKNOWN = 7
    """No such type of request."""


class State(IntFlag):
    """High half of the same byte: what the board is in."""

    LOADED = 1 << 4
    LOADING = 1 << 5
    OPEN = 1 << 6
    """An image has begun and not ended."""
    FAULTS = 1 << 7
    """The core refused a word since the last reset; see STATUS."""


class ImageFlag(IntFlag):
    """First byte of IMAGE and TRAIN; NUDGE has REPORT beside its command. Boards that learn take
    images PACKED, others SPARSE.
    """

    FIRST = 1 << 0
    LAST = 1 << 1
    SPARSE = 1 << 2
    REPORT = 1 << 3
    PACKED = 1 << 4


IMAGE_HEADER = 3
WORDS_HEADER = 4
NUDGE_HEADER = 3
LOAD_CHECK_BYTES = 4
SPARSE_BYTES = 3
STATUS_BYTES = 2
TRAIN_HEADER = 6
READ_HEADER = 6
SET_HEADER = 4
"""Of the fixed parts of payloads."""

MOST_ZEROS = 256
"""That a pair of bytes of a packed image stands for: 0, then their number less one."""

COUNT_BYTES = 1
"""Of the number of a sample, behind what STATUS says; a board that learns counts modulo 256."""

LENGTH_BITS = 12
"""Of the length of an answer to READ."""

LONGEST_READ = (1 << LENGTH_BITS) - 2
"""Bytes of rows that one READ can ask for: a status byte comes before them."""

NUDGE_BITS = 3
"""Of the command in the first byte of NUDGE; REPORT is the bit above them."""

SUMMARY_FIELDS = (
    ("settled", 8),
    ("label", 16),
    ("sweeps", 16),
    ("input_events", 16),
    ("events", 32),
    ("cycles", 32),
)
"""What a result says of a phase, and bits, in their order.

Counters of the core that are not among them follow from these and the network, and cost nothing:
what nobody reads is not built.
"""

LEARNING_SUMMARY_FIELDS = (
    ("label", 16),
    ("input_events", 16),
    ("settled", 8),
    ("sweeps", 16),
    ("events", 24),
    ("cycles", 24),
)
"""The same of a board that learns: what only FREE has comes first, what LEARN has last. Events and
cycles are modulo 2^24.
"""


def summary_fields(*, learns: bool) -> tuple[tuple[str, int], ...]:
    """The fields of a result, in their order."""
    return LEARNING_SUMMARY_FIELDS if learns else SUMMARY_FIELDS


def summary_bytes(*, learns: bool) -> int:
    """Bytes of a result without states."""
    return sum(bits for _, bits in summary_fields(learns=learns)) // 8


def _bytes_from(field: str) -> int:
    """Bytes of the end of a result of a board that learns, from a field on."""
    names = [name for name, _ in LEARNING_SUMMARY_FIELDS]
    return sum(bits for _, bits in LEARNING_SUMMARY_FIELDS[names.index(field) :]) // 8


NUDGE_BYTES, LEARN_BYTES = _bytes_from("settled"), _bytes_from("cycles")
SAMPLE_BYTES = (summary_bytes(learns=True), NUDGE_BYTES, NUDGE_BYTES, LEARN_BYTES)
"""Of the answer to TRAIN: the whole result of FREE, the ends of those of the other three."""


class FrameError(Exception):
    """Bytes between two flags that are no frame; the message says why."""


@dataclass(frozen=True)
class Frame:
    """One frame. sequence, type: bytes."""

    sequence: int
    type: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the wire, flags included."""
        head = bytes([self.sequence, self.type]) + len(self.payload).to_bytes(2, "big")
        body = head + self.payload
        return delimit(body + frame_crc(body).to_bytes(CRC_BYTES, "big"))

    @classmethod
    def decode(cls, stuffed: bytes) -> "Frame":
        """The frame of the bytes between two flags. Raises FrameError."""
        body = unstuff(stuffed)
        if len(body) < HEADER_BYTES + CRC_BYTES:
            raise FrameError(f"frame must have 6 bytes or more, found {len(body)}")
        if frame_crc(body):
            raise FrameError("CRC must match, it does not")
        length = int.from_bytes(body[2:4], "big")
        payload = body[HEADER_BYTES:-CRC_BYTES]
        if length != len(payload):
            raise FrameError(f"length must be {len(payload)}, found {length}")
        return cls(body[0], body[1], payload)


def frame_crc(data: bytes) -> int:
    """CRC-16/IBM-3740 (polynomial 0x1021, start 0xFFFF); 0 over a body that ends in its CRC."""
    return binascii.crc_hqx(data, 0xFFFF)


def load_check(data: bytes) -> int:
    """CRC-32/BZIP2 over all payloads of WORDS: the usual CRC-32, highest bit of a byte first."""
    return int(f"{zlib.crc32(data.translate(_MIRRORED)):032b}"[::-1], 2)


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def delimit(body: bytes) -> bytes:
    """`body` stuffed, between two flags."""
    stuffed = body.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPE ^ FLIP]))
    stuffed = stuffed.replace(bytes([FLAG]), bytes([ESCAPE, FLAG ^ FLIP]))
    return bytes([FLAG]) + stuffed + bytes([FLAG])


def unstuff(stuffed: bytes) -> bytes:
    """The body of the bytes between two flags. Raises FrameError for a cut escape."""
    first, *rest = stuffed.split(bytes([ESCAPE]))
    if any(not part for part in rest):
        raise FrameError("an escape must be followed by a byte, found none")
    return first + b"".join(bytes([part[0] ^ FLIP]) + part[1:] for part in rest)
