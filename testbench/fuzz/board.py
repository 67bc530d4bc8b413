"""A board that is only a list of bytes, and the host's whole conversation with it."""

from dataclasses import dataclass

from testbench.networks import Case
from toreq_hw.boards.link import requests
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.protocol import FLAG, REPLY, Frame, Request, State
from toreq_hw.boards.link.results import result_bytes
from toreq_hw.rtl.parameters import CoreParameters

_LANES = 2


@dataclass
class Script:
    """A transport: each read gives the bytes up to the next flag, then there is silence."""

    left: bytes
    name: str = "script"
    baud: float = 1e6
    slack_s: float = 0.0
    time_s: float = 0.0

    def now(self) -> float:
        return self.time_s

    def write(self, data: bytes) -> None:
        """Nobody listens."""

    def read(self, timeout_s: float) -> bytes:
        if not self.left:
            self.time_s += timeout_s
            return b""
        end = self.left.find(bytes([FLAG]), 1) + 1 or len(self.left)
        found, self.left = self.left[:end], self.left[end:]
        self.time_s += 1e-5
        return found

    def close(self) -> None:
        """Nothing to give back."""


def converse(case: Case, answers: bytes) -> None:
    """Identify, ask, reset, load, run one image, nudged phases included. Raises LinkError."""
    link = BoardLink(Script(answers), CoreParameters.of(case.network, _LANES), run_limit_s=1.0)
    link.status()
    link.reset()
    link.load(case.network)
    link.run(case.inputs[0], int(case.labels[0]))


def script(case: Case) -> bytes:
    """The answers of a board that does everything that `converse` asks."""
    core = CoreParameters.of(case.network, _LANES)
    identity = Identity.of(core, 24_000_000)
    loaded = bytes([State.LOADED])
    phase = bytes(result_bytes(core, report=True))
    images = requests.image(case.inputs[0], core, identity.request_bytes, report=True)
    words = list(requests.words(case.network, core, identity.request_bytes))
    said: list[tuple[Request, bytes]] = [
        (Request.IDENTIFY, bytes(1) + identity.encode()),
        (Request.STATUS, bytes(3)),
        (Request.RESET, bytes(1)),
        (Request.BEGIN, bytes([State.LOADING])),
        *((Request.WORDS, bytes([State.LOADING])) for _ in words),
        (Request.COMMIT, loaded),
        *((Request.IMAGE, loaded) for _ in images[:-1]),
        (Request.IMAGE, loaded + phase),
        *((Request.NUDGE, loaded + phase) for _ in range(2)),
    ]
    return b"".join(
        Frame(number % 256, request | REPLY, payload).encode()
        for number, (request, payload) in enumerate(said, start=1)
    )
