"""Target `sim`: the simulator against itself, two engines that share no arithmetic path."""

from toreq_hw import sim
from toreq_hw.network import Network
from toreq_hw.records.deployment import SimRun
from toreq_hw.targets.expected import figures, first_difference_of, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Relaxes the samples, freely and nudged, with the event and the dense engine."""
    event = simulate(network, samples, "event", options.threshold)
    dense = simulate(network, samples, "dense", options.threshold)
    difference = first_difference_of(event, dense.all)
    record = SimRun(
        engines=(sim.EngineName.EVENT.value, sim.EngineName.DENSE.value),
        bit_exact=difference is None,
        first_difference=difference,
        **vars(figures(event, samples)),
    )
    return Outcome(difference is None, record)


target = Target(
    name="sim",
    description="the simulator: event engine, checked bit for bit against the dense one",
    run=run,
    standing=Standing.EXACT,
    samples=200,
    lossy=True,
)
