"""The host's end of a board that learns: states in and out, samples, and what a fault leaves."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link import requests
from toreq_hw.boards.link.host import RESTARTS, BoardLink, Progress
from toreq_hw.boards.link.protocol import (
    COUNT_BYTES,
    READ_HEADER,
    SAMPLE_BYTES,
    Code,
    Request,
    State,
)
from toreq_hw.boards.link.results import results
from toreq_hw.boards.link.transport import Transport
from toreq_hw.boards.link.wire_format import length_of_words, readable_rows, row_counts
from toreq_hw.errors import InputError, LinkError
from toreq_hw.rtl.borders import check_image, check_label
from toreq_hw.rtl.images import words_of
from toreq_hw.rtl.learning.state import (
    LearnedState,
    LearningRates,
    rate_words,
    state_of,
    state_words,
)
from toreq_hw.rtl.load_spaces import LoadWord, Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.reply import CoreReply

READ_BYTES = 1024
"""Of an answer to READ, at most; a line too noisy for that brings half of it through."""

_PHASES = len(Command)


class StateLostError(LinkError):
    """The board no longer holds what it has learned: it lost power, or a reset broke into LEARN."""


@dataclass(frozen=True)
class _Rows:
    """Rows of a space that one READ asks for."""

    space: int
    address: int
    count: int


class LearningLink(BoardLink):
    """One board that learns, behind `transport`, built for the core of `parameters`.

    Its methods raise LinkError as those of BoardLink do, and StateLostError where the board no
    longer holds its latents. samples: learned since the last load of a state.
    """

    def __init__(
        self, transport: Transport, parameters: CoreParameters, run_limit_s: float | None = None
    ) -> None:
        if parameters.learning is None:
            raise InputError("a board that learns must be built with learn_lanes, found none")
        super().__init__(transport, parameters, run_limit_s)
        learn_s = _most_learning_cycles(parameters) / self.identity.clock_hz
        self._sample_limit_s = (_PHASES - 1) * self._run_limit_s + learn_s
        self.samples = 0
        self._read_bytes = READ_BYTES

    def load_state(
        self, state: LearnedState, rates: LearningRates, progress: Progress | None = None
    ) -> int:
        """Makes the board go on from `state` at `rates`; returns the payload bytes it took.

        Raises InputError, before anything is sent, for what the core cannot hold or do.
        """
        parameters = self._parameters
        settings = [*rate_words(rates, parameters), LoadWord(Space.GENERATOR, 0, state.generator)]
        words = [*words_of(state.stored(parameters), state.biases(), parameters)]
        words += [w for w in state_words(state, parameters) if w.space == Space.BIAS_LATENT]
        loaded = self._load_words(_every_row(words, parameters), progress)
        self.samples = 0
        self._set(settings)
        return loaded

    def set_rates(self, rates: LearningRates) -> None:
        """Sets rates and the ternary threshold for the samples that follow. Raises InputError."""
        self._set(list(rate_words(rates, self._parameters)))

    def train(
        self,
        inputs: npt.NDArray[np.int16],
        label: int,
        following: tuple[npt.NDArray[np.int16], int] | None = None,
    ) -> tuple[CoreReply, ...] | None:
        """Lets the board learn one sample, shape (input.size,), once; returns what each command
        came to, or None where the sample was learned and the answer was lost.

        following: the sample of the next call, which goes to the board while it learns this one.

        Raises InputError for values or a label out of range, StateLostError, LinkError.
        """
        parts, last = self._payloads(inputs, label, self.samples)
        more, ahead = (
            ([], None) if following is None else self._payloads(*following, self.samples + 1)
        )
        length = sum(SAMPLE_BYTES)
        for _ in range(RESTARTS):
            for part in parts:  # where one is lost or refused, TRAIN is answered ORDER
                self.exchange.send(Request.IMAGE, part, 0, self._run_limit_s)
            code, data, state = self.exchange.send(
                Request.TRAIN, last, length, self._sample_limit_s, None if more else ahead
            )
            if code is Code.OK:
                self.samples += 1
                return results(data, self._parameters)
            self._check_holds_state(state)
            if self.count_samples():
                return None
            self.exchange.retries += 1
        raise LinkError(
            f"board on {self._transport.name}: a sample must be learned, it answered {code.name} "
            f"{RESTARTS} times"
        )

    def _payloads(
        self, inputs: npt.NDArray[np.int16], label: int, number: int
    ) -> tuple[list[bytes], bytes]:
        """Of the requests that let the board learn a sample. Raises InputError."""
        image = check_image(inputs, self._parameters)
        label = check_label(label, self._parameters)
        room = self.identity.request_bytes
        return requests.train(image, label, number, self._parameters, room)

    def count_samples(self) -> bool:
        """Whether the board has learned a sample more than was heard of; then that is counted. It
        may have learned the following one, too, where that was sent; that is counted next time.

        Raises StateLostError where it has learned another number of samples.
        """
        most = 1 + (self.exchange.ahead is not None)
        status = self.status()
        self._check_holds_state(status.state)
        more = (status.samples - self.samples) % (1 << 8 * COUNT_BYTES)
        if more > most:
            raise self._lost(f"it counts {status.samples} samples since its load")
        self.samples += min(more, 1)
        return bool(more)

    def read_state(self, progress: Progress | None = None) -> LearnedState:
        """What the board has learned, read back row by row. Raises StateLostError."""
        parameters = self._parameters
        words: dict[int, list[int]] = {}
        total = sum(readable_rows(parameters).values())
        for space, rows in readable_rows(parameters).items():
            words[space] = []
            length = length_of_words(parameters)[space]
            while len(words[space]) < rows:
                at, most = len(words[space]), max(1, self._read_bytes // length)
                words[space] += self._read(_Rows(space, at, min(most, rows - at)), length)
                if progress is not None:
                    progress(sum(map(len, words.values())), total)
        return state_of(words, parameters)

    def _read(self, rows: _Rows, length: int) -> list[int]:
        """The words of `rows`, `length` bytes each; of half of them where no answer comes."""
        size = rows.count * length
        payload = requests.read(rows.space, rows.address, size)
        assert len(payload) == READ_HEADER
        try:
            code, data, state = self.exchange.send(Request.READ, payload, size)
        except LinkError:
            if rows.count == 1:
                raise
            self._read_bytes = size // 2
            return self._read(replace(rows, count=rows.count // 2), length)
        self._check_holds_state(state)
        if code is not Code.OK:
            raise LinkError(
                f"board on {self._transport.name}: must read rows back, it answered {code.name}"
            )
        ends = range(0, size, length)
        return [int.from_bytes(data[k : k + length], "big") for k in ends]

    def _set(self, words: list[LoadWord]) -> None:
        """Sends settings; a frame that is sent again may be done twice, to no harm."""
        for payload in requests.rows(words, self._parameters, self.identity.request_bytes):
            for _ in range(RESTARTS):
                code, _, state = self.exchange.send(Request.SET, payload)
                self._check_holds_state(state)
                if code is Code.OK:
                    break
                self.exchange.retries += 1
            else:
                raise LinkError(
                    f"board on {self._transport.name}: must take settings, it answered {code.name}"
                )

    def _check_holds_state(self, state: State) -> None:
        if State.LOADED not in state:
            raise self._lost("nothing is loaded in it")

    def _lost(self, found: str) -> StateLostError:
        self._is_loaded = False
        return StateLostError(
            f"board on {self._transport.name}: must hold what it has learned, found: {found}"
        )


def _every_row(words: list[LoadWord], parameters: CoreParameters) -> list[LoadWord]:
    """The words of a load, with zeros for bias latents of lanes that hold no neuron."""
    known = {(word.space, word.address): word for word in words}
    counts = row_counts(parameters)
    places = [(space, row) for space, rows in counts.items() for row in range(rows)]
    return [known.get(place, LoadWord(*place, 0)) for place in places]


def _most_learning_cycles(parameters: CoreParameters) -> int:
    """More than any LEARN takes: every synapse by itself, some cycles each."""
    synapses = sum(walk.pre_groups * walk.beats * parameters.lanes**2 for walk in parameters.walks)
    return 8 * (synapses + parameters.groups * parameters.lanes + parameters.input.size) + 1000
