"""The core as a compiled model (rtl/compiled_model.py): the fastest way to run it.

The same netlist that becomes Verilog, cycle for cycle, at some hundred thousand to millions
of cycles a second. `CompiledCore.run` is host code: it packs words, runs until every command
is answered, and unpacks the replies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.rtl.borders import check_image, check_label
from toreq_hw.rtl.compiled_model import CompiledModel, compile_design
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.interfaces import (
    command_payload,
    input_payload,
    load_payload,
    pack,
    states_payload,
    summary_payload,
    unpack,
)
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.reply import CoreReply, events_of
from toreq_hw.rtl.verilog import TOP

_DRIVER = Path(__file__).with_name("core_driver.cpp")

_LOG_ROOM = 1 << 18
"""Events of a phase that is watched."""

_CYCLE_LIMIT = 10_000_000
"""No image takes as long; a core that hangs becomes an error."""


@named_type_errors
class CompiledCore:
    """A core of `parameters` holding `images`, compiled into `folder` (kept between runs).

    Raises MissingDependencyError without g++.
    """

    drivers: ClassVar[tuple[Path, ...]] = (_DRIVER,)

    upsets: ClassVar[bool] = False
    """Whether the core has its fault port."""

    def __init__(self, parameters: CoreParameters, images: MemoryImages, folder: Path) -> None:
        self._parameters = parameters
        library = compile_core(parameters, images, folder, drivers=self.drivers, upsets=self.upsets)
        self._model = CompiledModel(library)
        self.cycles = 0

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self._model.close()

    def load(self, words: Iterable[LoadWord]) -> None:
        """Sends load words, such as those of `load_words`.

        Raises InputError if the core does not take them all within ten million cycles.
        """
        layout = load_payload(self._parameters)
        payloads = [
            pack(layout, space=word.space, address=word.address, data=word.data) for word in words
        ]
        size = 4 * _words(layout.size)
        bits = b"".join(payload.to_bytes(size, "little") for payload in payloads)
        cycles = self._model.call("core_load", bits, len(payloads), _CYCLE_LIMIT)
        if cycles < 0:
            raise InputError(
                f"core must take {len(payloads)} load words within {_CYCLE_LIMIT} cycles"
            )
        self.cycles += cycles

    def run(
        self,
        inputs: npt.NDArray[np.int16],
        commands: list[tuple[int, int]],
        *,
        report: bool = True,
    ) -> list[CoreReply]:
        """Presents one image, shape (input.size,), and gives each `Command` with its label.

        Raises InputError for values or labels out of range, and if the core does not answer within
        ten million cycles.
        """
        words = self._input_words(check_image(inputs, self._parameters))
        return self._run(words, commands, report=report)

    def watch(
        self, inputs: npt.NDArray[np.int16], commands: list[tuple[int, int]]
    ) -> list[CoreReply]:
        """The same, a command after another, with every event that the core's monitor shows.

        Raises InputError also for a lossy core, whose small moves send no event.
        """
        if self._parameters.lossy:
            raise InputError("a watched core must be lossless, found one with a threshold")
        words = self._input_words(check_image(inputs, self._parameters))
        replies = []
        log = np.zeros((_LOG_ROOM, 3), dtype=np.uint32)
        for command in commands:
            self._model.call("core_log", log, len(log))
            (reply,) = self._run(words, [command], report=True)
            words = words[:0]  # presented once
            logged = self._model.call("core_logged")
            if logged > len(log):
                raise InputError(f"a watched phase must have {len(log)} events at most: {logged}")
            events = events_of(log[:logged], self._parameters)
            replies.append(replace(reply, events=events))
        self._model.call("core_log", None, 0)
        return replies

    def _run(
        self, words: npt.NDArray[np.uint64], commands: list[tuple[int, int]], *, report: bool
    ) -> list[CoreReply]:
        labels = [check_label(label, self._parameters) for _, label in commands]
        layout = command_payload(self._parameters)
        asked = np.array(
            [
                pack(layout, command=int(command), report=report, label=label)
                for (command, _), label in zip(commands, labels, strict=True)
            ],
            dtype=np.uint64,
        )
        rows = self._parameters.slices if report else 0
        states = np.zeros(
            (len(commands), rows, _words(states_payload(self._parameters).size)), np.uint32
        )
        summaries = np.zeros(
            (len(commands), _words(summary_payload(self._parameters).size)), np.uint32
        )
        streams = (words, len(words), asked, len(asked), states, summaries)
        cycles = self._model.call("core_run", *streams, _CYCLE_LIMIT)
        if cycles < 0:
            raise InputError(
                f"core must answer {len(commands)} commands within {_CYCLE_LIMIT} cycles"
            )
        self.cycles += cycles
        return [self._reply(states[k], summaries[k]) for k in range(len(commands))]

    def _input_words(self, inputs: npt.NDArray[np.int16]) -> npt.NDArray[np.uint64]:
        layout = input_payload(self._parameters)
        mask = (1 << layout["value"].width) - 1
        words: npt.NDArray[np.uint64] = (inputs.astype(np.int64) & mask).astype(np.uint64)
        words <<= np.uint64(layout["value"].offset)
        words |= np.uint64(pack(layout, dense=1))
        words[-1] |= np.uint64(pack(layout, last=1))
        return words

    def _reply(self, rows: npt.NDArray[np.uint32], summary: npt.NDArray[np.uint32]) -> CoreReply:
        bits = int.from_bytes(summary.tobytes(), "little")
        fields = unpack(summary_payload(self._parameters), bits)
        return CoreReply(self._states(rows) if len(rows) else None, fields)

    def _states(self, rows: npt.NDArray[np.uint32]) -> npt.NDArray[np.int16]:
        """Unpacks rows of `update_lanes` fields, and drops the lanes that hold no neuron."""
        parameters = self._parameters
        offset, width = states_payload(parameters)["states"].offset, parameters.state_bits
        bits = np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little")
        fields = bits[:, offset : offset + parameters.update_lanes * width].reshape(-1, width)
        weights = 1 << np.arange(width)
        if parameters.has_signed_states:
            weights[-1] = -weights[-1]
        values = (fields @ weights).astype(np.int16)
        spans = [(s.first_group * parameters.lanes, s.size) for s in parameters.relaxing]
        return np.concatenate([values[first : first + size] for first, size in spans])


def _words(bits: int) -> int:
    """Words of 32 bits that hold `bits` bits."""
    return -(-bits // 32)


@named_type_errors
def compile_core(
    parameters: CoreParameters,
    images: MemoryImages,
    folder: Path,
    *,
    drivers: Sequence[Path] = (),
    upsets: bool = False,
) -> Path:
    """The shared library of a core, with or without its fault port, and drivers in C++."""
    from toreq_hw.rtl.core import Core

    core = Core(parameters, images, upsets=upsets)
    return compile_design(core, "core", folder, drivers=drivers, top=TOP)
