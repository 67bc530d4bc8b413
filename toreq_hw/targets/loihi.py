"""Target `loihi`: Lava's fixed-point model of Loihi 2, and a map onto its neurocores."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from toreq_hw import sim
from toreq_hw.extras import LAVA, missing
from toreq_hw.lava_backend import lava_run
from toreq_hw.lava_backend.mapper import load_chip
from toreq_hw.network import Network
from toreq_hw.records.deployment import LoihiRun
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.chip_report import chip_report
from toreq_hw.targets.expected import figures, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target

BATCH = 100
"""Samples side by side unless a person says otherwise."""

NOTE = (
    "Nothing ran on silicon: states, ticks and events come from Lava's software model of "
    "Loihi 2, the map and the estimates from public figures."
)
BATCH_NOTE = "Batches are a simulation device; --batch 1 runs one sample at a time, as a chip."


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Runs all phases on Lava, checks them, and maps the network onto the chip."""
    load_chip(options.chip)  # a bad chip file is said before the work, not after it
    if options.third_party and find_spec("sanafe") is None:
        raise missing("--third-party", "sanafe", "sanafe")
    batch = min(options.batch or BATCH, len(samples))
    targets = sim.targets(network.output, samples.labels)
    found = lava_run.run(network, samples.inputs, targets, batch=batch)
    expected = simulate(network, samples)
    agreement = compare(expected, found)
    chip = chip_report(network, samples, expected, options)
    accuracy = float(np.mean(found.classes == samples.labels))
    record = LoihiRun(
        **vars(agreement),
        **vars(replace(figures(expected, samples), accuracy=accuracy)),
        form="one sample at a time" if batch == 1 else f"batches of {batch}",
        lava_seconds=found.seconds,
        **vars(chip.record),
    )
    notes = (NOTE, *((BATCH_NOTE,) if batch > 1 else ()), *chip.drawn, *chip.notes)
    passed = agreement.bit_exact and not chip.violations
    packages = ("sanafe",) if options.third_party else ()
    return Outcome(passed, record, notes, chip.record, chip.drawn, packages=packages)


target = Target(
    name="loihi",
    description="Lava's fixed-point model of Loihi 2 (Lava is archived), and a map onto neurocores",
    run=run,
    standing=Standing.EXACT,
    modules=("lava", "networkx", "asteval"),
    tried=("lava-nc 0.10.0",),
    extra=LAVA,
    samples=200,
)
