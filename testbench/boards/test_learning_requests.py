"""What a board that learns refuses: each has an answer, changes nothing, and the board lives on."""

from collections.abc import Iterator

import pytest

from testbench.boards.learning_board import (
    INPUTS,
    LIMIT,
    PARAMETERS,
    LearningBoard,
    sample,
    samples,
)
from toreq_hw.boards.link.protocol import LONGEST_READ, Code, ImageFlag, Request, State
from toreq_hw.boards.link.requests import _packed, read
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.load_spaces import Space

PACKED, SPARSE = int(ImageFlag.PACKED), int(ImageFlag.SPARSE)


@pytest.fixture
def board() -> Iterator[LearningBoard]:
    board = LearningBoard()
    yield board
    board.close()


REFUSED = {
    "no label": (Request.TRAIN, b"\1\0\0", Code.LENGTH, None),
    "no values": (Request.TRAIN, sample(0, b""), Code.LENGTH, None),
    "a label beyond": (
        Request.TRAIN,
        sample(0, b"\1" * INPUTS, label=3),
        Code.REFUSED,
        Fault.LABEL,
    ),
    "a high label": (
        Request.TRAIN,
        sample(0, b"\1" * INPUTS, label=0x8000),
        Code.REFUSED,
        Fault.LABEL,
    ),
    "another sample": (Request.TRAIN, sample(0, b"\1" * INPUTS, number=1), Code.ORDER, None),
    "the sample before": (
        Request.TRAIN,
        sample(0, b"\1" * INPUTS, number=0xFF),
        Code.ORDER,
        None,
    ),
    "a report": (Request.TRAIN, sample(8, b"\1" * INPUTS), Code.REFUSED, None),
    "a last part": (Request.TRAIN, sample(2, b"\1" * INPUTS), Code.REFUSED, None),
    "the end of no image": (
        Request.TRAIN,
        b"\0" + sample(0, b"\1" * INPUTS)[1:],
        Code.ORDER,
        None,
    ),
    "a high flag": (Request.TRAIN, sample(0x20, b"\1" * INPUTS), Code.REFUSED, None),
    "a sample with indices": (Request.TRAIN, sample(SPARSE, b"\0\1\1"), Code.REFUSED, None),
    "no sweeps": (
        Request.TRAIN,
        b"\1" + bytes(5) + b"\1" * INPUTS,
        Code.REFUSED,
        Fault.LOAD_DATA,
    ),
    "a wide value": (Request.TRAIN, sample(0, b"\x10\1"), Code.REFUSED, Fault.INPUT_VALUE),
    "a wide value behind zeros": (
        Request.TRAIN,
        sample(PACKED, b"\0\0\x10"),
        Code.REFUSED,
        Fault.INPUT_VALUE,
    ),
    "too many values": (Request.TRAIN, sample(0, bytes(7)), Code.REFUSED, Fault.INPUT_INDEX),
    "a value behind too many zeros": (
        Request.TRAIN,
        sample(PACKED, b"\0\5\1"),
        Code.REFUSED,
        Fault.INPUT_INDEX,
    ),
    "too many zeros": (Request.TRAIN, sample(PACKED, b"\1\0\5"), Code.REFUSED, Fault.INPUT_INDEX),
    "far too many zeros": (
        Request.TRAIN,
        sample(PACKED, b"\0\xff\0\xff\1"),
        Code.REFUSED,
        Fault.INPUT_INDEX,
    ),
    "zeros that are not counted": (Request.TRAIN, sample(PACKED, b"\1\0"), Code.LENGTH, None),
    "an image with indices": (
        Request.IMAGE,
        bytes([SPARSE | 3]) + LIMIT + b"\0\1\1",
        Code.REFUSED,
        None,
    ),
    "a packed image with indices": (
        Request.IMAGE,
        bytes([PACKED | SPARSE | 3]) + LIMIT + b"\0\1\1",
        Code.REFUSED,
        None,
    ),
    "an image with a high flag": (Request.IMAGE, b"\x23" + LIMIT + b"\1", Code.REFUSED, None),
    "a packed nudge": (Request.NUDGE, b"\x11\0\0", Code.REFUSED, None),
    "LEARN as a nudge": (Request.NUDGE, b"\3\0\0", Code.REFUSED, Fault.COMMAND),
    "rows of biases": (Request.READ, read(Space.BIAS, 0, 4), Code.REFUSED, Fault.LOAD_ADDRESS),
    "rows of no space": (Request.READ, read(0x10, 0, 4), Code.REFUSED, Fault.LOAD_ADDRESS),
    "a row beyond": (
        Request.READ,
        read(Space.WEIGHTS, PARAMETERS.stores[0].words, 4),
        Code.REFUSED,
        Fault.LOAD_ADDRESS,
    ),
    "a row far beyond": (
        Request.READ,
        read(Space.GENERATOR, 0x800000, 4),
        Code.REFUSED,
        Fault.LOAD_ADDRESS,
    ),
    "no bytes of a row": (Request.READ, read(Space.GENERATOR, 0, 0), Code.LENGTH, None),
    "no answer": (Request.READ, read(Space.GENERATOR, 0, -1), Code.LENGTH, None),
    "too many bytes": (Request.READ, read(Space.GENERATOR, 0, LONGEST_READ + 1), Code.LENGTH, None),
    "far too many bytes": (Request.READ, read(Space.GENERATOR, 0, 0x8003), Code.LENGTH, None),
    "half a read": (Request.READ, b"\0\0", Code.LENGTH, None),
    "a read and more": (Request.READ, read(Space.GENERATOR, 0, 4) + b"x", Code.LENGTH, None),
    "a rate too low": (Request.SET, b"\x08\0\0\0\1", Code.REFUSED, Fault.LOAD_DATA),
    "a rate too high": (Request.SET, b"\x08\0\0\0\x11", Code.REFUSED, Fault.LOAD_DATA),
    "a rate with a high bit": (Request.SET, b"\x08\0\0\0\x88", Code.REFUSED, Fault.LOAD_DATA),
    "a rate of nothing": (Request.SET, b"\x08\0\0\x7f\5", Code.REFUSED, Fault.LOAD_ADDRESS),
    "a rate far beyond": (Request.SET, b"\x08\x80\0\0\5", Code.REFUSED, Fault.LOAD_ADDRESS),
    "a generator of 0": (Request.SET, b"\x09\0\0\0\0\0\0\0", Code.REFUSED, Fault.LOAD_DATA),
    "a theta of 0": (Request.SET, b"\x0a\0\0\0\0\0", Code.REFUSED, Fault.LOAD_DATA),
    "a theta with its highest bit": (
        Request.SET,
        b"\x0a\0\0\0\x80\1",
        Code.REFUSED,
        Fault.LOAD_DATA,
    ),
    "a weight": (Request.SET, b"\0\0\0\0\5\5\5\5\5\5", Code.REFUSED, Fault.LOAD_ADDRESS),
    "a limit": (Request.SET, b"\5\0\0\0\5\5", Code.REFUSED, Fault.LOAD_ADDRESS),
    "half a theta": (Request.SET, b"\x0a\0\0\0\5", Code.LENGTH, None),
    "no setting": (Request.SET, b"\x0a\0\0\0", Code.LENGTH, None),
    "a type beyond": (11, b"", Code.UNKNOWN, None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(board: LearningBoard, name: str) -> None:
    kind, payload, code, fault = REFUSED[name]
    flags = 0 if fault is None else 1 << fault
    state = State.LOADED | (State.FAULTS if flags else State(0))
    assert board.ask(kind, payload) == (code, state, b"")
    assert board.ask(Request.STATUS) == (Code.OK, state, bytes([flags, 0, 0]))
    assert board.ask(Request.RESET) == (Code.OK, State.LOADED, b"")
    assert board.learns_right(0)


def test_rows_are_not_read_while_an_image_has_begun(board: LearningBoard) -> None:
    begun = State.LOADED | State.OPEN
    assert board.ask(Request.IMAGE, b"\1" + LIMIT + b"\3") == (Code.OK, begun, b"")
    reply = board.ask(Request.READ, read(Space.GENERATOR, 0, 4))
    assert reply == (Code.ORDER, begun | State.FAULTS, b"")
    status = board.ask(Request.STATUS)
    assert status is not None
    assert status[2][0] == 1 << Fault.COMMAND
    next_part = board.ask(Request.IMAGE, b"\2" + LIMIT + b"\3")
    assert next_part == (Code.REFUSED, State.LOADED | State.FAULTS, b"")
    assert board.ask(Request.RESET) == (Code.OK, State.LOADED, b"")
    assert board.learns_right(0)


def test_rows_are_not_read_in_the_middle_of_a_refused_image(board: LearningBoard) -> None:
    assert board.ask(Request.TRAIN, sample(0, b"\x10")) is not None
    reply = board.ask(Request.READ, read(Space.GENERATOR, 0, 4))
    assert reply is not None
    assert reply[0] is Code.REFUSED
    assert board.ask(Request.SET, b"\x0a\0\0\0\x10\0") == (Code.OK, State.LOADED, b"")
    assert board.learns_right(0)


def test_a_zero_that_is_not_counted_says_nothing_of_the_next_image(board: LearningBoard) -> None:
    refused = board.ask(Request.TRAIN, sample(PACKED, b"\1\0"))
    assert refused == (Code.LENGTH, State.LOADED, b"")
    image, label = samples().images[0], int(samples().labels[0])
    packed = b"".join(_packed(image)[1])
    reply = board.ask(Request.TRAIN, sample(PACKED, packed, label=label))
    assert reply is not None
    assert reply[0] is Code.OK
    board.link.samples = 1
    assert board.learns_right(1)
