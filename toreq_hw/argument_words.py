"""Words in place of members of an enumeration, and texts in place of paths.

A person writes `schedule="parity"` and `folder="core"`; the function gets `Schedule.PARITY` and a
`Path`. Which arguments these are follows from annotations.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from toreq_hw.errors import InputError
from toreq_hw.suggestions import none_of


@dataclass(frozen=True)
class Spoken:
    """An argument that may be said in words. place: among positional ones, None where by name only.

    kind: an enumeration whose values are texts, or `Path`.
    """

    name: str
    place: int | None
    kind: type[Enum] | type[Path]

    def read(self, value: object, where: str) -> object:
        """The member or path of a text, of each text in a list. Raises InputError for others."""
        if isinstance(value, list | tuple):
            return type(value)(self.read(one, where) for one in value) if _words(value) else value
        if not isinstance(value, str) or isinstance(value, Enum):
            return value
        if not issubclass(self.kind, Enum):
            return Path(value)
        known = {member.value: member for member in self.kind.__members__.values()}
        if value not in known:
            raise InputError(none_of(f"{where}: {self.name}", value, known))
        return known[value]


def spoken_arguments(function: Callable[..., Any]) -> tuple[Spoken, ...]:
    """The arguments of a function that may be words; none where its annotations are not known."""
    try:
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
    except (NameError, TypeError, ValueError):  # names that only a type checker imports
        return ()
    found = []
    for place, parameter in enumerate(parameters):
        kinds = _leaves(hints.get(parameter.name, Any))
        spoken = list({kind for kind in kinds if _is_spoken(kind)})
        if len(spoken) == 1 and parameter.kind is not parameter.VAR_KEYWORD:
            by_place = parameter.kind in (
                parameter.POSITIONAL_ONLY,
                parameter.POSITIONAL_OR_KEYWORD,
            )
            found.append(Spoken(parameter.name, place if by_place else None, spoken[0]))
    return tuple(found)


def with_members(
    spoken: tuple[Spoken, ...], where: str, arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """The arguments of a call with members and paths in place of words. Raises InputError."""
    placed, by_name = list(arguments), dict(named)
    for one in spoken:
        if one.name in by_name:
            by_name[one.name] = one.read(by_name[one.name], where)
        elif one.place is not None and one.place < len(placed):
            placed[one.place] = one.read(placed[one.place], where)
    return tuple(placed), by_name


def _words(values: list[Any] | tuple[Any, ...]) -> bool:
    return any(isinstance(one, str) for one in values) and type(values) in (list, tuple)


def _leaves(hint: Any) -> list[Any]:
    """The types that an annotation joins, those of a sequence among them."""
    inner = [one for one in get_args(hint) if one is not Ellipsis]
    return [leaf for one in inner for leaf in _leaves(one)] if inner else [hint]


def _is_spoken(kind: object) -> bool:
    if not isinstance(kind, type):
        return False
    if issubclass(kind, Enum):
        return all(isinstance(member.value, str) for member in kind)
    return kind is Path
