"""What a neuromorphic run hands back, whatever ran it: per phase, every change and counter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.phases import PHASES
from toreq_hw.contract.results import PhaseResult, Status, of_trace
from toreq_hw.contract.trace import Trace, sorted_changes
from toreq_hw.network import Network


@dataclass(frozen=True, eq=False)
class RunRecord:
    """All phases of all samples, in the order of `PHASES`, each with its trace; what it took."""

    network: Network
    phases: tuple[PhaseResult, ...]
    seconds: float

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Largest output state at the free equilibrium, ties to the lowest index; (samples,)."""
        return self.phases[0].classes


def phase_results(
    network: Network,
    counters: npt.NDArray[np.int64],
    changes: Sequence[npt.NDArray[np.integer]],
) -> tuple[PhaseResult, ...]:
    """The phases of a run in which every one settled.

    counters: int64 (phases, 3, samples), sweeps, events and input events as the controller counts.
    changes: per phase, integers (n, 5) with the columns of `CHANGE_COLUMNS`, in any order, read
    from the states. The free phase starts at 0, the others at its end.
    """
    layout, colours = Layout(network), len(network.colours)
    initial = np.zeros((counters.shape[2], layout.neurons), dtype=np.int16)
    found: list[PhaseResult] = []
    for phase, (sweeps, events, input_events), rows in zip(PHASES, counters, changes, strict=True):
        trace = Trace.of_changes(layout, initial, sweeps * colours, sorted_changes(rows))
        result = of_trace(
            network,
            phase,
            trace,
            status=np.full(len(sweeps), Status.SETTLED, dtype=np.uint8),
            events=events,
            input_events=input_events,
        )
        if not found:
            initial = trace.final
        found.append(result)
    return tuple(found)
