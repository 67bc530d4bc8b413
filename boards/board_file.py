"""Boards from files of a user's own: TOML tables, or Python that makes a `Board`.

    name = "my_board"                     # as --board names others
    title = "My board (LFE5U-25F)"
    family = "ecp5"                       # ice40, ecp5 or gowin
    platform = "my_platforms:MyPlatform"  # of amaranth; a module beside the file is found
    device = "LFE5U_25F"                  # of boards/devices.py, or a table [capacity]
    oscillator = "clk25"
    oscillator_hz = 25_000_000
    clock_hz = 50_000_000
    pll = "EHXPLLL"
    led = ["led", 0]

A Python file holds the same in `BOARD`, a `Board`. It is code of its own, and is run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from toreq_hw.boards import devices
from toreq_hw.boards.board import Board, Family, UartPins
from toreq_hw.boards.board_checks import (
    LEAST_BAUD,
    MOST_BAUD,
    MOST_HZ,
    check_board,
    check_clock,
    check_platform,
    check_types,
)
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.reading import Fields, read_toml
from toreq_hw.records.design import Capacity
from toreq_hw.rtl.placement import LANES

_MOST_BYTES = 100_000

DEVICES = {name: one for name, one in vars(devices).items() if isinstance(one, Capacity)}
"""Capacities by the name that a board file may give."""

_NEEDED = (
    "name",
    "title",
    "family",
    "platform",
    "oscillator",
    "oscillator_hz",
    "clock_hz",
    "pll",
    "led",
)
_ASKED = ("device", "capacity", "lanes", "update_lanes", "baud", "loader", "uart")
_UART = ("rx", "tx", "attributes")


def load_board(path: Path) -> Board:
    """The board that a file describes, checked against its platform where that can be imported.

    Raises InputError in one line: what must hold, what was found.
    """
    if path.suffix == ".toml":
        board = _from_toml(path)
    elif path.suffix == ".py":
        board = _from_python(path)
    else:
        raise InputError(f"{path}: must be a .toml or a .py file, found {path.suffix or 'neither'}")
    check_types(board, path)
    check_board(board, path)
    with _beside(path):
        check_platform(board, path)
    check_clock(board, path)
    return board


def _from_toml(path: Path) -> Board:
    table = read_toml(path, _MOST_BYTES, InputError).only((*_NEEDED, *_ASKED))
    family = table.choice("family", Family)
    name, index = _pair(table, "led")
    lanes = table.integer("lanes", 2, max(LANES)) if "lanes" in table else 16
    return Board(
        name=table.text("name"),
        title=table.text("title"),
        family=family,
        platform=table.text("platform"),
        capacity=_capacity(table),
        oscillator=table.text("oscillator"),
        oscillator_hz=table.integer("oscillator_hz", 1, MOST_HZ),
        clock_hz=table.integer("clock_hz", 1, MOST_HZ),
        pll=table.text("pll"),
        led=(name, index),
        lanes=lanes,
        update_lanes=table.integer("update_lanes", 2, lanes) if "update_lanes" in table else lanes,
        baud=table.integer("baud", LEAST_BAUD, MOST_BAUD) if "baud" in table else 1_000_000,
        loader=table.text("loader") if "loader" in table else "",
        uart=_uart(table.part("uart")) if "uart" in table else None,
        weights_in_spram=_capacity(table).spram > 0,
    )


def _pair(table: Fields, field: str) -> tuple[str, int]:
    found = table.items(field)
    if len(found) != 2 or not isinstance(found[0], str) or type(found[1]) is not int:
        raise table.error(field, "be a resource's name and number", found)
    return found[0], found[1]


def _capacity(table: Fields) -> Capacity:
    """A device that is known, or figures of the file's own."""
    if ("device" in table) == ("capacity" in table):
        raise InputError(f"{table.where}: either device or a table capacity must be there")
    if "device" in table:
        name = table.text("device")
        if name not in DEVICES:
            raise table.error("device", f"be one of {', '.join(DEVICES)}", name)
        return DEVICES[name]
    part = table.part("capacity")
    names = [field.name for field in fields(Capacity)]
    part.only(names)
    counts = {name: part.integer(name, 0, 1 << 40) for name in names if name != "source"}
    return Capacity(**counts, source=part.text("source"))


def _uart(table: Fields) -> UartPins:
    table.only(_UART)
    attributes = table.part("attributes") if "attributes" in table else None
    pairs = [] if attributes is None else [(n, attributes.text(n)) for n in attributes.names()]
    return UartPins(table.text("rx"), table.text("tx"), tuple(pairs))


def _from_python(path: Path) -> Board:
    """Runs the file as a module of its own."""
    name = f"toreq_hw_board_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # so that `platform=f"{__name__}:..."` is found
    try:
        with _beside(path):
            spec.loader.exec_module(module)
    except ToreqError:
        raise
    except (Exception, SystemExit) as error:  # whatever somebody's file raises
        line = " ".join(str(error).split())
        raise InputError(f"{path}: must run, found {type(error).__name__}: {line[:200]}") from error
    board = getattr(module, "BOARD", None)
    if not isinstance(board, Board):
        raise InputError(
            f"{path}: BOARD must be a toreq_hw.boards.board.Board, found {type(board).__name__}"
        )
    return board


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Modules beside the file can be imported."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
