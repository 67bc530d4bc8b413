"""Target `nengo`: the network as a Nengo model of custom neurons, bit for bit."""

from dataclasses import replace

import numpy as np

from toreq_hw import sim
from toreq_hw.lava_backend.mapper import load_chip
from toreq_hw.network import Network
from toreq_hw.records.deployment import NengoRun
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.chip_report import chip_report
from toreq_hw.targets.expected import figures, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target

NOTE = (
    "Nothing ran on silicon: this neuron type runs on Nengo's own simulator, and no Nengo "
    "backend takes it to a chip; the map and the estimates come from public figures."
)


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Runs all phases in one Nengo simulation and checks them."""
    from toreq_hw.lava_backend import nengo_run  # imports Nengo

    load_chip(options.chip)  # a bad chip file is said before the work, not after it
    found = nengo_run.run(network, samples.inputs, sim.targets(network.output, samples.labels))
    expected = simulate(network, samples)
    agreement = compare(expected, found)
    chip = chip_report(network, samples, expected, options)
    accuracy = float(np.mean(found.classes == samples.labels))
    record = NengoRun(
        **vars(agreement),
        **vars(replace(figures(expected, samples), accuracy=accuracy)),
        nengo_seconds=found.seconds,
        **vars(chip.record),
    )
    passed = agreement.bit_exact and not chip.violations
    notes = (NOTE, *chip.drawn, *chip.notes)
    return Outcome(passed, record, notes, chip.record, chip.drawn, seed=nengo_run.SEED)


target = Target(
    name="nengo",
    description="a Nengo model of custom neurons, usable in larger models",
    run=run,
    standing=Standing.EXACT,
    modules=("nengo",),
    tried=("nengo 4.1.0",),
    extra="nengo",
    samples=50,
)
