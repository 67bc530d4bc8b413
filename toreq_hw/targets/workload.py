"""What a whole test set asks of a core: accuracy, and the cycles of every image, exactly.

The simulator says which events happen; the core's timing model (rtl/timing.py), which its counter
is tested against, says what they cost. No image runs through the core here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from toreq_hw import data, sim
from toreq_hw.network import Network
from toreq_hw.records.workload import Workload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import PhaseCost, PhaseEvents, TimingModel

BATCH = 500
"""Images whose trace is held in memory at once."""


def workload(network: Network, parameters: CoreParameters, dataset: data.Dataset) -> Workload:
    """Measures the whole test set: seconds, even for MNIST."""
    return measure_workload(network, parameters, dataset)[0]


def measure_workload(
    network: Network, parameters: CoreParameters, dataset: data.Dataset, threshold: int = 0
) -> tuple[Workload, npt.NDArray[np.bool_]]:
    """The same, with which images got their class right.

    threshold: above 0 the lossy mode, of a core that has it; `parameters.max_sweeps` ends phases.
    Returns the workload and bool (images,).
    """
    inputs = data.input_states(network, dataset.test.images, dataset.pixel_max)
    model = TimingModel(parameters)
    totals = _Totals()
    for first in range(0, len(inputs), BATCH):
        part = slice(first, first + BATCH)
        run = sim.relax(
            network,
            inputs[part],
            trace=True,
            threshold=threshold,
            max_sweeps=parameters.max_sweeps,
        )
        totals.right.append(run.classes == dataset.test.labels[part])
        totals.unsettled += int(np.count_nonzero(run.status != sim.Status.SETTLED))
        for phase in _phases(network, run, inputs[part], threshold):
            totals.add(phase, model.cost(phase, report=False))
    return _workload(totals, dataset, parameters.lanes), np.concatenate(totals.right)


@dataclass
class _Totals:
    """Of the images so far. costs: one an image. right: bool (batch,), one a batch."""

    costs: list[PhaseCost] = field(default_factory=list)
    right: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    unsettled: int = 0
    sweeps: int = 0
    events: int = 0
    input_events: int = 0

    def add(self, phase: PhaseEvents, cost: PhaseCost) -> None:
        """One image's free phase, and what it costs."""
        self.costs.append(cost)
        self.sweeps += phase.sweeps
        self.events += len(phase.events)
        self.input_events += phase.input_events


def _workload(totals: _Totals, dataset: data.Dataset, lanes: int) -> Workload:
    """Sums as means per image, and how the cycles of images spread."""
    cycles = np.array([cost.cycles for cost in totals.costs])
    counts, edges = np.histogram(cycles, bins=60)
    p50, p95, p99 = (int(np.percentile(cycles, p, method="higher")) for p in (50, 95, 99))
    beats = sum(cost.beats for cost in totals.costs)
    synops = sum(cost.synops for cost in totals.costs)
    images = len(totals.costs)
    return Workload(
        data=dataset.name,
        split=dataset.split,
        images=images,
        accuracy=float(np.mean(np.concatenate(totals.right))),
        unsettled=totals.unsettled,
        cycles_mean=float(cycles.mean()),
        cycles_p50=p50,
        cycles_p95=p95,
        cycles_p99=p99,
        cycles_max=int(cycles.max()),
        histogram_edges=tuple(int(edge) for edge in edges),
        histogram_counts=tuple(int(count) for count in counts),
        beats=beats / images,
        synops=synops / images,
        events=totals.events / images,
        input_events=totals.input_events / images,
        sweeps=totals.sweeps / images,
        lane_use=synops / max(1, beats * lanes),
    )


def _phases(
    network: Network, run: sim.PhaseResult, inputs: npt.NDArray[np.int16], threshold: int
) -> Iterator[PhaseEvents]:
    """Every image's free phase, in the terms of the timing model."""
    assert run.trace is not None
    layout = sim.Layout(network)
    starts = np.array([layout.of(population).start for population in network.relaxing])
    ticks = len(network.colours)
    for image in range(len(inputs)):
        chosen = run.trace.sends(image, threshold)
        neuron = run.trace.neuron[chosen]
        population = np.searchsorted(starts, neuron, side="right") - 1
        sweep = 1 + (run.trace.tick[chosen] - 1) // ticks
        columns = (sweep, population, neuron - starts[population])
        yield PhaseEvents(
            command=Command.FREE,
            sweeps=int(run.sweeps[image]),
            input_events=int(np.count_nonzero(inputs[image])),
            events=list(zip(*(column.tolist() for column in columns), strict=True)),
        )
