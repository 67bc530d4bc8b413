"""The host's end of the link: loads a network, runs images, reads what came of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link import requests
from toreq_hw.boards.link.exchange import Exchange, LostError
from toreq_hw.boards.link.identity import Identity, hardware_hash
from toreq_hw.boards.link.protocol import (
    COUNT_BYTES,
    LEARNING_VERSION,
    LOAD_CHECK_BYTES,
    STATUS_BYTES,
    VERSION,
    Request,
    State,
    load_check,
)
from toreq_hw.boards.link.results import result, result_bytes
from toreq_hw.boards.link.transport import Transport
from toreq_hw.errors import LinkError
from toreq_hw.network import Network
from toreq_hw.rtl.borders import check_image, check_label
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.reply import CoreReply
from toreq_hw.rtl.timing import most_cycles

RESTARTS = 5
"""Times that a load or an image is begun again after a part of it was lost."""

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True)
class Status:
    """The board's own counters since the last reset.

    faults: bits of `Fault`, of words that the core refused. frame_errors: frames that the board
    dropped, 255 for more. state: what it is in. samples: learned since the load, modulo 65,536; 0
    of a board that does not learn.
    """

    faults: int
    frame_errors: int
    state: State
    samples: int = 0


class BoardLink:
    """One board behind `transport`, built for the core of `parameters`.

    run_limit_s: what one phase may take on the board; None for the most that the core's timing
    allows (`most_cycles`). Every method raises LinkError when the board stays silent, answers
    garbage, or says no. A load that does not end well leaves a board that runs nothing.
    """

    def __init__(
        self, transport: Transport, parameters: CoreParameters, run_limit_s: float | None = None
    ) -> None:
        self._transport = transport
        self._parameters = parameters
        self._is_loaded = False
        self.exchange = Exchange(transport)
        self.identity = self._identify()
        most_s = most_cycles(parameters) / self.identity.clock_hz
        self._run_limit_s = most_s if run_limit_s is None else run_limit_s

    def __enter__(self) -> "BoardLink":
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def retries(self) -> int:
        """Requests, loads and images that were sent again."""
        return self.exchange.retries

    def load(self, network: Network, progress: Progress | None = None) -> int:
        """Loads weights and biases; returns the payload bytes it took.

        Raises NetworkError, before anything is sent, where `network` does not fit the core.
        """
        if self._parameters.learning is not None:
            raise LinkError("a board that learns must be loaded with latents, found a network")
        return self._load_words(load_words(network, self._parameters), progress)

    def _load_words(self, words: Iterable[LoadWord], progress: Progress | None) -> int:
        """Loads every row of a network; returns the payload bytes it took."""
        chunks = list(requests.rows(words, self._parameters, self.identity.request_bytes))
        self._is_loaded = False
        for _ in range(RESTARTS):
            try:
                self._load(chunks, progress)
            except LostError:
                self.exchange.retries += 1
                continue
            self._is_loaded = True
            return sum(map(len, chunks))
        raise LinkError(
            f"board on {self._transport.name}: a load must end with its check right, it failed "
            f"{RESTARTS} times; nothing is loaded"
        )

    def run(
        self,
        inputs: npt.NDArray[np.int16],
        label: int | None = None,
        *,
        report: bool = True,
    ) -> tuple[CoreReply, ...]:
        """The free phase of one image, shape (input.size,); with a label, both nudged ones too.

        An answer that was lost on the way is had by running the image again. Raises InputError for
        values or a label out of range, LinkError where no board answers.
        """
        if not self._is_loaded:
            raise LinkError("a network must be loaded before an image is run, found none")
        inputs = check_image(inputs, self._parameters)
        label = label if label is None else check_label(label, self._parameters)
        for _ in range(RESTARTS):
            try:
                return self._run(inputs, label, report=report)
            except LostError:
                self.exchange.retries += 1
        raise LinkError(
            f"board on {self._transport.name}: an image must come through, it was lost {RESTARTS} "
            "times; is the line noisy?"
        )

    def status(self) -> Status:
        """Faults of the core and wrong frames, since the last reset."""
        more = 0 if self._parameters.learning is None else COUNT_BYTES
        payload, state = self.exchange.ask(Request.STATUS, b"", STATUS_BYTES + more)
        samples = int.from_bytes(payload[STATUS_BYTES:], "big")
        return Status(payload[0], payload[1], state, samples)

    def now(self) -> float:
        """Seconds by the clock of the line, which is the board's where that is simulated."""
        return self._transport.now()

    def reset(self) -> None:
        """Ends what runs and clears the counters of `status`; what is loaded stays."""
        self.exchange.ask(Request.RESET, b"", 0)

    def _identify(self) -> Identity:
        payload, _ = self.exchange.ask(Request.IDENTIFY, b"", None)
        name = self._transport.name
        self._check_version(payload[0] if payload else None)
        try:
            identity = Identity.decode(payload)
        except ValueError as error:
            raise LinkError(f"board on {name}: {error}") from error
        if identity.hardware != hardware_hash(self._parameters):
            wanted = Identity.of(self._parameters, identity.clock_hz)
            same = identity.shape == wanted.shape
            more = ", in other formats or with another threshold" if same else ""
            raise LinkError(
                f"board on {name}: must hold the core of a {wanted.shape}, found that of a "
                f"{identity.shape}{more}; program it with this network's bitstream"
            )
        return identity

    def _check_version(self, found: int | None) -> None:
        learns = self._parameters.learning is not None
        version, other = (LEARNING_VERSION, VERSION) if learns else (VERSION, LEARNING_VERSION)
        if found == version:
            return
        board = f"board on {self._transport.name}"
        if found == other:
            wanted = "learns" if learns else "does not learn"
            raise LinkError(
                f"{board}: must be one that {wanted} (protocol version {version}), found version "
                f"{found}; program it with this network's bitstream"
            )
        raise LinkError(
            f"{board}: must speak protocol version {version}, found "
            f"{'none' if found is None else found}; program it with this version's bitstream"
        )

    def _load(self, chunks: Sequence[bytes], progress: Progress | None) -> None:
        ask = self.exchange.ask
        ask(Request.BEGIN, b"", 0)
        total, done = sum(map(len, chunks)), 0
        for chunk in chunks:
            ask(Request.WORDS, chunk, 0)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
        check = load_check(b"".join(chunks)).to_bytes(LOAD_CHECK_BYTES, "big")
        _, state = ask(Request.COMMIT, check, 0)
        if State.LOADED not in state:
            raise LostError

    def _run(
        self, inputs: npt.NDArray[np.int16], label: int | None, *, report: bool
    ) -> tuple[CoreReply, ...]:
        room = self.identity.request_bytes
        *parts, last = requests.image(inputs, self._parameters, room, report=report)
        for part in parts:
            self.exchange.ask(Request.IMAGE, part, 0)
        results = [self._result(Request.IMAGE, last, report=report)]
        if label is not None:
            for command in (Command.NUDGE_POSITIVE, Command.NUDGE_NEGATIVE):
                payload = requests.nudge(command, label, report=report)
                results.append(self._result(Request.NUDGE, payload, report=report))
        return tuple(results)

    def _result(self, request: Request, payload: bytes, *, report: bool) -> CoreReply:
        """Of a phase; one that was answered before and not heard is lost."""
        length = result_bytes(self._parameters, report=report)
        data, _ = self.exchange.ask(request, payload, length, self._run_limit_s)
        return result(data, self._parameters)
