"""A board that misbehaves, and a pseudo-terminal that puts any board behind a real serial port."""

import os
import pty
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from toreq_hw.boards.link.protocol import FLAG, Frame
from toreq_hw.boards.link.simulated import SimulatedTransport

STEP_S = 100e-6
"""Of the board's time, between two looks at the line."""


@dataclass(frozen=True)
class Reaction:
    """What becomes of one request: bytes that reach the board, and bytes that come back at once."""

    to_board: bytes = b""
    to_host: bytes = b""


Rule = Callable[[Frame], Reaction]


def faithful(frame: Frame) -> Reaction:
    """As it should be."""
    return Reaction(frame.encode())


class FaultyBoard:
    """`inner`, with `rule` between host and board. asked: every request that the host sent."""

    def __init__(self, inner: SimulatedTransport, rule: Rule) -> None:
        self.inner = inner
        self._rule = rule
        self._half = b""
        self._answers = b""
        self.asked: list[Frame] = []
        self.name, self.baud, self.slack_s = inner.name, inner.baud, inner.slack_s

    def now(self) -> float:
        return self.inner.now()

    def write(self, data: bytes) -> None:
        *whole, self._half = (self._half + data).split(bytes([FLAG]))
        for stuffed in filter(None, whole):
            frame = Frame.decode(stuffed)
            self.asked.append(frame)
            reaction = self._rule(frame)
            self.inner.write(reaction.to_board)
            self._answers += reaction.to_host

    def read(self, timeout_s: float) -> bytes:
        answers, self._answers = self._answers, b""
        return answers or self.inner.read(timeout_s)

    def close(self) -> None:
        """Leaves the board on, so that a test can ask it what it holds."""


class Pseudoterminal:
    """`board` behind `port`, until the block ends or the cable is pulled."""

    def __init__(self, board: FaultyBoard) -> None:
        self._board = board
        self._ours, self._theirs = pty.openpty()
        self.port = os.ttyname(self._theirs)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Pseudoterminal":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        if self._ours >= 0:
            self.pull()
        os.close(self._theirs)

    def pull(self) -> None:
        """Pulls the cable out."""
        os.close(self._ours)
        self._ours = -1

    def _serve(self) -> None:
        while not self._is_over.is_set() and self._ours >= 0:
            if select.select([self._ours], [], [], 0)[0]:
                self._board.write(os.read(self._ours, 4096))
            if self._ours >= 0 and (answer := self._board.read(STEP_S)):
                os.write(self._ours, answer)
