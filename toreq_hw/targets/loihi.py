"""Target `loihi`: Lava's fixed-point model of Loihi 2, and a map onto its neurocores."""

from typing import Any

import numpy as np

from toreq_hw import sim
from toreq_hw.lava_backend import lava_run, lava_shim
from toreq_hw.lava_backend.mapper import (
    Activity,
    Mapping,
    draw_map,
    estimate,
    load_chip,
    map_network,
)
from toreq_hw.network import Network
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.expected import Phases, figures, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Target

BATCH = 100
"""Samples side by side unless a person says otherwise."""

NOTE = (
    "Nothing ran on silicon: states, ticks and events come from Lava's software model of "
    "Loihi 2, the map and the estimates from public figures."
)


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Runs all phases on Lava, checks them, and maps the network onto the chip."""
    chip = load_chip(options.chip)
    batch = options.batch or BATCH
    expected = simulate(network, samples)
    found = lava_run.run(
        network, samples.inputs, sim.targets(network.output, samples.labels), batch=batch
    )
    agreement = compare(expected, found)
    mapping = map_network(network, chip, events_per_neuron(expected))
    violations = [str(violation) for violation in mapping.violations]
    record: dict[str, Any] = {
        **agreement.describe(),
        **figures(expected, samples),
        "accuracy": float(np.mean(found.classes == samples.labels)),
        "form": "one sample at a time" if batch == 1 else f"batches of {batch}",
        "lava_seconds": found.seconds,
        "cores_used": mapping.cores_used,
        "chips_used": mapping.chips_used,
        "violations": violations,
        "estimates": estimate(network, mapping, activity(expected, mapping)),
        "mapping": mapping.describe(),
    }
    notes = [NOTE, *_core_lines(mapping), *_estimate_lines(record["estimates"])]
    if batch > 1:
        notes.append(
            "Batches are a simulation device; --batch 1 runs one sample at a time, as a chip."
        )
    if options.report is not None:
        draw_map(mapping, options.report / "core_map.png")
        notes.append(f"core map: {options.report / 'core_map.png'}")
    notes += [f"violation: {violation}" for violation in violations]
    return Outcome(agreement.bit_exact and not violations, record, tuple(notes))


def events_per_neuron(expected: Phases) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Mean events of each relaxing neuron a sample, in the free phase, (neurons,)."""
    trace = expected.free.trace
    assert trace is not None
    counts = np.bincount(trace.neuron, minlength=trace.layout.neurons)
    return counts / len(expected.free.sweeps)


def activity(expected: Phases, mapping: Mapping) -> Activity:
    """What one inference does, means over the samples; messages by the cores each event reaches."""
    network, free = expected.free.network, expected.free
    cores = {p.name: 0 for p in network.relaxing}
    for core in mapping.cores:
        cores[core.population] += 1
    reached = {p.name: 0 for p in network.populations}
    for c in network.couplings:
        reached[c.pre] += cores[c.post]
        if c.pre in cores and not c.is_self_coupling:
            reached[c.post] += cores[c.pre]
    rates, layout = events_per_neuron(expected), sim.Layout(network)
    messages = float(np.mean(free.input_events)) * reached[network.input.name]
    for population in network.relaxing:
        messages += float(rates[layout.of(population)].sum()) * reached[population.name]
    return Activity(float(np.mean(free.synops)), float(np.mean(free.ticks)), messages)


def _core_lines(mapping: Mapping) -> list[str]:
    """One line a core, at most a screenful; the record holds all."""
    lines = []
    for core in mapping.cores[:16]:
        held = ", ".join(
            f"{limit.replace('_', ' ')} {used} of {mapping.chip.counts[f'{limit}_per_core']} "
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


def _estimate_lines(estimates: dict[str, Any]) -> list[str]:
    lines = []
    for key, unit in (("energy_per_sample_uj", "uJ"), ("time_per_sample_us", "us")):
        ends = estimates[key]
        lines.append(
            f"estimated {key.split('_')[0]} per sample: {ends['value']:.3g} {unit} "
            f"({ends['low']:.2g} to {ends['high']:.3g}, the spread of the sources)"
        )
    return lines


target = Target(
    name="loihi",
    description="Lava's fixed-point model of Loihi 2, bit for bit, and a map onto neurocores",
    run=run,
    modules=("lava",),
    install=lava_shim.INSTALL,
    samples=200,
)
