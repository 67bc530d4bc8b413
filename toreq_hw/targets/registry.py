"""Every target by name: a new one is a module with a `target` and a line here, or a board."""

from dataclasses import replace
from importlib import import_module

from toreq_hw.boards import registry as boards
from toreq_hw.errors import InputError
from toreq_hw.records.deployment import TargetStatus
from toreq_hw.suggestions import look_up
from toreq_hw.targets.board import board_target
from toreq_hw.targets.target import Target

_MODULES = {
    "sim": "toreq_hw.targets.sim",
    "rtl": "toreq_hw.targets.rtl",
    "loihi": "toreq_hw.targets.loihi",
    "nengo": "toreq_hw.targets.nengo",
    "nengo-loihi": "toreq_hw.targets.nengo_loihi",
    "nir": "toreq_hw.targets.nir",
}
"""Target name -> module. Modules import heavy dependencies inside `run` only."""


def names() -> tuple[str, ...]:
    """All target names, in the order in which they are listed."""
    return (*_MODULES, *boards.names())


def get(name: str) -> Target:
    """The target called `name`; InputError if there is none."""
    if name in boards.names():
        return board_target(boards.get(name))
    known: dict[str, str] = _MODULES | dict.fromkeys(boards.names(), "")
    target = import_module(look_up(known, name, "target", InputError)).target
    assert isinstance(target, Target)
    return target


def all_targets() -> tuple[Target, ...]:
    """Every target, in the order in which they are listed."""
    return tuple(get(name) for name in names())


def statuses() -> tuple[TargetStatus, ...]:
    """What each target is and what it was tried with; boards are one entry."""
    found = [_status(name, get(name)) for name in _MODULES]
    board = _status(", ".join(boards.names()), get(boards.names()[0]))
    return (*found, replace(board, description="a board behind --port, or simulated: --port sim"))


def _status(name: str, target: Target) -> TargetStatus:
    return TargetStatus(name, target.description, target.standing.value, ", ".join(target.tried))
