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

from toreq_hw.boards import devices, registry
from toreq_hw.boards.board import Board, Family, UartPins
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.reading import Fields, read_toml
from toreq_hw.records.design import Capacity
from toreq_hw.rtl.placement import LANES

_MOST_BYTES = 100_000
_MOST_HZ = 1_000_000_000

DEVICES = {name: one for name, one in vars(devices).items() if isinstance(one, Capacity)}
"""Capacities by the name that a board file may give."""

_PLLS = {
    Family.ICE40: ("SB_PLL40_PAD", "SB_PLL40_CORE"),
    Family.ECP5: ("EHXPLLL",),
    Family.GOWIN: ("rPLL",),
}
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
    _check(board, path)
    with _beside(path):
        _check_platform(board, path)
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
        oscillator_hz=table.integer("oscillator_hz", 1, _MOST_HZ),
        clock_hz=table.integer("clock_hz", 1, _MOST_HZ),
        pll=table.text("pll"),
        led=(name, index),
        lanes=lanes,
        update_lanes=table.integer("update_lanes", 2, lanes) if "update_lanes" in table else lanes,
        baud=table.integer("baud", 300, 12_000_000) if "baud" in table else 1_000_000,
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


def _check(board: Board, path: Path) -> None:
    """What no platform is needed for."""
    if not board.name.isidentifier():
        raise InputError(f"{path}: name must be letters, digits and _, found {board.name!r}")
    if board.name in registry.names():
        raise InputError(
            f"{path}: name must be none of {', '.join(registry.names())}, found {board.name}"
        )
    for name, lanes in (("lanes", board.lanes), ("update_lanes", board.update_lanes)):
        if lanes not in LANES:
            raise InputError(
                f"{path}: {name} must be one of {', '.join(map(str, LANES))}, found {lanes}"
            )
    if board.pll not in _PLLS[board.family]:
        raise InputError(
            f"{path}: pll must be {' or '.join(_PLLS[board.family])} for {board.family}, "
            f"found {board.pll}"
        )
    if board.platform.count(":") != 1:
        raise InputError(f"{path}: platform must be module:Class, found {board.platform!r}")


def _check_platform(board: Board, path: Path) -> None:
    """Oscillator, UART and LED are resources of the platform, the oscillator of that frequency.

    Raises MissingDependencyError without amaranth-boards, InputError where something is not there.
    """
    from importlib import import_module

    module_name, class_name = board.platform.split(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name == module_name:
            raise InputError(
                f"{path}: module {module_name} of the platform must be importable, found none"
            ) from error
        board.make_platform()  # says what must be installed
        raise
    if not hasattr(module, class_name):
        raise InputError(f"{path}: {module_name} must have a class {class_name}, found none")
    platform = board.make_platform()
    needed = (("oscillator", (board.oscillator, 0)), ("led", board.led), ("UART", ("uart", 0)))
    for what, resource in needed:
        if resource not in platform.resources:
            raise InputError(
                f"{path}: {what} must be a resource of {class_name}, found no {resource[0]} "
                f"{resource[1]}"
            )
    clock = platform.lookup(board.oscillator).clock
    if clock is None or clock.frequency != board.oscillator_hz:
        found = "none" if clock is None else f"{clock.frequency:.0f}"
        raise InputError(
            f"{path}: oscillator_hz must be the platform's, {found}, found {board.oscillator_hz}"
        )
