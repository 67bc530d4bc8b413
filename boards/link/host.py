"""The host's end of the link: loads a network, runs images, reads what came of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link.identity import Identity, hardware_hash
from toreq_hw.boards.link.protocol import (
    FLAG,
    IMAGE_HEADER,
    LOAD_CHECK_BYTES,
    REPLY,
    SPARSE_BYTES,
    STATUS_BYTES,
    SUMMARY_BYTES,
    SUMMARY_FIELDS,
    VERSION,
    WORDS_HEADER,
    Code,
    Frame,
    FrameError,
    ImageFlag,
    Request,
    State,
    load_check,
)
from toreq_hw.boards.link.transport import Transport
from toreq_hw.boards.link.wire_format import row_bytes, states_bytes
from toreq_hw.errors import InputError, LinkError
from toreq_hw.network import Network
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.interfaces import Command
from toreq_hw.rtl.parameters import CoreParameters

ATTEMPTS = 5
"""Times that a request is sent before the board counts as silent."""

RESTARTS = 5
"""Times that a load or an image is begun again after a part of it was lost."""

RUN_LIMIT_S = 2.0
"""What a phase may take on the board, unless a caller knows better."""

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True)
class Result:
    """What one phase came to.

    states: int16, relaxing neurons in file order; None if not asked for. summary: the counters of
    docs/rtl.md that the link brings, `settled` and `ticks`.
    """

    states: npt.NDArray[np.int16] | None
    summary: dict[str, int]


@dataclass(frozen=True)
class Status:
    """The board's own counters since the last reset.

    faults: bits of `Fault`, of words that the core refused. frame_errors: frames that the board
    dropped, 255 for more. state: what it is in.
    """

    faults: int
    frame_errors: int
    state: State


class _LostError(Exception):
    """A part of something longer was lost, so that it must begin again."""


class BoardLink:
    """One board behind `transport`, built for the core of `parameters`.

    run_limit_s: what one phase may take on the board. Every method raises LinkError when the
    board stays silent, answers garbage, or says no. A load that does not end well leaves a board
    that runs nothing.
    """

    def __init__(
        self, transport: Transport, parameters: CoreParameters, run_limit_s: float = RUN_LIMIT_S
    ) -> None:
        self._transport = transport
        self._parameters = parameters
        self._run_limit_s = run_limit_s
        self._sequence = 0
        self._received = b""
        self._network: Network | None = None
        self.retries = 0
        self.identity = self._identify()

    def __enter__(self) -> "BoardLink":
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def load(self, network: Network, progress: Progress | None = None) -> int:
        """Loads weights and biases; returns the payload bytes it took.

        Raises NetworkError, before anything is sent, where `network` does not fit the core.
        """
        chunks = list(self._chunks(network))
        self._network = None
        for _ in range(RESTARTS):
            try:
                self._load(chunks, progress)
            except _LostError:
                self.retries += 1
                continue
            self._network = network
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
    ) -> tuple[Result, ...]:
        """The free phase of one image, shape (input.size,); with a label, both nudged ones too.

        An answer that was lost on the way is had by running the image again.
        """
        if self._network is None:
            raise LinkError("a network must be loaded before an image is run, found none")
        self._check_inputs(inputs, label)
        for _ in range(RESTARTS):
            try:
                return self._run(inputs, label, report)
            except _LostError:
                self.retries += 1
        raise LinkError(
            f"board on {self._transport.name}: an image must come through, it was lost {RESTARTS} "
            "times; is the line noisy?"
        )

    def status(self) -> Status:
        """Faults of the core and wrong frames, since the last reset."""
        payload, state = self._ask(Request.STATUS, b"", STATUS_BYTES)
        return Status(payload[0], payload[1], state)

    def reset(self) -> None:
        """Ends what runs and clears the counters of `status`; what is loaded stays."""
        self._ask(Request.RESET, b"", 0)

    def _identify(self) -> Identity:
        payload, _ = self._ask(Request.IDENTIFY, b"", None)
        name = self._transport.name
        if payload[:1] != bytes([VERSION]):
            raise LinkError(
                f"board on {name}: must speak protocol version {VERSION}, found "
                f"{payload[0] if payload else 'none'}; program it with this version's bitstream"
            )
        try:
            identity = Identity.decode(payload)
        except ValueError as error:
            raise LinkError(f"board on {name}: {error}") from error
        if identity.hardware != hardware_hash(self._parameters):
            wanted = Identity.of(self._parameters, identity.clock_hz)
            more = "" if identity.shape != wanted.shape else ", in other formats"
            raise LinkError(
                f"board on {name}: must hold the core of a {wanted.shape}, found that of a "
                f"{identity.shape}{more}; program it with this network's bitstream"
            )
        return identity

    def _check_inputs(self, inputs: npt.NDArray[np.int16], label: int | None) -> None:
        slot = self._parameters.input
        if inputs.shape != (slot.size,):
            raise InputError(f"inputs must have shape ({slot.size},), not {inputs.shape}")
        low, high = int(inputs.min()), int(inputs.max())
        if low < slot.state_min or high > slot.state_max:
            raise InputError(
                f"inputs must be in {slot.state_min}..{slot.state_max}, found {low}..{high}"
            )
        if label is not None and not 0 <= label < self._parameters.classes:
            raise InputError(f"label must be in 0..{self._parameters.classes - 1}, not {label}")

    def _chunks(self, network: Network) -> Iterator[bytes]:
        """Payloads of WORDS: rows of one space at rising addresses, as many as fit."""
        lengths = row_bytes(self._parameters)
        room = self.identity.request_bytes
        chunk, follows = b"", (-1, 0)
        for word in load_words(network, self._parameters):
            length = lengths[word.space]
            if (word.space, word.address) != follows or len(chunk) + length > room:
                if chunk:
                    yield chunk
                chunk = (word.space << 24 | word.address).to_bytes(WORDS_HEADER, "big")
            chunk += word.data.to_bytes(length, "big")
            follows = (word.space, word.address + 1)
        yield chunk

    def _load(self, chunks: Sequence[bytes], progress: Progress | None) -> None:
        self._ask(Request.BEGIN, b"", 0)
        total, done = sum(map(len, chunks)), 0
        for chunk in chunks:
            self._ask(Request.WORDS, chunk, 0)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
        check = load_check(b"".join(chunks)).to_bytes(LOAD_CHECK_BYTES, "big")
        _, state = self._ask(Request.COMMIT, check, 0)
        if State.LOADED not in state:
            raise _LostError

    def _run(
        self, inputs: npt.NDArray[np.int16], label: int | None, report: bool
    ) -> tuple[Result, ...]:
        parts = self._image(inputs, report)
        for part in parts[:-1]:
            self._ask(Request.IMAGE, part, 0)
        results = [self._result(Request.IMAGE, parts[-1], report)]
        nudges: tuple[Any, ...] = (Command.RAISE, Command.LOWER) if label is not None else ()
        for command in nudges:
            flags = command.value | (ImageFlag.REPORT if report else 0)
            payload = bytes([flags]) + int(label or 0).to_bytes(2, "big")
            results.append(self._result(Request.NUDGE, payload, report))
        return tuple(results)

    def _image(self, inputs: npt.NDArray[np.int16], report: bool) -> list[bytes]:
        """Payloads of IMAGE: every value, or those that are not zero, whichever is shorter."""
        indices = np.flatnonzero(inputs)
        if sparse := SPARSE_BYTES * len(indices) < len(inputs):
            entries = indices.astype(np.int64) << 8 | inputs[indices].astype(np.int64) & 0xFF
            items = [int(entry).to_bytes(SPARSE_BYTES, "big") for entry in entries]
            items = items or [bytes(SPARSE_BYTES)]
        else:
            items = [bytes([int(value) & 0xFF]) for value in inputs]
        most = (self.identity.request_bytes - IMAGE_HEADER) // len(items[0])
        parts = [b"".join(items[k : k + most]) for k in range(0, len(items), most)]
        flags = [ImageFlag.SPARSE * sparse | ImageFlag.REPORT * report for _ in parts]
        flags[0] |= ImageFlag.FIRST
        flags[-1] |= ImageFlag.LAST
        limit = self._parameters.max_sweeps.to_bytes(2, "big")
        return [bytes([flag]) + limit + part for flag, part in zip(flags, parts, strict=True)]

    def _result(self, request: Request, payload: bytes, report: bool) -> Result:
        """Of a phase; one that was answered before and not heard is lost."""
        row = states_bytes(self._parameters)
        rows = self._parameters.slices * row if report else 0
        data, _ = self._ask(request, payload, rows + SUMMARY_BYTES, self._run_limit_s)
        summary, at = {"settled": data[rows] & 1}, rows + 1
        for name, bits in SUMMARY_FIELDS:
            summary[name] = int.from_bytes(data[at : at + bits // 8], "big")
            at += bits // 8
        summary["ticks"] = summary["sweeps"] * self._parameters.sweep_ticks
        return Result(self._states(data[:rows], row) if report else None, summary)

    def _states(self, data: bytes, row: int) -> npt.NDArray[np.int16]:
        """Unpacks slices of `update_lanes` fields, and drops the lanes that hold no neuron."""
        parameters, width = self._parameters, self._parameters.state_bits
        rows = np.frombuffer(data, np.uint8).reshape(-1, row)[:, ::-1]
        bits = np.unpackbits(rows, axis=1, bitorder="little")
        fields = bits[:, : parameters.update_lanes * width].reshape(-1, width)
        weights = 1 << np.arange(width)
        if parameters.has_signed_states:
            weights[-1] = -weights[-1]
        values = (fields @ weights).astype(np.int16)
        spans = [(s.first_group * parameters.lanes, s.size) for s in parameters.relaxing]
        return np.concatenate([values[first : first + size] for first, size in spans])

    def _ask(
        self, request: Request, payload: bytes, length: int | None, work_s: float = 0.0
    ) -> tuple[bytes, State]:
        """One request and its answer of `length` bytes (None: any), sent again until it comes.

        Raises _LostError where what was asked for needs something that the board no longer has.
        """
        self._sequence = (self._sequence + 1) % 256
        frame = Frame(self._sequence, request, payload)
        code, data, state = self._exchange(frame, length, work_s)
        if code is Code.OK or (code is Code.REPEATED and not length):
            return data, state
        if code in (Code.REPEATED, Code.ORDER, Code.CHECK):
            raise _LostError
        if code is Code.UNLOADED and request in (Request.WORDS, Request.COMMIT):
            raise _LostError
        raise LinkError(
            f"board on {self._transport.name}: must do {request.name}, it answered {code.name}"
        )

    def _exchange(
        self, frame: Frame, length: int | None, work_s: float
    ) -> tuple[Code, bytes, State]:
        line = self._transport
        sent = frame.encode()
        expected = 256 if length is None else length
        byte_s = 10 / line.baud
        patience_s = (2 * len(sent) + 2 * (expected + 16)) * byte_s + work_s + line.slack_s
        garbage = 0
        for attempt in range(ATTEMPTS):
            self.retries += attempt > 0
            line.write(sent)
            deadline = line.now() + patience_s
            while (left := deadline - line.now()) > 0:
                for stuffed in self._frames(line.read(left)):
                    reply = _reply_to(frame, stuffed, length)
                    if reply is not None:
                        return reply
                    garbage += len(stuffed)
        found = f"found {garbage} bytes of garbage" if garbage else "it was silent"
        raise LinkError(
            f"board on {line.name}: must answer {Request(frame.type).name} within "
            f"{patience_s:.2g} s, {found} {ATTEMPTS} times; is it powered, programmed and at "
            f"{line.baud:.0f} baud?"
        )

    def _frames(self, received: bytes) -> list[bytes]:
        """What lies between flags, once its second flag is here; the rest waits."""
        *whole, self._received = (self._received + received).split(bytes([FLAG]))
        return [stuffed for stuffed in whole if stuffed]


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
