"""What a study shows while it works, lines and bars; a command says where."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Bar(Protocol):
    """The progress of one piece of work."""

    def advance(self, amount: float = 1) -> None:
        """So much more is done."""

    def show(
        self, done: float | None = None, total: float | None = None, note: str | None = None
    ) -> None:
        """So much is done, of so much; a note beside it. What is None stays as it is."""


class Screen(Protocol):
    """Where progress is shown."""

    def say(self, line: str) -> None:
        """Shows a line at once."""

    def bar(
        self, title: str, total: float | None = None, note: str = ""
    ) -> AbstractContextManager[Bar]:
        """A bar while the context lasts. total: None where it is not known yet."""


class _NoBar:
    """Shows nothing."""

    def advance(self, amount: float = 1) -> None:
        """Passed over."""

    def show(
        self, done: float | None = None, total: float | None = None, note: str | None = None
    ) -> None:
        """Passed over."""


class NoScreen:
    """A screen that shows nothing: for programs that call a study."""

    def say(self, line: str) -> None:
        """Passed over."""

    @contextmanager
    def bar(self, title: str, total: float | None = None, note: str = "") -> Iterator[Bar]:
        """A bar that shows nothing."""
        yield _NoBar()


NO_SCREEN = NoScreen()
