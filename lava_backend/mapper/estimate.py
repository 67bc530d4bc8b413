"""Estimates of energy and time a sample, from counted events and a chip's published figures.

An estimate multiplies what was counted by figures for single operations. It leaves out static
power, the embedded processors and the way in and out of the chip. Its range is what the spread
of the sources implies; nothing was measured on silicon.
"""

from dataclasses import dataclass

from toreq_hw.argument_types import named_type_errors
from toreq_hw.lava_backend.mapper.mapping import Mapping
from toreq_hw.network import Network
from toreq_hw.records.chip import Chip, EstimatedSum, Estimates


@dataclass(frozen=True)
class Activity:
    """Means a sample, as counted: synops, ticks (time steps that update), and messages.

    messages: events times the cores each is sent to, input events included.
    """

    synops: float
    ticks: float
    messages: float


@named_type_errors
def estimate(network: Network, mapping: Mapping, activity: Activity) -> Estimates:
    """Energy and time of one inference, each {value, low, high}, with parts and sources.

    Energy: synops, one update of every neuron in every time step, messages, and their hops. Time:
    time steps at the barrier's pace. To them the busiest core adds, after its updates, its share of
    the synops, as if these were spread evenly.
    """
    chip = mapping.chip
    neurons = sum(p.size for p in network.relaxing)
    steps = activity.ticks + 1  # one more step presents the input
    busiest = max(core.used["neurons"] for core in mapping.cores)
    energy = {
        "synop_pj": activity.synops,
        "update_pj": neurons * steps,
        "message_pj": activity.messages,
        "hop_pj": activity.messages * mapping.hops,
    }
    time = {
        "step_ns": steps,
        "update_ns": steps * busiest,
        "synop_ns": activity.synops / mapping.cores_used,
    }
    return Estimates(
        label="estimates from counted events and published figures; not measured on silicon",
        energy_per_sample_uj=_sum(chip, energy, 1e-6),
        time_per_sample_us=_sum(chip, time, 1e-3),
        sources={name: chip.sources[name] for name in (*energy, *time)},
    )


def _sum(chip: Chip, counts: dict[str, float], scale: float) -> EstimatedSum:
    """Counts times figures, in the unit that `scale` turns pJ or ns into."""
    figures = {name: chip.figures[name] for name in counts}
    return EstimatedSum(
        value=sum(scale * n * figures[name].value for name, n in counts.items()),
        low=sum(scale * n * figures[name].low for name, n in counts.items()),
        high=sum(scale * n * figures[name].high for name, n in counts.items()),
        parts={name: scale * n * figures[name].value for name, n in counts.items()},
        counts=counts,
    )
