"""A board of two and two neurons without its UART: asked frame by frame, thousands a second."""

from functools import cache
from pathlib import Path

from testbench.boards.byte_board import CLOCK_HZ, ByteTransport, compile_byte_system
from testbench.boards.worked_example import INPUTS, LABEL, network
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.protocol import (
    FLAG,
    REPLY,
    Code,
    Frame,
    FrameError,
    Request,
    State,
    load_check,
)
from toreq_hw.boards.link.requests import words
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

NETWORK = network()
PARAMETERS = CoreParameters.of(NETWORK, lanes=2)
ROOM = 249
"""Bytes of the longest payload that this board takes."""

PATIENCE = 4_000
"""Cycles without a byte after which a board counts as silent: 10 a byte that comes, and a phase."""

CLOSED = 64
"""Cycles behind an answer in which there must not be another one."""

ROWS = tuple(words(NETWORK, PARAMETERS, ROOM))
"""Payloads of WORDS that load the network: its weights, then its biases."""

CHECK = load_check(b"".join(ROWS)).to_bytes(4, "big")


@cache
def library() -> Path:
    """The compiled board."""
    return compile_byte_system(PARAMETERS, MemoryImages.of(NETWORK, PARAMETERS))


class SmallBoard:
    """A board just switched on, and the number of the last request."""

    def __init__(self) -> None:
        self.line = ByteTransport(library())
        self.sequence = 0

    def close(self) -> None:
        """Frees the model."""
        self.line.close()

    def ask(self, kind: int, payload: bytes = b"") -> tuple[Code, State, bytes] | None:
        """What the board says to a request with the next number; None where it is silent."""
        self.sequence = (self.sequence + 1) % 256
        frame = Frame(self.sequence, kind, payload)
        self.line.write(frame.encode())
        return answer(frame, self.line.wait(PATIENCE, closed=CLOSED))

    def load(self) -> None:
        """Loads the network."""
        requests = [(Request.BEGIN, b""), *((Request.WORDS, rows) for rows in ROWS)]
        for kind, payload in (*requests, (Request.COMMIT, CHECK)):
            reply = self.ask(kind, payload)
            assert reply is not None
            assert reply[0] is Code.OK

    def is_alive(self) -> bool:
        """Whether it answers RESET and IDENTIFY."""
        replies = (self.ask(Request.RESET), self.ask(Request.IDENTIFY))
        return all(reply is not None and reply[0] is Code.OK for reply in replies)

    def runs_right(self) -> bool:
        """Whether the network that is loaded gives the states of the worked example."""
        link = BoardLink(self.line, PARAMETERS, PATIENCE / CLOCK_HZ)
        link._is_loaded = True
        phases = link.run(INPUTS, LABEL)
        self.sequence = link.exchange._sequence
        states = [phase.states.tolist() for phase in phases if phase.states is not None]
        return states == [[0, 6], [13, 0], [0, 12]] and link.retries == 0


def frames_of(received: bytes) -> list[Frame]:
    """The frames among bytes that came in; the rest is dropped."""
    found = []
    for stuffed in received.split(bytes([FLAG])):
        try:
            found.append(Frame.decode(stuffed))
        except FrameError:
            continue
    return found


def answer(asked: Frame, received: bytes) -> tuple[Code, State, bytes] | None:
    """What the one answer to `asked` says."""
    replies = [f for f in frames_of(received) if f.sequence == asked.sequence]
    if not replies:
        return None
    (reply,) = replies
    assert reply.type == asked.type | REPLY
    first = reply.payload[0]
    return Code(first & 0xF), State(first & 0xF0), reply.payload[1:]
