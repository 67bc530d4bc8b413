"""Who sends what, when and where to, on the cores of a chip: from the simulator's trace."""

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.phases import PHASES
from toreq_hw.lava_backend.mapper import Mapping
from toreq_hw.lava_backend.mapper.walks import walks
from toreq_hw.records.chip import ChipActivity, PhaseActivity, Traffic
from toreq_hw.targets.expected import Phases

MOST_EVENTS = 5_000
"""Of a raster; what comes later in the phase is left out."""


def chip_activity(
    expected: Phases, mapping: Mapping, inputs: npt.NDArray[np.int16]
) -> ChipActivity:
    """Means over all samples; rasters of the one with most events.

    expected: with traces. inputs: int16 (samples, input.size).
    """
    network = expected.free.network
    sample = int(np.argmax(sum(phase.events for phase in expected.all)))
    return ChipActivity(
        samples=len(expected.free.ticks),
        sample=sample,
        populations={p.name: p.size for p in network.relaxing},
        phases=tuple(
            _phase(name, phase, sample) for name, phase in zip(PHASES, expected.all, strict=True)
        ),
        traffic=_traffic(expected.free, mapping, inputs),
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


def _traffic(
    free: sim.PhaseResult, mapping: Mapping, inputs: npt.NDArray[np.int16]
) -> tuple[Traffic, ...]:
    """Every core that sends to another one, or to itself, and the input to every core it feeds."""
    network, cores = free.network, mapping.cores
    rates = rates_by_population(free, inputs)
    found = []
    for walk in walks(network, mapping):
        sent = rates[walk.source][:, None] * (walk.synapses > 0)
        for k, target in enumerate(walk.cores.tolist()):
            if walk.from_outside:
                found.append(Traffic(None, target, round(float(sent[:, k].sum()), 4)))
                continue
            for source, core in enumerate(cores):
                if core.population == walk.source:
                    messages = float(sent[core.first : core.last, k].sum())
                    found.append(Traffic(source, target, round(messages, 4)))
    return tuple(found)


def rates_by_population(
    free: sim.PhaseResult, inputs: npt.NDArray[np.int16]
) -> dict[str, npt.NDArray[np.float64]]:
    """Mean events of each neuron a sample, float64 (size,) by population, the input's too.

    free: with its trace. inputs: int16 (samples, input.size); a neuron that is not 0 sends.
    """
    assert free.trace is not None
    layout, network = free.trace.layout, free.network
    counts = np.bincount(free.trace.neuron, minlength=layout.neurons) / len(free.ticks)
    outside = {network.input.name: np.mean(inputs != 0, axis=0)}
    return outside | {p.name: counts[layout.of(p)] for p in network.relaxing}
