"""A compiled core that learns: samples in, summaries out, and what it learned read back."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.images import MemoryImages, words_of
from toreq_hw.rtl.interfaces import pack, readback_payload, readings_payload
from toreq_hw.rtl.learning.state import (
    LearnedState,
    LearningRates,
    rate_words,
    state_of,
    state_words,
)
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.reply import CoreReply

SAMPLE = (Command.FREE, Command.NUDGE_POSITIVE, Command.NUDGE_NEGATIVE, Command.LEARN)
"""What a training sample is."""

_DRIVER = Path(__file__).with_name("driver.cpp")

_LIMIT = 10_000_000


@named_type_errors
def learning_words(
    state: LearnedState, rates: LearningRates, parameters: CoreParameters
) -> Iterator[LoadWord]:
    """Every word that makes a core go on from `state` at `rates`.

    Raises InputError, before the first word, for what the core cannot hold or do.
    """
    fields, biases = state.stored(parameters), state.biases()
    settings = rate_words(rates, parameters)
    yield from words_of(fields, biases, parameters)
    yield from state_words(state, parameters)
    yield from settings


class CompiledLearner(CompiledCore):
    """A `CompiledCore` of parameters with `learning`."""

    drivers = (*CompiledCore.drivers, _DRIVER)

    def __init__(self, parameters: CoreParameters, images: MemoryImages, folder: Path) -> None:
        if parameters.learning is None:
            raise InputError("a core that learns must be built with learn_lanes, found none")
        super().__init__(parameters, images, folder)

    def learn(self, inputs: npt.NDArray[np.int16], labels: Sequence[int]) -> list[list[CoreReply]]:
        """Learns samples one after another; returns the replies of each, a command after another.

        inputs: int16 (samples, input.size). Raises InputError as `run` does.
        """
        return [
            self.run(image, [(command, label) for command in SAMPLE], report=False)
            for image, label in zip(inputs, labels, strict=True)
        ]

    def state(self) -> LearnedState:
        """What the core holds now, read back word by word."""
        parameters = self._parameters
        words: dict[int, list[int]] = {}
        for space in parameters.load_spaces:
            if space.is_read_back:
                words[space.code] = self._read(space.code, range(space.rows))
        return state_of(words, parameters)

    def _read(self, space: int, addresses: Iterable[int]) -> list[int]:
        layout = readback_payload(self._parameters)
        asked = np.array([pack(layout, space=space, address=k) for k in addresses], np.uint64)
        size = -(-readings_payload(self._parameters).size // 32)
        readings = np.zeros((len(asked), size), np.uint32)
        cycles = self._model.call("core_read", asked, len(asked), readings, _LIMIT)
        if cycles < 0:
            raise InputError(f"core must answer {len(asked)} words within {_LIMIT} cycles")
        self.cycles += cycles
        return [int.from_bytes(row.tobytes(), "little") for row in readings]
