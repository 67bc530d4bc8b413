"""What the simulator says about a deployment's samples: the three phases and their figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.phases import NUDGED_PHASES, PHASES
from toreq_hw.network import Network
from toreq_hw.records.deployment import PhaseCounts, RunFigures
from toreq_hw.targets.target import Samples


@dataclass(frozen=True, eq=False)
class Phases:
    """The relaxations of one batch: free, nudged towards the label, nudged away from it."""

    free: sim.PhaseResult
    positive: sim.PhaseResult
    negative: sim.PhaseResult

    @property
    def all(self) -> tuple[sim.PhaseResult, ...]:
        """In the order of `PHASES`."""
        return (self.free, self.positive, self.negative)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the phases, in the same order."""
        return PHASES


def simulate(
    network: Network, samples: Samples, engine: str = "event", threshold: int | None = None
) -> Phases:
    """All three phases of every sample, every state of every tick kept.

    threshold: of the lossy mode; None is lossless.
    """
    kept: Any = {
        "engine": sim.make_engine(network, engine),
        "threshold": threshold or 0,
        "trace": True,
    }
    free = sim.free_phase(network, samples.inputs, **kept)
    nudged = [
        sim.nudged_phase(network, samples.inputs, free, samples.labels, phase.sign, **kept)
        for phase in NUDGED_PHASES
    ]
    return Phases(free, *nudged)


def first_difference_of(expected: Phases, found: Sequence[sim.PhaseResult]) -> str | None:
    """The line of the first difference in the first phase that has one; None if none has.

    found: as many phases as `expected` has, in their order.
    """
    for mine, other in zip(expected.all, found, strict=True):
        if difference := sim.first_difference(mine, other):
            return str(difference)
    return None


def figures(phases: Phases, samples: Samples) -> RunFigures:
    """Accuracy, events, ticks and synops per sample, of the phases as the simulator ran them.

    Events and synops per sample are those of the free phase, input events included, because
    inference is a free phase; the nudged phases are listed beside it.
    """
    free = phases.free
    return RunFigures(
        samples=len(samples),
        accuracy=float(np.mean(free.classes == samples.labels)),
        events_per_sample=float(np.mean(free.events + free.input_events)),
        synops_per_sample=float(np.mean(free.synops)),
        ticks_per_sample=float(np.mean(free.ticks)),
        unsettled=sum(phase.unsettled for phase in phases.all),
        phases={
            name: PhaseCounts(
                events=int(phase.events.sum()),
                input_events=int(phase.input_events.sum()),
                synops=int(phase.synops.sum()),
                ticks=int(phase.ticks.sum()),
                changes_checked=0 if phase.trace is None else len(phase.trace.tick),
            )
            for name, phase in zip(PHASES, phases.all, strict=True)
        },
    )
