"""Who sends what, when and where to, on the cores of a chip: from the simulator's trace."""

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.phases import PHASES
from toreq_hw.records.chip import ChipActivity, Core, PhaseActivity, Traffic
from toreq_hw.targets.expected import Phases

MOST_EVENTS = 5_000
"""Of a raster; what comes later in the phase is left out."""


def chip_activity(expected: Phases, cores: tuple[Core, ...]) -> ChipActivity:
    """Means over all samples; rasters of the one with most events. expected: with traces."""
    network = expected.free.network
    sample = int(np.argmax(sum(phase.events for phase in expected.all)))
    return ChipActivity(
        samples=len(expected.free.ticks),
        sample=sample,
        populations={p.name: p.size for p in network.relaxing},
        phases=tuple(
            _phase(name, phase, sample) for name, phase in zip(PHASES, expected.all, strict=True)
        ),
        traffic=_traffic(expected.free, cores),
    )


def _phase(name: str, phase: sim.PhaseResult, sample: int) -> PhaseActivity:
    """Events by tick, up to the last one of any sample; the raster is that of `sample`."""
    trace, network = phase.trace, phase.network
    assert trace is not None
    layout, ticks = trace.layout, int(phase.ticks.max(initial=0))
    events = {}
    for population in network.relaxing:
        span = layout.of(population)
        inside = (trace.neuron >= span.start) & (trace.neuron < span.stop)
        counts = np.bincount(trace.tick[inside], minlength=ticks + 1)[1:] / len(phase.ticks)
        events[population.name] = tuple(counts.round(4).tolist())
    own = trace.of_sample(sample)
    pairs = zip(trace.tick[own].tolist(), trace.neuron[own].tolist(), strict=True)
    return PhaseActivity(name, events, tuple(pairs)[:MOST_EVENTS])


def _traffic(free: sim.PhaseResult, cores: tuple[Core, ...]) -> tuple[Traffic, ...]:
    """Every core that sends to another one, or to itself, and the input to every core it feeds."""
    network, samples = free.network, len(free.ticks)
    outside = float(np.mean(free.input_events))
    rates = _rates(free, samples)
    found = []
    for number, target in enumerate(cores):
        for projection in network.projections:
            if projection.target.name != target.population:
                continue
            if projection.from_input:
                found.append(Traffic(None, number, round(outside, 4)))
                continue
            for source, core in enumerate(cores):
                if core.population == projection.source.name:
                    sent = float(rates[core.population][core.first : core.last].sum())
                    found.append(Traffic(source, number, round(sent, 4)))
    return tuple(found)


def _rates(free: sim.PhaseResult, samples: int) -> dict[str, npt.NDArray[np.float64]]:
    """Mean events of each neuron a sample, (size,) by population."""
    assert free.trace is not None
    layout, network = free.trace.layout, free.network
    counts = np.bincount(free.trace.neuron, minlength=layout.neurons) / samples
    return {p.name: counts[layout.of(p)] for p in network.relaxing}
