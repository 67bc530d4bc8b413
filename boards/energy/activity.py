"""What a core does while it infers real images: cycles, toggles, memory read and written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.energy.counted import CountedDesign
from toreq_hw.boards.fit.memories import memories
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.records.energy import Activity
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.interfaces import command_payload, input_payload, pack, summary_payload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command

_CYCLE_LIMIT = 10_000_000
"""No image takes as long; a core that hangs becomes an error."""


def activity(
    network: Network, parameters: CoreParameters, inputs: npt.NDArray[np.int16], folder: Path
) -> Activity:
    """Runs images, shape (images, input.size), through the core compiled into `folder`.

    Every store holds its weights from the start, also those that are loaded on a board. Raises
    InputError if the core does not answer, MissingDependencyError without g++.
    """
    stores = tuple(replace(store, initialised=True) for store in parameters.stores)
    filled = replace(parameters, stores=stores)
    core = CountedDesign(Core(filled, MemoryImages.of(network, filled)), folder)
    try:
        wake(core)
        before = core.counts()
        runs = [run(core, parameters, Command.FREE, image_words(parameters, x)) for x in inputs]
        after = core.counts()
    finally:
        core.close()
    cycles, beats = sum(run.cycles for run in runs), sum(run.beats for run in runs)
    return Activity(
        images=len(runs),
        cycles=cycles / len(runs),
        toggles=(after.toggles - before.toggles) / len(runs),
        read_bits=read_bits(parameters, cycles, beats) / len(runs),
        written_bits=(after.written_bits - before.written_bits) / len(runs),
        classes=tuple(run.label for run in runs),
    )


def read_bits(parameters: CoreParameters, cycles: int, rows: int) -> int:
    """Bits that all memories of core and link read: `rows` rows of stores, all others always."""
    always = sum(m.word_bits for m in memories(parameters) if not m.gated)
    asked = max((m.word_bits for m in memories(parameters) if m.gated), default=0)
    return cycles * always + rows * asked


class Run(NamedTuple):
    """One command: clock cycles, beats of walks, and the class."""

    cycles: int
    beats: int
    label: int


def wake(core: CountedDesign) -> None:
    """A reset, and from then on every summary is taken at once."""
    core.put("rst", 1)
    core.cycle()
    core.put("rst", 0)
    core.put("summary__ready", 1)


def run(
    core: CountedDesign,
    parameters: CoreParameters,
    command: Command,
    words: Sequence[int] = (),
    label: int = 0,
) -> Run:
    """One command without a report. words: of its image, given as fast as the core takes them.

    Raises InputError if the core does not answer.
    """
    asked = pack(command_payload(parameters), command=int(command), label=label)
    core.put("commands__payload", asked)
    core.put("commands__valid", 1)
    taken = 0
    for cycle in range(1, _CYCLE_LIMIT):
        core.put("inputs__valid", taken < len(words))
        if taken < len(words):
            core.put("inputs__payload", words[taken])
        core.low()
        accepted = core.get("commands__ready")
        taken += core.get("inputs__ready")
        answered, summary = core.get("summary__valid"), core.get("summary__payload")
        core.high()
        if accepted:
            core.put("commands__valid", 0)
        if answered:
            layout = summary_payload(parameters)
            beats, label = (
                summary >> layout[name].offset & (1 << layout[name].width) - 1
                for name in ("beats", "label")
            )
            return Run(cycle, beats, label)
    raise InputError(f"core must answer within {_CYCLE_LIMIT} cycles")


def image_words(parameters: CoreParameters, image: npt.NDArray[np.int16]) -> list[int]:
    """What the core takes of an image, shape (input.size,)."""
    layout = input_payload(parameters)
    mask = (1 << layout["value"].width) - 1
    words = [
        (value & mask) << layout["value"].offset | 1 << layout["dense"].offset
        for value in image.tolist()
    ]
    words[-1] |= 1 << layout["last"].offset
    return words
