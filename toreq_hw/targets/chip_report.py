"""What a network would take on a neuromorphic chip, as part of a target's record."""

from collections.abc import Mapping as Rates
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.lava_backend.mapper import Activity, Mapping, estimate, load_chip, map_network
from toreq_hw.lava_backend.mapper.walks import walks
from toreq_hw.lava_backend.sanafe_run import third_party_estimate
from toreq_hw.network import Network
from toreq_hw.records.chip import ChipRecord, Estimates, ThirdPartyEstimate
from toreq_hw.targets.chip_activity import chip_activity, rates_by_population
from toreq_hw.targets.expected import Phases
from toreq_hw.targets.target import Options, Samples


@dataclass(frozen=True)
class ChipReport:
    """The map and the estimates, sentences for a person, and broken limits.

    drawn: sentences of what a page shows in sections of its own.
    """

    record: ChipRecord
    drawn: tuple[str, ...]
    notes: tuple[str, ...]
    violations: tuple[str, ...]


def chip_report(
    network: Network, samples: Samples, expected: Phases, options: Options
) -> ChipReport:
    """Maps `network` onto the chip of `options`, placed by the events that were counted."""
    mapping = map_network(network, load_chip(options.chip), events_per_neuron(expected))
    violations = tuple(str(violation) for violation in mapping.violations)
    counted = activity(expected, mapping, samples.inputs)
    estimates = estimate(network, mapping, counted)
    other = None
    if options.third_party:
        other = third_party_estimate(network, samples.inputs, expected.free, mapping)
    drawn = (*_core_lines(mapping), *_estimate_lines(estimates, other))
    notes = (*_shared_lines(mapping), _walked_line(counted, expected))
    record = ChipRecord(
        cores_used=mapping.cores_used,
        chips_used=mapping.chips_used,
        violations=violations,
        estimates=estimates,
        mapping=mapping.record(),
        activity=chip_activity(expected, mapping, samples.inputs),
        third_party=other,
    )
    return ChipReport(
        record, drawn, (*notes, *(f"violation: {found}" for found in violations)), violations
    )


def events_per_neuron(expected: Phases) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Mean events of each relaxing neuron a sample, in the free phase, (neurons,)."""
    trace = expected.free.trace
    assert trace is not None
    counts = np.bincount(trace.neuron, minlength=trace.layout.neurons)
    return counts / len(expected.free.sweeps)


def activity(expected: Phases, mapping: Mapping, inputs: npt.NDArray[np.int16]) -> Activity:
    """What one inference does, means over the samples.

    inputs: int16 (samples, input.size).
    """
    free = expected.free
    rates = rates_by_population(free, inputs)
    return activity_of_rates(free.network, mapping, rates, float(np.mean(free.ticks)))


def activity_of_rates(
    network: Network,
    mapping: Mapping,
    rates: Rates[str, npt.NDArray[np.float64]],
    ticks: float,
) -> Activity:
    """What neurons cause that send so often, as the lists on the cores are stored.

    rates: mean events of each neuron a sample, float64 (size,) by population, the input's too. A
    neuron sends a message to each core on which it has a list, and walks that list's synapses.
    """
    synops = messages = 0.0
    for walk in walks(network, mapping):
        synops += float((rates[walk.source] @ walk.synapses).sum())
        messages += float((rates[walk.source] @ (walk.synapses > 0)).sum())
    return Activity(synops, ticks, messages)


def _walked_line(counted: Activity, expected: Phases) -> str:
    """The two counts of synapses side by side."""
    dense = float(np.mean(expected.free.synops))
    return (
        f"energy and time count the {counted.synops:,.0f} synapses per image that events walk in "
        f"the stored lists; the {dense:,.0f} synaptic operations of the figures count zero "
        "weights too"
    )


def _core_lines(mapping: Mapping) -> list[str]:
    """One line a core, at most a screenful; the record holds all."""
    lines = []
    for core in mapping.cores[:16]:
        held = ", ".join(
            f"{limit.replace('_', ' ')} {used} of {mapping.chip.limit(limit)} "
            f"({core.percent[limit]} %)"
            for limit, used in core.used.items()
        )
        lines.append(
            f"chip {core.chip} core {core.column},{core.row}: {core.population} "
            f"{core.first}..{core.last - 1}: {held}"
        )
    if mapping.cores_used > len(lines):
        lines.append(f"... and {mapping.cores_used - len(lines)} more cores, see --json")
    return lines


def _shared_lines(mapping: Mapping) -> list[str]:
    """One line a projection of shared weights."""
    lines = []
    for found in mapping.shared:
        has = f"{found.projection}: {found.synapses} synapses share {found.weights} weights; "
        if found.bits < found.bits_unshared:
            takes = f"equal lists stored once take {found.bits} bits instead of"
        else:
            takes = "no list is stored for several axons:"
        lines.append(f"{has}{takes} {found.bits_unshared} bits")
    return lines


def _estimate_lines(estimates: Estimates, other: ThirdPartyEstimate | None) -> list[str]:
    lines = []
    for what, found, unit in (
        ("energy", estimates.energy_per_sample_uj, "uJ"),
        ("time", estimates.time_per_sample_us, "us"),
    ):
        lines.append(
            f"estimated {what} per image: {found.value:.3g} {unit} "
            f"({found.low:.2g} to {found.high:.3g}, the spread of the sources)"
        )
    if other is not None:
        lines.append(
            f"the same by {other.tool}: {other.energy_per_sample_uj:.3g} uJ, "
            f"{other.time_per_sample_us:.3g} us"
        )
    return lines
