"""What a board says it is: the protocol's version, and the hardware in it."""

import hashlib
import json
import struct
from dataclasses import asdict, dataclass

from toreq_hw.boards.link.protocol import CRC_BYTES, HEADER_BYTES, VERSION, WORDS_HEADER
from toreq_hw.rtl.operations import OPERATIONS
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import phase_table

_FIXED = struct.Struct(">B8sIHBB")

MIN_BUFFER_BYTES = 256
"""Of a request; twice this, with the identity above it, is one block RAM of iCE40."""

LEAST_CLOCK_HZ = 1_000_000
"""Hosts wait for cycles of the clock that a board names: a wrong one must not hang them."""


@dataclass(frozen=True)
class Identity:
    """The answer to IDENTIFY.

    hardware: hash of everything that decides the gateware. request_bytes: the longest payload of
    a request. sizes: neurons of the input and of the relaxing populations.
    """

    version: int
    hardware: bytes
    clock_hz: int
    request_bytes: int
    lanes: int
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, parameters: CoreParameters, clock_hz: int) -> "Identity":
        """Of a system around the core of `parameters`."""
        return cls(
            version=VERSION,
            hardware=hardware_hash(parameters),
            clock_hz=clock_hz,
            request_bytes=buffer_bytes(parameters) - 1 - HEADER_BYTES - CRC_BYTES,
            lanes=parameters.lanes,
            sizes=(parameters.input.size, *(placement.size for placement in parameters.relaxing)),
        )

    def encode(self) -> bytes:
        """As bytes: the fixed part, then two bytes a size."""
        fixed = _FIXED.pack(
            self.version,
            self.hardware,
            self.clock_hz,
            self.request_bytes,
            self.lanes,
            len(self.sizes),
        )
        return fixed + struct.pack(f">{len(self.sizes)}H", *self.sizes)

    @classmethod
    def decode(cls, data: bytes) -> "Identity":
        """The identity in `data`. Raises ValueError where it cannot be one."""
        if len(data) < _FIXED.size or len(data) != _FIXED.size + 2 * data[_FIXED.size - 1]:
            raise ValueError(f"identity must have its own length, found {len(data)} bytes")
        version, hardware, clock_hz, request_bytes, lanes, _ = _FIXED.unpack(data[: _FIXED.size])
        if clock_hz < LEAST_CLOCK_HZ:
            raise ValueError(f"identity must name a clock of 1 MHz or more, found {clock_hz} Hz")
        sizes = tuple(pair[0] for pair in struct.iter_unpack(">H", data[_FIXED.size :]))
        return cls(version, hardware, clock_hz, request_bytes, lanes, sizes)

    @property
    def shape(self) -> str:
        """The network's shape as people write it."""
        return "-".join(map(str, self.sizes)) + f" with {self.lanes} lanes"


def hardware_hash(parameters: CoreParameters) -> bytes:
    """Eight bytes over all of `parameters` but what can be loaded: weights and the sweep limit."""
    fixed = asdict(parameters)
    del fixed["network_sha256"], fixed["max_sweeps"]
    fixed["fans"] = fixed.pop("walks")  # the name that boards in use have hashed
    if parameters.operations == OPERATIONS:  # younger than the boards in use
        del fixed["operations"]
    if parameters.phases == phase_table(lossy=parameters.lossy):
        del fixed["phases"]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True, default=str).encode()).digest()[:8]


def row_bits(parameters: CoreParameters) -> int:
    """Bits of the widest word that is loaded."""
    return max(space.bits for space in parameters.load_spaces if space.is_network)


def buffer_bytes(parameters: CoreParameters) -> int:
    """Of the board's request buffer: a power of two above WORDS with the widest word."""
    needed = HEADER_BYTES + WORDS_HEADER + -(-row_bits(parameters) // 8) + CRC_BYTES
    return max(MIN_BUFFER_BYTES, 1 << needed.bit_length())
