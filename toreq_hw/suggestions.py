"""Names that nobody knows, answered with the ones that there are and the nearest of them."""

from collections.abc import Iterable
from difflib import get_close_matches

from toreq_hw.reading.fields import shown


def none_of(what: str, found: object, known: Iterable[str]) -> str:
    """One line for an unknown name. what: what is named, such as `board`."""
    names = list(known)
    return f"{what} must be one of {', '.join(names)}, not {shown(found)}{nearest(found, names)}"


def nearest(found: object, known: Iterable[str]) -> str:
    """`; did you mean 'digits'?` where a known name is near, else nothing."""
    by_plain = {_plain(name): name for name in known}
    near = get_close_matches(_plain(str(found)), by_plain, n=1)
    return f"; did you mean {by_plain[near[0]]!r}?" if near else ""


def _plain(name: str) -> str:
    """Without case, and one sign for what joins words."""
    return name.lower().replace("_", "-").replace(" ", "-")
