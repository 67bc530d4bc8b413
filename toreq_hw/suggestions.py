"""Names that nobody knows, answered with the ones that there are and the nearest of them."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from toreq_hw.errors import ToreqError
from toreq_hw.reading.fields import shown

Value = TypeVar("Value")


def look_up(known: Mapping[str, Value], name: object, what: str, error: type[ToreqError]) -> Value:
    """`known[name]`. Raises `error` for a name that is not there, or is no text at all."""
    if not isinstance(name, str) or name not in known:
        raise error(none_of(what, name, known))
    return known[name]


def none_of(what: str, found: object, known: Iterable[str]) -> str:
    """One line for an unknown name. what: what is named, such as `board`."""
    names = list(known)
    return f"{what} must be one of {', '.join(names)}, not {shown(found)}{nearest(found, names)}"


def nearest(found: object, known: Iterable[str]) -> str:
    """`; did you mean 'digits'?` where a known name is near, else nothing."""
    by_plain = {_plain(name): name for name in known}
    near = get_close_matches(_plain(shown(found).strip("'")), by_plain, n=1)
    return f"; did you mean {by_plain[near[0]]!r}?" if near else ""


def _plain(name: str) -> str:
    """Without case, and one sign for what joins words."""
    return name.lower().replace("_", "-").replace(" ", "-")
