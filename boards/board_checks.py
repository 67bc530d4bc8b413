"""Whether a board can be: what holds of its figures, its clock and its platform without a build."""

from pathlib import Path
from typing import Any

from toreq_hw.boards import devices, registry
from toreq_hw.boards.board import Board, Family
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.extras import missing
from toreq_hw.reading import integer, shown, text
from toreq_hw.records.design import Capacity
from toreq_hw.rtl.placement import LANES

MOST_HZ = 1_000_000_000
LEAST_BAUD, MOST_BAUD = 300, 12_000_000

_FAMILIES = {
    devices.ICE40UP5K: Family.ICE40,
    devices.ICE40HX8K: Family.ICE40,
    devices.LFE5U_25F: Family.ECP5,
    devices.LFE5U_85F: Family.ECP5,
    devices.GW1NR_9: Family.GOWIN,
}

_PLLS = {
    Family.ICE40: ("SB_PLL40_PAD", "SB_PLL40_CORE"),
    Family.ECP5: ("EHXPLLL",),
    Family.GOWIN: ("rPLL",),
}


def check_board(board: Board, path: Path) -> None:
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
    if board.update_lanes > board.lanes:
        raise InputError(
            f"{path}: update_lanes must be at most lanes, {board.lanes}, found {board.update_lanes}"
        )
    if board.platform.count(":") != 1:
        raise InputError(f"{path}: platform must be module:Class, found {board.platform!r}")
    family = _FAMILIES.get(board.capacity, board.family)
    if family != board.family:
        raise InputError(
            f"{path}: device must be of the family {board.family}, found one of {family}"
        )


def check_types(board: Board, path: Path) -> None:
    """Of a file in Python, which may hold anything."""
    for name in ("name", "title", "platform", "oscillator", "pll", "loader"):
        text(getattr(board, name), f"{path}: {name}", InputError)
    for name, low, high in (
        ("oscillator_hz", 1, MOST_HZ),
        ("clock_hz", 1, MOST_HZ),
        ("baud", LEAST_BAUD, MOST_BAUD),
    ):
        integer(getattr(board, name), low, high, f"{path}: {name}", InputError)
    led = board.led
    if not isinstance(led, tuple) or tuple(map(type, led)) != (str, int):
        raise InputError(f"{path}: led must be a resource's name and number, found {shown(led)}")
    for name, kind in (("family", Family), ("capacity", Capacity)):
        if not isinstance(getattr(board, name), kind):
            raise InputError(
                f"{path}: {name} must be a {kind.__name__}, found {shown(getattr(board, name))}"
            )


def check_clock(board: Board, path: Path) -> None:
    """The loop makes the clock, and the UART's bits are whole cycles of it."""
    try:
        from toreq_hw.boards.clock.clocking import solve
        from toreq_hw.boards.link.uart import bit_cycles
    except ModuleNotFoundError as error:
        raise missing("a board file", error.name, "boards") from error
    try:
        bit_cycles(round(solve(board).output_hz), board.baud)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def check_platform(board: Board, path: Path) -> None:
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
    platform = _platform(board, path)
    _check_device(board, platform, path)
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
    _check_pins(board, platform, path)


def _platform(board: Board, path: Path) -> Any:
    """The board's platform. Raises InputError where it cannot be made, as for a second UART."""
    try:
        return board.make_platform()
    except ToreqError:
        raise
    except Exception as error:  # whatever a platform of somebody's own raises
        line = " ".join(str(error).split())
        raise InputError(
            f"{path}: platform and uart must go together, found {type(error).__name__}: "
            f"{line[:200]}"
        ) from error


def _check_device(board: Board, platform: Any, path: Path) -> None:
    """The platform is of the family, and its device is no other one that is known."""
    vendors = {
        Family.ICE40: "SiliconBluePlatform",
        Family.ECP5: "LatticePlatform",
        Family.GOWIN: "GowinPlatform",
    }
    names = [kind.__name__ for kind in type(platform).__mro__]
    if vendors[board.family] not in names:
        raise InputError(
            f"{path}: platform must be of the family {board.family} "
            f"({vendors[board.family]} of amaranth), found {names[0]}"
        )
    found = _letters(getattr(platform, "device", ""))
    known = {name: one for name, one in vars(devices).items() if isinstance(one, Capacity)}
    for name, capacity in known.items():
        is_other = board.capacity in known.values() and board.capacity != capacity
        if _letters(name) == found and is_other:
            raise InputError(f"{path}: device must be the platform's, {name}, found another")


def _letters(name: object) -> str:
    """A device's name without what is written in more than one way."""
    return "".join(letter for letter in str(name).lower() if letter.isalnum())


def _check_pins(board: Board, platform: Any, path: Path) -> None:
    """No pin of oscillator, UART and LED is another's."""
    from amaranth.build import ResourceError, Subsignal

    try:
        for resource in ((board.oscillator, 0), board.led, ("uart", 0)):
            parts = [p.name for p in platform.lookup(*resource).ios if isinstance(p, Subsignal)]
            platform.request(*resource, dir=dict.fromkeys(parts, "-") if parts else "-")
    except ResourceError as error:
        raise InputError(f"{path}: pins must be free, found: {error}") from error
