"""Requests that a host should not send: each is refused with an answer, and the board lives on."""

from collections.abc import Iterator

import pytest

from testbench.boards.small_board import CHECK, PATIENCE, ROWS, SmallBoard, frames_of
from toreq_hw.boards.link.protocol import Code, Frame, ImageFlag, Request, State, load_check
from toreq_hw.rtl.interfaces import Fault

FIRST, LAST, SPARSE, REPORT, _PACKED = (int(flag) for flag in ImageFlag)
LIMIT = b"\0\x09"
IMAGE = bytes([FIRST | LAST | REPORT]) + LIMIT + b"\3\5"
NUDGE_POSITIVE, NUDGE_NEGATIVE = 1, 2


@pytest.fixture
def board() -> Iterator[SmallBoard]:
    board = SmallBoard()
    yield board
    board.close()


@pytest.fixture
def loaded(board: SmallBoard) -> SmallBoard:
    """With a free phase behind it, so that NUDGE_POSITIVE may come."""
    board.load()
    assert board.ask(Request.IMAGE, IMAGE) is not None
    return board


def image(flags: int, values: bytes, limit: bytes = LIMIT) -> bytes:
    return bytes([flags]) + limit + values


REFUSED = {
    "a nudge that is no command": (Request.NUDGE, b"\0\0\0", Fault.COMMAND),
    "a nudge that is no command, with report": (Request.NUDGE, b"\x08\0\0", Fault.COMMAND),
    "a nudge that is both": (Request.NUDGE, b"\3\0\0", Fault.COMMAND),
    "a nudge with a flag that means nothing": (Request.NUDGE, b"\x05\0\0", Fault.COMMAND),
    "a nudge with a high flag": (Request.NUDGE, b"\x11\0\0", None),
    "a nudge out of order": (Request.NUDGE, b"\2\0\0", Fault.COMMAND),
    "the first label beyond": (Request.NUDGE, b"\1\0\2", Fault.LABEL),
    "a label whose low byte fits": (Request.NUDGE, b"\1\1\0", Fault.LABEL),
    "the highest label": (Request.NUDGE, b"\1\xff\xff", Fault.LABEL),
    "an image with flags that mean nothing": (Request.IMAGE, image(0x13, b"\3\5"), None),
    "a limit of no sweeps": (Request.IMAGE, image(3, b"\3\5", b"\0\0"), Fault.LOAD_DATA),
    "a limit of no sweeps, and no value": (Request.IMAGE, image(3, b"", b"\0\0"), Fault.LOAD_DATA),
    "a value beyond the states": (Request.IMAGE, image(3, b"\3\x10"), Fault.INPUT_VALUE),
    "the highest value": (Request.IMAGE, image(3, b"\xff\5"), Fault.INPUT_VALUE),
    "a sparse value beyond": (Request.IMAGE, image(7, b"\0\0\x55"), Fault.INPUT_VALUE),
    "more values than inputs": (Request.IMAGE, image(3, b"\1\2\3"), Fault.INPUT_INDEX),
    "zeros beyond the inputs": (Request.IMAGE, image(3, b"\1\2\0"), Fault.INPUT_INDEX),
    "an index beyond": (Request.IMAGE, image(7, b"\0\2\1"), Fault.INPUT_INDEX),
    "an index whose low byte fits": (Request.IMAGE, image(7, b"\1\0\1"), Fault.INPUT_INDEX),
    "an index twice": (Request.IMAGE, image(7, b"\0\1\1\0\1\1"), Fault.INPUT_INDEX),
    "an index that falls": (Request.IMAGE, image(7, b"\0\1\1\0\0\1"), Fault.INPUT_INDEX),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_core_cannot_take_is_refused_on_the_wire(loaded: SmallBoard, name: str) -> None:
    kind, payload, fault = REFUSED[name]
    flags = 0 if fault is None else 1 << fault
    state = State.LOADED | (State.FAULTS if flags else State(0))
    assert loaded.ask(kind, payload) == (Code.REFUSED, state, b"")
    reply = loaded.ask(Request.STATUS)
    assert reply == (Code.OK, state, bytes([flags, 0]))
    if kind == Request.IMAGE:
        for other, more, code in (
            (Request.NUDGE, b"\1\0\0", Code.REFUSED),
            (Request.IMAGE, image(LAST, b"\3"), Code.ORDER),
        ):
            answered = loaded.ask(other, more)
            assert answered is not None
            assert answered[0] is code
    else:
        assert loaded.runs_right()
    assert loaded.is_alive()
    assert loaded.runs_right()


def test_a_refused_part_ends_the_image(loaded: SmallBoard) -> None:
    open_ = State.LOADED | State.OPEN
    assert loaded.ask(Request.IMAGE, image(FIRST, b"\3")) == (Code.OK, open_, b"")
    assert loaded.ask(Request.NUDGE, b"\1\0\0") == (Code.ORDER, open_, b"")
    assert loaded.ask(Request.IMAGE, image(LAST, b"")) == (Code.LENGTH, State.LOADED, b"")
    assert loaded.ask(Request.IMAGE, image(LAST, b"\5")) == (Code.ORDER, State.LOADED, b"")
    assert loaded.runs_right()


@pytest.mark.parametrize("first", [0, REPORT])
@pytest.mark.parametrize("last", [0, REPORT])
def test_an_image_reports_if_its_first_part_asks_for_it(
    loaded: SmallBoard, first: int, last: int
) -> None:
    loaded.ask(Request.IMAGE, image(FIRST | first, b"\3"))
    reply = loaded.ask(Request.IMAGE, image(LAST | last, b"\5", b"\xff\xff"))
    assert reply is not None
    assert (reply[0], len(reply[2])) == (Code.OK, 15 + (first == REPORT))
    assert loaded.runs_right()


def test_three_images_that_once_silenced_a_board(loaded: SmallBoard) -> None:
    long = bytes.fromhex("060000fc0039e3ab48ce00cf")
    for payload in (b"\x3b\x3c\x71", b"\x02\xff\xff\xaa", long + bytes(57 - len(long))):
        assert loaded.ask(Request.IMAGE, payload) is not None
        assert loaded.is_alive()
    assert loaded.runs_right()


EXTRA = {
    Request.IDENTIFY: b"x",
    Request.STATUS: b"x",
    Request.RESET: b"x",
    Request.BEGIN: b"x",
    Request.COMMIT: CHECK + b"x",
    Request.NUDGE: b"\1\0\0x",
}


@pytest.mark.parametrize("kind", EXTRA)
def test_bytes_behind_the_last_item_are_refused(loaded: SmallBoard, kind: Request) -> None:
    if kind is Request.COMMIT:
        for begun, payload in ((Request.BEGIN, b""), *((Request.WORDS, rows) for rows in ROWS)):
            loaded.ask(begun, payload)
    reply = loaded.ask(kind, EXTRA[kind])
    assert reply is not None
    assert (reply[0], reply[2]) == (Code.LENGTH, b"")
    if kind is Request.COMMIT:
        assert State.LOADED not in reply[1]
        loaded.load()
    assert loaded.runs_right()


def words(space: int, address: int, rows: bytes) -> bytes:
    return bytes([space]) + address.to_bytes(3, "big") + rows


WEIGHTS, BIASES = ROWS[0][4:], ROWS[1][4:]
"""Two rows of one byte each, and two of one byte each."""

PARTIAL = {
    "nothing": [],
    "no biases": [ROWS[0]],
    "no weights": [ROWS[1]],
    "a row short": [ROWS[0], words(4, 0, BIASES[:1])],
    "the last row twice": [ROWS[0], words(4, 0, BIASES[:1]), words(4, 0, BIASES[:1])],
    "as many rows, one of them twice": [
        words(0, 0, WEIGHTS[:1]),
        words(0, 0, WEIGHTS[:1]),
        ROWS[1],
    ],
    "spaces in another order": [ROWS[1], ROWS[0]],
    "rows in another order": [words(0, 1, WEIGHTS[1:]), words(0, 0, WEIGHTS[:1]), ROWS[1]],
    "a row too many": [*ROWS, words(5, 0, b"\1")],
    "a row too many, in the last request": [ROWS[0], ROWS[1] + b"\0"],
    "everything twice": [*ROWS, *ROWS],
    "a row behind the end of the first space": [ROWS[0], words(0, 2, b"\0"), ROWS[1]],
    "rows that go on into the next space": [ROWS[0] + BIASES],
    "a row that ends early": [ROWS[0][:4], *ROWS],
    "an address of 24 bits whose low ones fit": [words(0, 1 << 16, WEIGHTS), ROWS[1]],
    "a space whose low bits fit": [words(8, 0, WEIGHTS), ROWS[1]],
    "a weight that is none": [words(0, 0, b"\x02" + WEIGHTS[1:]), ROWS[1]],
}


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("name", PARTIAL)
def test_a_load_that_is_not_whole_is_refused_whatever_its_check(
    loaded: SmallBoard, name: str, *, resets: bool
) -> None:
    loaded.ask(Request.BEGIN)
    sent = PARTIAL[name]
    for payload in sent:
        loaded.ask(Request.WORDS, payload)
        if resets:
            loaded.ask(Request.RESET)
    reply = loaded.ask(Request.COMMIT, load_check(b"".join(sent)).to_bytes(4, "big"))
    assert reply is not None
    assert reply[0] is Code.CHECK
    assert not reply[1] & (State.LOADED | State.LOADING)
    for kind, payload in ((Request.IMAGE, IMAGE), (Request.NUDGE, b"\1\0\0")):
        refusal = loaded.ask(kind, payload)
        assert refusal is not None
        assert refusal[0] is Code.UNLOADED
    loaded.load()
    assert loaded.runs_right()


@pytest.mark.parametrize(("space", "sent"), [(5, ROWS), (7, ROWS[1:])])
def test_a_load_that_is_over_takes_no_row_of_any_space(
    board: SmallBoard, space: int, sent: tuple[bytes, ...]
) -> None:
    """Complete or broken, it is in a state that has the number of no space of rows."""
    board.ask(Request.BEGIN)
    for payload in sent:
        board.ask(Request.WORDS, payload)
    for _ in range(2):
        reply = board.ask(Request.WORDS, words(space, 0, b"\1"))
        assert reply == (Code.ORDER, State.LOADING, b"")


@pytest.mark.parametrize("bit", [0, 31])
def test_a_whole_load_with_a_wrong_check_is_not_loaded(board: SmallBoard, bit: int) -> None:
    for kind, payload in ((Request.BEGIN, b""), *((Request.WORDS, rows) for rows in ROWS)):
        board.ask(kind, payload)
    wrong = int.from_bytes(CHECK, "big") ^ 1 << bit
    assert board.ask(Request.COMMIT, wrong.to_bytes(4, "big")) == (Code.CHECK, State(0), b"")
    assert board.ask(Request.IMAGE, IMAGE) == (Code.UNLOADED, State(0), b"")


def test_rows_may_come_in_any_number_of_requests_and_resets_between(board: SmallBoard) -> None:
    halves = [words(0, 0, WEIGHTS[:1]), words(0, 1, WEIGHTS[1:]), words(4, 0, BIASES[:1])]
    for sent in (list(ROWS), [*halves, words(4, 1, BIASES[1:])]):
        board.ask(Request.BEGIN)
        for payload in sent:
            assert board.ask(Request.WORDS, payload) == (Code.OK, State.LOADING, b"")
            board.ask(Request.RESET)
        check = load_check(b"".join(sent)).to_bytes(4, "big")
        assert board.ask(Request.COMMIT, check) == (Code.OK, State.LOADED, b"")
        assert board.runs_right()


ENDLESS = image(FIRST | LAST | REPORT, b"\3\5", b"\xff\xff")
WORK = {
    "a load": (Request.WORDS, ROWS[0]),
    "an image": (Request.IMAGE, ENDLESS),
    "a part of one": (Request.IMAGE, image(FIRST, b"\3\5")),
    "a nudge": (Request.NUDGE, bytes([NUDGE_POSITIVE | REPORT, 0, 0])),
    "a question": (Request.IDENTIFY, b""),
}


@pytest.mark.parametrize("kind", [Request.RESET, Request.IDENTIFY])
@pytest.mark.parametrize("name", WORK)
def test_reset_and_identify_are_answered_whatever_the_board_does(
    board: SmallBoard, name: str, kind: Request
) -> None:
    """They come at every cycle of a request and of its reply, and end it if it is not over."""
    request, payload = WORK[name]
    for pause in range(1, 420, 11):
        if request is Request.WORDS:
            board.ask(Request.BEGIN)
        else:
            board.load()
            board.ask(Request.IMAGE, IMAGE)
        board.line.write(Frame(201, request, payload).encode())
        board.line.wait(pause, 1) if pause % 2 else board.line.wait(10, pause // 3)
        urgent = Frame(202, kind)
        board.line.write(urgent.encode())
        replies = [frame.sequence for frame in frames_of(board.line.wait(PATIENCE))]
        assert replies.count(202) == 1
        assert replies[-1] == 202
        board.sequence = 202
        state = board.ask(Request.STATUS)
        assert state is not None
        if request is not Request.WORDS:
            assert State.LOADED in state[1]
            assert board.runs_right()
    assert board.is_alive()


@pytest.mark.parametrize("kind", [Request.RESET, Request.IDENTIFY])
@pytest.mark.parametrize("work", [Request.WORDS, Request.IMAGE, Request.NUDGE])
def test_what_is_broken_into_is_over(loaded: SmallBoard, work: Request, kind: Request) -> None:
    """The load and the image end, and the core is reset: no phase is behind it any more."""
    part = image(0, b"\5")
    prepared = {
        Request.WORDS: (Request.BEGIN, b"", ROWS[0]),
        Request.IMAGE: (Request.IMAGE, image(FIRST, b"\3"), part),
        Request.NUDGE: (Request.IMAGE, IMAGE, bytes([NUDGE_POSITIVE | REPORT, 0, 0])),
    }
    before, begun, payload = prepared[work]
    assert loaded.ask(before, begun) is not None
    loaded.line.write(Frame(201, work, payload).encode() + Frame(202, kind).encode())
    (reply,) = frames_of(loaded.line.wait(PATIENCE))
    state = State(0) if work is Request.WORDS else State.LOADED
    assert (reply.sequence, reply.payload[0]) == (202, state | Code.OK)
    loaded.sequence = 202
    if work is Request.WORDS:
        assert loaded.ask(work, ROWS[0]) == (Code.UNLOADED, State(0), b"")
    else:
        assert loaded.ask(Request.IMAGE, part) == (Code.ORDER, State.LOADED, b"")
        nudge = loaded.ask(Request.NUDGE, bytes([NUDGE_POSITIVE, 0, 0]))
        assert nudge == (Code.REFUSED, State.LOADED | State.FAULTS, b"")
