"""A compiled model of any design that counts its own activity."""

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth import Elaboratable

from toreq_hw.rtl.cxxrtl import shared_library

_DRIVER = Path(__file__).with_name("activity_driver.cpp")


@dataclass(frozen=True)
class Counts:
    """Since the model was made. toggles: bits of registers that changed, outputs of clocked
    memories among them. written_bits: of memory words at each write that changed the word.
    """

    toggles: int
    written_bits: int


class CountedDesign:
    """`design` compiled by CXXRTL and g++ into `folder` (kept between runs), its clock low.

    The design has one domain, `sync`, and ports by name. Raises MissingDependencyError without
    g++.
    """

    def __init__(self, design: Elaboratable, folder: Path, ports: Any = None) -> None:
        from amaranth.back import cxxrtl

        text = cxxrtl.convert(design, name="top", emit_src=False, ports=ports)
        path = shared_library("counted", text + _DRIVER.read_text(encoding="utf-8"), folder)
        self._library = ctypes.CDLL(str(path.resolve()))
        self._library.activity_new.restype = ctypes.c_void_p
        self._library.activity_item.restype = ctypes.POINTER(ctypes.c_uint32)
        self._model = ctypes.c_void_p(self._library.activity_new())
        self._places: dict[str, tuple[Any, int]] = {}

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self._library.activity_free(self._model)

    def low(self) -> None:
        """The clock falls; outputs follow inputs."""
        self._library.activity_clock(self._model, 0)

    def high(self) -> None:
        """The clock rises."""
        self._library.activity_clock(self._model, 1)

    def counts(self) -> Counts:
        """Of everything so far."""
        counts = (ctypes.c_uint64 * 2)()
        self._library.activity_counts(self._model, counts)
        return Counts(*counts)

    def get(self, name: str) -> int:
        """The value of a port."""
        place, words = self._place(name)
        return sum(int(place[k]) << 32 * k for k in range(words))

    def put(self, name: str, value: int) -> None:
        """Sets an input."""
        place, words = self._place(name)
        for k in range(words):
            place[k] = value >> 32 * k & 0xFFFFFFFF

    def _place(self, name: str) -> tuple[Any, int]:
        if name not in self._places:
            width = ctypes.c_int64()
            found = self._library.activity_item(self._model, name.encode(), ctypes.byref(width))
            assert found, name
            self._places[name] = found, -(-width.value // 32)
        return self._places[name]
