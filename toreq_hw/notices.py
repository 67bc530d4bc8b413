"""What a part of the toolkit says about its own work; commands show it, a library stays silent."""

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []
_said: set[str] = set()


def listen(listener: Callable[[str], None]) -> None:
    """From now on `listener` alone hears what is said, in this process."""
    _listeners[:] = [listener]


def tell_once(text: str) -> None:
    """Says `text` unless this process has said it before."""
    if _listeners and text not in _said:
        _said.add(text)
        _listeners[0](text)
