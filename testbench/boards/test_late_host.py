"""A host that other work keeps from its port: an answer that has come counts, however late."""

from collections.abc import Callable

import pytest

from toreq_hw.boards.link.exchange import ATTEMPTS, Exchange
from toreq_hw.boards.link.protocol import FLAG, REPLY, Code, Frame, Request
from toreq_hw.errors import LinkError


class SlowLine:
    """A board that answers at once, and a host whose every look at the clock takes an hour."""

    name, baud, slack_s = "slow", 1e6, 0.25

    def __init__(self, answer: Callable[[Frame], bytes]) -> None:
        self._answer, self._waiting, self._now = answer, b"", 0.0
        self.sent = 0

    def now(self) -> float:
        self._now += 3600
        return self._now

    def write(self, data: bytes) -> None:
        (stuffed,) = filter(None, data.split(bytes([FLAG])))
        self._waiting += self._answer(Frame.decode(stuffed))
        self.sent += 1

    def read(self, timeout_s: float) -> bytes:
        """What lies there; nothing comes later."""
        assert timeout_s == 0.0
        received, self._waiting = self._waiting, b""
        return received

    def close(self) -> None:
        """Nothing to give back."""


def test_an_answer_that_lies_there_is_read_after_the_deadline() -> None:
    line = SlowLine(lambda f: Frame(f.sequence, f.type | REPLY, bytes([Code.OK])).encode())
    code, data, _ = Exchange(line).send(Request.STATUS, b"")
    assert (code, data, line.sent) == (Code.OK, b"", 1)


def test_a_board_that_stays_silent_is_still_given_up() -> None:
    line = SlowLine(lambda _: b"")
    with pytest.raises(LinkError, match=f"it was silent {ATTEMPTS} times"):
        Exchange(line).send(Request.STATUS, b"")
    assert line.sent == ATTEMPTS
