"""One request at a time, sent again until its answer comes."""

from toreq_hw.boards.link.protocol import (
    FLAG,
    HEADER_BYTES,
    REPLY,
    Code,
    Frame,
    FrameError,
    Request,
    State,
    unstuff,
)
from toreq_hw.boards.link.transport import Transport
from toreq_hw.errors import LinkError

ATTEMPTS = 5
"""Times that a request is sent before the board counts as silent."""

_PARTS = (Request.BEGIN, Request.WORDS, Request.COMMIT, Request.IMAGE, Request.NUDGE)
"""Requests of something longer, which can begin again when a part of it was lost."""

_EXPECTED_BYTES = 256
"""Waited for where nobody knows how long an answer is."""


class LostError(Exception):
    """A part of something longer was lost, so that it must begin again."""


class Exchange:
    """Requests and answers over `transport`. retries: times that anything was sent again.

    ahead: the next request, where it was sent before the answer to the last one had ended.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.retries = 0
        self.ahead: Frame | None = None
        self._sequence = 0
        self._received = b""

    def ask(
        self, request: Request, payload: bytes, length: int | None, work_s: float = 0.0
    ) -> tuple[bytes, State]:
        """One request and its answer of `length` bytes (None: any), sent again until it comes.

        Raises LostError where what was asked for needs something that the board no longer has,
        LinkError where it stays silent, answers garbage, or says no.
        """
        code, data, state = self.send(request, payload, length, work_s)
        if code is Code.OK or (code is Code.REPEATED and not length):
            return data, state
        if code in (Code.REPEATED, Code.ORDER, Code.CHECK) and request in _PARTS:
            raise LostError
        if code in (Code.UNLOADED, Code.REFUSED) and request in (Request.WORDS, Request.COMMIT):
            raise LostError
        raise LinkError(
            f"board on {self.transport.name}: must do {request.name}, it answered {code.name}"
        )

    def send(
        self,
        request: int,
        payload: bytes,
        length: int | None = 0,
        work_s: float = 0.0,
        ahead: bytes | None = None,
    ) -> tuple[Code, bytes, State]:
        """The same, with an answer that nobody judges. Raises LinkError where there is none.

        ahead: payload of the same request to come next, which is sent as a good answer begins.
        """
        self._sequence = (self._sequence + 1) % 256
        frame = Frame(self._sequence, request, payload)
        is_sent, self.ahead = frame == self.ahead, None
        line, sent = self.transport, frame.encode()
        expected = _EXPECTED_BYTES if length is None else length
        byte_s = 10 / line.baud
        patience_s = (2 * len(sent) + 2 * (expected + 16)) * byte_s + work_s + line.slack_s
        garbage = 0
        for attempt in range(ATTEMPTS):
            self.retries += attempt > 0
            if attempt or not is_sent:
                line.write(sent)
            deadline, left = line.now() + patience_s, patience_s
            while left > 0:
                # At the deadline what lies there is read: a late host is no silent board.
                left = deadline - line.now()
                received = line.read(max(left, 0.0))
                garbage += len(received)
                for stuffed in self._frames(received):
                    reply = _reply_to(frame, stuffed, length)
                    if reply is not None:
                        return reply
                if ahead is not None and self.ahead is None and _begins(frame, self._received):
                    self.ahead = Frame((self._sequence + 1) % 256, request, ahead)
                    line.write(self.ahead.encode())
        found = f"found {garbage} bytes of garbage" if garbage else "it was silent"
        raise LinkError(
            f"board on {line.name}: must answer {Request(request).name} within "
            f"{patience_s:.2g} s, {found} {ATTEMPTS} times; is it powered, programmed and at "
            f"{line.baud:.0f} baud?"
        )

    def _frames(self, received: bytes) -> list[bytes]:
        """What lies between flags, once its second flag is here; the rest waits."""
        *whole, self._received = (self._received + received).split(bytes([FLAG]))
        return [stuffed for stuffed in whole if stuffed]


def _begins(frame: Frame, received: bytes) -> bool:
    """Whether what came of a frame is the beginning of the answer OK to `frame`."""
    try:
        body = unstuff(received)
    except FrameError:
        return False
    ours = body[:2] == bytes([frame.sequence, frame.type | REPLY])
    return ours and len(body) > HEADER_BYTES and body[HEADER_BYTES] & 0xF == Code.OK


def _reply_to(frame: Frame, stuffed: bytes, length: int | None) -> tuple[Code, bytes, State] | None:
    """What `stuffed` says, if it is the answer to `frame`."""
    try:
        reply = Frame.decode(stuffed)
    except FrameError:
        return None
    if (reply.sequence, reply.type) != (frame.sequence, frame.type | REPLY) or not reply.payload:
        return None
    first, data = reply.payload[0], reply.payload[1:]
    try:
        code = Code(first & 0xF)
    except ValueError:
        return None
    if length is not None and len(data) != (length if code is Code.OK else 0):
        return None
    return code, data, State(first & 0xF0)
