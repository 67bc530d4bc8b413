"""The next sample reaches a board that still learns: both are learned, and a reset ends both."""

from collections.abc import Iterator

import pytest

from testbench.boards.learning_board import (
    PATIENCE,
    LearningBoard,
    rates,
    same,
    states,
    train_payload,
)
from testbench.boards.small_board import answer
from toreq_hw.boards.link.protocol import Code, Request, State


@pytest.fixture
def board() -> Iterator[LearningBoard]:
    board = LearningBoard()
    yield board
    board.close()


class Ahead:
    """A board that works on sample 0, with the TRAIN of sample 1, or another request, sent as the
    head of its answer came; `head` is what was heard until then.
    """

    def __init__(self, board: LearningBoard, following: Request = Request.TRAIN) -> None:
        payload = train_payload(1) if following is Request.TRAIN else b""
        self.frames = [
            board.frame(Request.TRAIN, train_payload(0)),
            board.frame(following, payload),
        ]
        board.line.write(self.frames[0].encode())
        self.head = board.line.wait(PATIENCE, most=6)
        board.line.write(self.frames[1].encode())


def test_the_next_sample_may_come_behind_the_head_of_an_answer(board: LearningBoard) -> None:
    ahead = Ahead(board)
    heard = ahead.head + board.line.wait(PATIENCE)
    for number, frame in enumerate(ahead.frames):
        reply = answer(frame, heard)
        assert reply is not None, number
        assert (reply[0], len(reply[2])) == (Code.OK, 13 + 9 + 9 + 3), number
    board.link.samples = 2
    assert board.learns_right(2)


def test_any_request_may_come_behind_the_head_and_is_answered_in_turn(board: LearningBoard) -> None:
    ahead = Ahead(board, Request.STATUS)
    heard = ahead.head + board.line.wait(PATIENCE)
    first, second = (answer(frame, heard) for frame in ahead.frames)
    assert first is not None
    assert (first[0], len(first[2])) == (Code.OK, 13 + 9 + 9 + 3)
    assert second == (Code.OK, State.LOADED, bytes([0, 0, 1]))
    board.link.samples = 1
    assert board.learns_right(1)


@pytest.mark.parametrize("kind", [Request.RESET, Request.IDENTIFY])
@pytest.mark.parametrize("holds_next", [False, True])
def test_a_reset_ends_the_sample_at_work_and_the_one_that_waits(
    board: LearningBoard, kind: Request, *, holds_next: bool
) -> None:
    found = {0: 0, 1: 0, None: 0}
    expected = states(1)
    for cycles in range(1, 1200, 61):
        board.link.load_state(expected[0], rates())
        if holds_next:
            Ahead(board)
        else:
            board.line.write(board.frame(Request.TRAIN, train_payload(0)).encode())
            board.line.wait(PATIENCE, most=6)
        board.pass_time(cycles)
        assert board.ask(kind) is not None
        status = board.link.status()
        if State.LOADED not in status.state:
            found[None] += 1
            continue
        board.link.samples = learned = status.samples
        if learned < 2:
            found[learned] += 1
            assert same(board.link.read_state(), expected[learned]), cycles
    assert min(found[0], found[None]) > 0, found
