"""Random networks with a clamped readout, and the small one of the known answers."""

from dataclasses import replace

import numpy as np

from testbench.networks import Case
from testbench.shifted_networks import shifted_case
from toreq_hw.network import (
    ClampedReadout,
    Coupling,
    DenseCoupling,
    Network,
    Normalisation,
    Population,
    Role,
    Schedule,
    WeightFormat,
)


def clamped_case(seed: int, *, schedule: Schedule | None = None) -> Case:
    """A `shifted_case` with at least one hidden population and a clamped output.

    The coupling to the output has any feedback shift; some networks have a second one, from the
    input or from another hidden population.
    """
    case = shifted_case(seed, schedule=schedule)
    while len(case.network.relaxing) < 2:
        seed += 1
        case = shifted_case(seed, schedule=schedule)
    rng = np.random.default_rng([seed, 2])
    network = case.network
    output = Population("output", network.output.size, Role.OUTPUT, int(rng.integers(3, 9)), True)
    couplings: list[Coupling] = [
        replace(c, feedback_shift=int(rng.integers(-4, 1)))
        if c.post == "output" and c.pre != "input"
        else c
        for c in network.couplings
    ]
    if "input-output" not in [c.name for c in couplings] and rng.integers(2):
        sender = network.relaxing[0]
        if f"{sender.name}-output" not in [c.name for c in couplings]:
            weight = rng.integers(-9, 10, (sender.size, output.size)).astype(np.int8)
            couplings.append(
                DenseCoupling(
                    sender.name, "output", weight, 3, WeightFormat.INT8, feedback_shift=-1
                )
            )
    soft = Normalisation.SOFTMAX if rng.integers(2) else Normalisation.SPARSEMAX
    clamped = replace(
        network,
        populations=(*network.populations[:-1], output),
        couplings=tuple(couplings),
        readout=ClampedReadout((int(rng.integers(256, 400)), 1), soft),
    )
    return replace(case, network=clamped)


def by_hand() -> Network:
    """x -(W 2, f 1)- h -(W 3 -1, f 0)- two outputs of 3 signed bits: A = 3, thresholds 1, 2, 3."""
    populations = (
        Population("x", 1, Role.INPUT, 4),
        Population("h", 1, Role.HIDDEN, 4),
        Population("y", 2, Role.OUTPUT, 3, True),
    )
    couplings = (
        DenseCoupling("x", "h", np.array([[2]], np.int8), 1, WeightFormat.INT8),
        DenseCoupling("h", "y", np.array([[3, -1]], np.int8), 0, WeightFormat.INT8),
    )
    readout = ClampedReadout((1, 5), Normalisation.SPARSEMAX)
    return Network(populations, couplings, {}, beta_shift=0, readout=readout)
