import random

import pytest

from testbench.boards.faulty import KINDS, FaultyTransport
from testbench.boards.faulty_board import FaultyBoard, Reaction, faithful
from testbench.boards.simulated_board import Example, differences, example
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.protocol import REPLY, Code, Frame, ImageFlag, Request, State, load_check
from toreq_hw.boards.link.requests import words
from toreq_hw.boards.link.results import result_bytes
from toreq_hw.errors import LinkError
from toreq_hw.rtl.phases import Command

RATES = (0.0005, 0.004, 0.01, 0.1)


@pytest.fixture(scope="module")
def board() -> Example:
    return example()


def refuses_to_run(board: Example, transport: object) -> bool:
    """Whether a host on a clean line finds the board unloaded, by its state and by trying."""
    link = board.link(transport)  # type: ignore[arg-type]  # the line without faults
    link.reset()
    flags = ImageFlag.FIRST | ImageFlag.LAST
    payload = bytes([flags]) + (100).to_bytes(2, "big") + bytes(board.parameters.input.size)
    code = ask(link, Request.IMAGE, payload)[0]
    return State.LOADED not in link.status().state and code is Code.UNLOADED


def ask(link: BoardLink, request: Request, payload: bytes) -> tuple[Code, bytes, State]:
    """A request whose answer is not judged."""
    return link.exchange.send(request, payload)


@pytest.mark.parametrize("rate", RATES)
def test_a_faulty_line_gives_right_states_or_an_error(board: Example, rate: float) -> None:
    outcomes = [survives(board, seed, rate) for seed in range(20)]
    if rate == min(RATES):
        assert all(outcomes)
    if rate == max(RATES):
        assert not any(outcomes)


def survives(board: Example, seed: int, rate: float) -> bool:
    """Whether load and images came through; whatever happens, no wrong state does."""
    inner = board.transport()
    clean = board.link(inner)
    clean.load(board.other)  # an old network that must not survive a broken load
    line = FaultyTransport(inner, seed, rate)
    try:
        link = board.link(line)
        link.load(board.network)
        for image, phases in enumerate(board.expected(board.network)):
            results = link.run(board.inputs[image], int(board.labels[image]))
            assert differences(results, phases) == []
    except LinkError:
        state = board.link(inner).status().state
        if State.LOADED in state:  # the line failed before the load began, or after it ended well
            assert_holds_one_of_both(board, inner)
        else:
            assert refuses_to_run(board, inner)
        return False
    finally:
        inner.close()
    return True


def assert_holds_one_of_both(board: Example, inner: object) -> None:
    link = board.link(inner)  # type: ignore[arg-type]
    link._is_loaded = True  # this host did not load it
    label = int(board.labels[0])
    results = link.run(board.inputs[0], label)
    found = [differences(results, board.expected(n)[0]) for n in (board.network, board.other)]
    assert [] in found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_survived(board: Example, kind: str) -> None:
    line = FaultyTransport(board.transport(), 7, 0.003, (kind,))
    link = board.link(line)
    link.load(board.network)
    for image, phases in enumerate(board.expected(board.network)):
        results = link.run(board.inputs[image], int(board.labels[image]))
        assert differences(results, phases) == []
    assert line.counts[kind] > 0
    line.close()


@pytest.mark.parametrize("part", range(6))
def test_a_load_that_stops_leaves_nothing_that_runs(board: Example, part: int) -> None:
    inner = board.transport()
    link = board.link(inner)
    link.load(board.other)
    chunks = list(words(board.network, board.parameters, link.identity.request_bytes))
    link.exchange.ask(Request.BEGIN, b"", 0)
    sent = random.Random(part).sample(chunks, k=min(part, len(chunks) - 1))
    for chunk in sent:
        ask(link, Request.WORDS, chunk)
    check = load_check(b"".join(sent)).to_bytes(4, "big")
    code, _, state = ask(link, Request.COMMIT, check)
    assert (code, state & State.LOADED) == (Code.CHECK, State(0))
    assert refuses_to_run(board, inner)
    inner.close()


def test_a_load_whose_check_is_wrong_is_refused(board: Example) -> None:
    inner = board.transport()
    link = board.link(inner)
    for chunk in (b"", *words(board.network, board.parameters, link.identity.request_bytes)):
        link.exchange.ask(Request.WORDS if chunk else Request.BEGIN, chunk, 0)
    code, _, state = ask(link, Request.COMMIT, bytes(4))
    assert (code, state) == (Code.CHECK, State(0))
    assert refuses_to_run(board, inner)
    inner.close()


def test_a_load_with_a_row_of_an_unknown_space_is_refused(board: Example) -> None:
    """The check holds; a word of an unknown space has no length of its own."""
    payload = (7 << 24).to_bytes(4, "big") + bytes(100)
    with board.link() as link:
        assert link.exchange.send(Request.BEGIN, b"")[0] is Code.OK
        assert link.exchange.send(Request.WORDS, payload)[0] is Code.ORDER
        check = load_check(payload).to_bytes(4, "big")
        code, _, state = link.exchange.send(Request.COMMIT, check)
        assert (code, state) == (Code.CHECK, State(0))


@pytest.mark.parametrize("held", [State.FAULTS, State.OPEN])
def test_a_load_begins_anew(board: Example, held: State) -> None:
    """Whatever the core holds against the host, or has begun, is over."""
    with board.link() as link:
        link.load(board.network)
        if held is State.FAULTS:
            link.exchange.send(Request.NUDGE, bytes([Command.NUDGE_POSITIVE.value, 0, 0]))
        else:
            flags = bytes([ImageFlag.FIRST, 0, 9])
            link.exchange.ask(Request.IMAGE, flags + bytes(2), 0)
        assert link.status().state == State.LOADED | held
        link.load(board.network)
        assert link.retries == 0
        assert link.status().state == State.LOADED
        results = link.run(board.inputs[0], int(board.labels[0]))
        assert differences(results, board.expected(board.network)[0]) == []


def test_an_answer_that_comes_too_late_is_not_the_next_one_s(board: Example) -> None:
    """As after a time-out: of the right type and length, with the number before."""
    length = result_bytes(board.parameters, report=True)

    def late(frame: Frame) -> Reaction:
        if frame.type not in (Request.IMAGE, Request.NUDGE):
            return faithful(frame)
        payload = bytes([Code.OK | State.LOADED, *bytes(length)])
        answer = Frame((frame.sequence - 1) % 256, frame.type | REPLY, payload)
        return Reaction(frame.encode(), answer.encode())

    link = board.link(FaultyBoard(board.transport(), late))
    link.load(board.network)
    results = link.run(board.inputs[0], int(board.labels[0]))
    assert differences(results, board.expected(board.network)[0]) == []


def test_a_load_whose_refusal_is_not_heard_is_begun_again(board: Example) -> None:
    """A row is another one; the host misses what COMMIT says to that, and hears REPEATED."""
    asked = []

    def rule(frame: Frame) -> Reaction:
        asked.append(frame.type)
        if frame.type == Request.WORDS and asked.count(Request.WORDS) == 1:
            wrong = bytes([*frame.payload[:-1], frame.payload[-1] ^ 1])
            return Reaction(Frame(frame.sequence, frame.type, wrong).encode())
        if frame.type == Request.COMMIT and asked.count(Request.COMMIT) == 1:
            inner.write(frame.encode())
            while inner.read(1e-4):
                pass
            return Reaction()
        return faithful(frame)

    inner = board.transport()
    link = board.link(FaultyBoard(inner, rule))
    link.load(board.network)
    assert asked.count(Request.BEGIN) == 2
    assert link.status().state == State.LOADED
    results = link.run(board.inputs[0], int(board.labels[0]))
    assert differences(results, board.expected(board.network)[0]) == []
