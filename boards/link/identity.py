"""What a board says it is: the protocol's version, and the hardware in it."""

import hashlib
import json
import struct
from dataclasses import asdict, dataclass

from toreq_hw.boards.link.protocol import (
    CRC_BYTES,
    HEADER_BYTES,
    LEARNING_VERSION,
    TRAIN_HEADER,
    VERSION,
    WORDS_HEADER,
)
from toreq_hw.boards.link.spaces import loaded_spaces
from toreq_hw.rtl.operations import OPERATIONS
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import phase_table
from toreq_hw.rtl.storage import Store

_FIXED = struct.Struct(">B8sIHBB")

_OF_A_BYTE = 256
"""Lanes that a byte of 0 stands for: no core has none."""

MIN_BUFFER_BYTES = 256
"""Of a request; twice this, with the identity above it, is one block RAM of iCE40."""

MOST_BUFFER_BYTES = 512
"""Of a request to a board that learns, where rows are not longer; larger images come in parts."""

LEAST_CLOCK_HZ = 1_000_000
"""Hosts wait for cycles of the clock that a board names: a wrong one must not hang them."""


@dataclass(frozen=True)
class Identity:
    """The answer to IDENTIFY.

    hardware: hash of everything that decides the gateware. request_bytes: the longest payload of
    a request. sizes: neurons of the input and of the relaxing populations. learn_lanes: synapses
    that a board which learns updates at once, 0 of others. latent_bits: of its couplings.
    """

    version: int
    hardware: bytes
    clock_hz: int
    request_bytes: int
    lanes: int
    sizes: tuple[int, ...]
    learn_lanes: int = 0
    latent_bits: tuple[int, ...] = ()

    @classmethod
    def of(cls, parameters: CoreParameters, clock_hz: int) -> "Identity":
        """Of a system around the core of `parameters`."""
        learning = parameters.learning
        couplings = () if learning is None else learning.couplings
        return cls(
            version=VERSION if learning is None else LEARNING_VERSION,
            learn_lanes=0 if learning is None else learning.lanes,
            latent_bits=tuple(coupling.latent_bits for coupling in couplings),
            hardware=hardware_hash(parameters),
            clock_hz=clock_hz,
            request_bytes=buffer_bytes(parameters) - 1 - HEADER_BYTES - CRC_BYTES,
            lanes=parameters.lanes,
            sizes=(parameters.input.size, *(placement.size for placement in parameters.relaxing)),
        )

    def encode(self) -> bytes:
        """As bytes: the fixed part, then two bytes a size; of a board that learns, then the lanes
        of LEARN, the number of couplings, and one byte of latent bits for each.
        """
        fixed = _FIXED.pack(
            self.version,
            self.hardware,
            self.clock_hz,
            self.request_bytes,
            self.lanes % _OF_A_BYTE,
            len(self.sizes),
        )
        sizes = struct.pack(f">{len(self.sizes)}H", *self.sizes)
        more = bytes([self.learn_lanes % _OF_A_BYTE, len(self.latent_bits), *self.latent_bits])
        return fixed + sizes + (more if self.version == LEARNING_VERSION else b"")

    @classmethod
    def decode(cls, data: bytes) -> "Identity":
        """The identity in `data`. Raises ValueError where it cannot be one."""
        end, length = _lengths(data)
        if len(data) != length:
            raise ValueError(f"identity must have its own length, found {len(data)} bytes")
        version, hardware, clock_hz, request_bytes, lanes, _ = _FIXED.unpack(data[: _FIXED.size])
        if clock_hz < LEAST_CLOCK_HZ:
            raise ValueError(f"identity must name a clock of 1 MHz or more, found {clock_hz} Hz")
        sizes = tuple(pair[0] for pair in struct.iter_unpack(">H", data[_FIXED.size : end]))
        known = (version, hardware, clock_hz, request_bytes, lanes or _OF_A_BYTE, sizes)
        if length == end:
            return cls(*known)
        return cls(*known, data[end] or _OF_A_BYTE, tuple(data[end + 2 :]))

    @property
    def shape(self) -> str:
        """The network's shape as people write it."""
        learns = f", {self.learn_lanes} of them learn" if self.learn_lanes else ""
        return "-".join(map(str, self.sizes)) + f" with {self.lanes} lanes{learns}"


def _lengths(data: bytes) -> tuple[int, int]:
    """Where the sizes end in an identity, and how long it must be; -1 where it is too short."""
    if len(data) < _FIXED.size:
        return -1, -1
    end = _FIXED.size + 2 * data[_FIXED.size - 1]
    if data[0] != LEARNING_VERSION:
        return end, end
    return end, end + 2 + data[end + 1] if len(data) > end + 1 else -1


def hardware_hash(parameters: CoreParameters) -> bytes:
    """Eight bytes over all of `parameters` but what can be loaded: weights and the sweep limit."""
    fixed = asdict(parameters)
    del fixed["network_sha256"], fixed["max_sweeps"]
    fixed["fans"] = fixed.pop("walks")  # the name that boards in use have hashed
    fixed["stores"] = [_hashed_store(store) for store in parameters.stores]
    if parameters.learning is None:  # younger than the boards in use
        del fixed["learning"]
    if not parameters.accumulator_register:  # younger than the boards in use
        del fixed["accumulator_register"]
    if parameters.operations == OPERATIONS:  # younger than the boards in use
        del fixed["operations"]
    if parameters.phases == phase_table(lossy=parameters.lossy):
        del fixed["phases"]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True, default=str).encode()).digest()[:8]


def _hashed_store(store: Store) -> dict[str, object]:
    """A store as boards in use have hashed it; latent bits are younger."""
    fixed = asdict(store) | {"width": store.width}
    if store.latent_bits is None:
        del fixed["latent_bits"]
    return fixed


def row_bits(parameters: CoreParameters) -> int:
    """Bits of the widest word that is loaded."""
    return max(space.bits for space in loaded_spaces(parameters))


def buffer_bytes(parameters: CoreParameters) -> int:
    """Of the board's request buffer: a power of two above WORDS with the widest word, and of a
    board that learns above TRAIN with a whole image, up to `MOST_BUFFER_BYTES`.
    """
    item = WORDS_HEADER + -(-row_bits(parameters) // 8)
    if parameters.learning is not None:
        image = TRAIN_HEADER + parameters.input.size
        item = max(item, min(image, MOST_BUFFER_BYTES - HEADER_BYTES - CRC_BYTES - 1))
    needed = HEADER_BYTES + item + CRC_BYTES
    return max(MIN_BUFFER_BYTES, 1 << needed.bit_length())
