"""How an engine carries out a phase a tick at a time."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from toreq_hw.sim.recorder import Recorder


class PhaseRun(Protocol):
    """A phase in the hands of an engine, which tells a `Recorder` all that happens.

    recorder: its counters and changes.
    """

    recorder: Recorder

    def ticks(self) -> Iterator[None]:
        """Runs the phase: an item for each tick, which every sample takes that has not ended."""

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons), in `Layout` order, to be read between ticks."""

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), without the rounding half, to be read between ticks."""


_ENDED = object()


def in_step(runs: Iterable[Iterator[None]]) -> Iterator[None]:
    """Runs of single samples, each as many items as ticks, in step: an item for each tick of all.

    A run ends together with its last tick: it does not yield after it.
    """
    going = list(runs)
    while going:
        going = [run for run in going if next(run, _ENDED) is not _ENDED]
        yield


def run_to_end(ticks: Iterator[None]) -> None:
    """Runs a phase, or a part of its samples, to its end."""
    for _ in ticks:
        pass
