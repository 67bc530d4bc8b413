"""What a core does while it learns real samples: cycles, toggles, memory read and written."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.energy.activity import image_words, read_bits, run, wake
from toreq_hw.boards.energy.counted import CountedDesign
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.records.energy import Activity
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.interfaces import load_payload, pack
from toreq_hw.rtl.learning.compiled import SAMPLE
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command

_LOAD_LIMIT = 1_000
"""No word waits as long to be taken."""

Samples = tuple[npt.NDArray[np.int16], Sequence[int]]
"""Inputs int16 (samples, input.size), and a label for each."""


def training_activity(
    network: Network,
    parameters: CoreParameters,
    words: Iterable[LoadWord],
    samples: Samples,
    folder: Path,
) -> Activity:
    """Learns samples on the core compiled into `folder`, from what `words` load into it.

    Every store holds something from the start, also those that are loaded on a board. The bits
    read are those of a row in each cycle of LEARN, which is more than it reads. The classes are
    those of the free phases. Raises InputError if the core does not answer,
    MissingDependencyError without g++.
    """
    stores = tuple(replace(store, initialised=True) for store in parameters.stores)
    filled = replace(parameters, stores=stores)
    core = CountedDesign(Core(filled, MemoryImages.of(network, filled)), folder)
    cycles = rows = 0
    classes = []
    try:
        wake(core)
        _load(core, parameters, words)
        before = core.counts()
        for image, label in zip(*samples, strict=True):
            free = run(core, parameters, Command.FREE, image_words(parameters, image))
            *nudged, learned = (run(core, parameters, c, label=label) for c in SAMPLE[1:])
            classes.append(free.label)
            cycles += sum(one.cycles for one in (free, *nudged, learned))
            rows += sum(one.beats for one in (free, *nudged)) + learned.cycles
        after = core.counts()
    finally:
        core.close()
    count = len(classes)
    return Activity(
        images=count,
        cycles=cycles / count,
        toggles=(after.toggles - before.toggles) / count,
        read_bits=read_bits(parameters, cycles, rows) / count,
        written_bits=(after.written_bits - before.written_bits) / count,
        classes=tuple(classes),
    )


def _load(core: CountedDesign, parameters: CoreParameters, words: Iterable[LoadWord]) -> None:
    layout = load_payload(parameters)
    core.put("loads__valid", 1)
    for word in words:
        payload = pack(layout, space=word.space, address=word.address, data=word.data)
        core.put("loads__payload", payload)
        for _ in range(_LOAD_LIMIT):
            core.low()
            taken = core.get("loads__ready")
            core.high()
            if taken:
                break
        else:
            raise InputError(f"core must take a load word within {_LOAD_LIMIT} cycles")
    core.put("loads__valid", 0)
