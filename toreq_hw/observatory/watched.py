"""What a tab shows: a recording, and the tick of it that is viewed. A live network adds to it."""

from collections.abc import Sequence
from pathlib import Path

from toreq_hw.errors import InputError
from toreq_hw.observatory import recording_file
from toreq_hw.observatory.breaking import Break
from toreq_hw.observatory.loop_gain import Settings
from toreq_hw.observatory.recording import Recording
from toreq_hw.observatory.viewer import Viewer

ONLY_WATCHED = "a recording can only be watched; open its network to change something"


class _Over:
    """In place of a session: there is nothing behind a recording."""

    finished = True

    def step(self) -> None:
        """Is never asked for."""


class Watched:
    """A recording in a tab. viewer: of `recording`. Every change raises InputError."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.viewer = Viewer(_Over(), recording)

    @classmethod
    def of_file(cls, path: Path) -> "Watched":
        """A recording of its own for each tab: a view walks through it. Raises InputError."""
        return cls(recording_file.load(path))

    def present(self, sample: int) -> None:
        """Refused, as all that follow."""
        raise InputError(ONLY_WATCHED)

    def present_pixels(self, values: Sequence[int]) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def nudge(self, label: int, sign: int) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def learn(self, label: int) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def train(self, count: int) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def forget(self) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def add_break(self, one: Break) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def undo(self) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def repair(self) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)

    def configure(self, settings: Settings) -> None:
        """Refused."""
        raise InputError(ONLY_WATCHED)
