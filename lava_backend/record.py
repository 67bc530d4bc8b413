"""What a neuromorphic run hands back, whatever ran it: per phase, every change and counter."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network

CHANGE_COLUMNS = ("sample", "tick", "neuron", "before", "after")
"""Of `PhaseRecord.changes`; neurons are numbered through the relaxing populations in file order."""


@dataclass(frozen=True, eq=False)
class PhaseRecord:
    """One phase of every sample.

    initial: int16 (samples, neurons), states at the phase's start. sweeps, events,
    input_events: int64 (samples,), as counted on the wire. changes: int64 (n, 5), sorted by
    sample, tick and neuron, read from the states; ticks count from 1.
    """

    initial: npt.NDArray[np.int16]
    sweeps: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]
    input_events: npt.NDArray[np.int64]
    changes: npt.NDArray[np.int64]

    @property
    def final(self) -> npt.NDArray[np.int16]:
        """States at the end of the phase, int16 (samples, neurons)."""
        states = self.initial.copy()
        sample, _, neuron, _, after = self.changes.T
        states[sample, neuron] = after  # sorted by tick, and the last assignment stays
        return states


@dataclass(frozen=True, eq=False)
class RunRecord:
    """All phases of all samples, in the order free, positive, negative; and what it took."""

    network: Network
    phases: tuple[PhaseRecord, PhaseRecord, PhaseRecord]
    seconds: float

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Largest output state at the free equilibrium, ties to the lowest index; (samples,)."""
        start = first_neurons(self.network)[self.network.output.name]
        outputs = self.phases[0].final[:, start : start + self.network.output.size]
        classes: npt.NDArray[np.int64] = outputs.argmax(axis=1)
        return classes


def first_neurons(network: Network) -> dict[str, int]:
    """Number of each relaxing population's first neuron, counted through in file order."""
    starts, total = {}, 0
    for population in network.relaxing:
        starts[population.name] = total
        total += population.size
    return starts


def sorted_changes(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Rows of `CHANGE_COLUMNS` in the order that `PhaseRecord.changes` promises.

    rows: integers (n, columns).
    """
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))
    ordered: npt.NDArray[np.int64] = rows[order].astype(np.int64)
    return ordered
