"""Random networks with feedback shifts: depths are drawn, shifts are their differences."""

from dataclasses import replace

import numpy as np

from testbench.networks import Case, random_case
from toreq_hw.network import Coupling, DenseCoupling, Network, Schedule, WeightFormat, layered


def shifted_case(seed: int, *, schedule: Schedule | None = None) -> Case:
    """A chain of `random_case` with feedback shifts; without parity it gets skips as well."""
    case = random_case(seed, schedule=schedule, skips=True)
    rng = np.random.default_rng([seed, 1])
    network = case.network
    depth = {p.name: int(rng.integers(0, 5)) for p in network.relaxing}
    couplings: list[Coupling] = list(network.couplings)
    if network.schedule is not Schedule.PARITY:
        couplings += _skips(rng, network)
    couplings = [
        replace(c, feedback_shift=depth[c.post] - depth[c.pre]) if c.pre in depth else c
        for c in couplings
    ]
    return replace(case, network=replace(network, couplings=tuple(couplings)))


def _skips(rng: np.random.Generator, network: Network) -> list[Coupling]:
    """Couplings between populations that are two or three apart, each with one chance in two."""
    found: list[Coupling] = []
    for k, pre in enumerate(network.relaxing):
        for post in network.relaxing[k + 2 : k + 4]:
            if rng.integers(2):
                kind = WeightFormat(rng.choice([one.value for one in WeightFormat]))
                weight = rng.integers(-kind.limit, kind.limit + 1, (pre.size, post.size))
                bits = int(rng.integers(0, 9))
                found.append(DenseCoupling(pre.name, post.name, weight.astype(np.int8), bits, kind))
    return found


def narrow_case(
    seed: int,
    schedule: Schedule = Schedule.PARITY,
    *,
    hidden: int = 3,
    shifts: tuple[int, ...] = (2, -1, 1),
) -> Case:
    """A chain with `hidden` hidden populations, small enough for every machine.

    shifts: of the couplings after the first, one each.
    """
    rng = np.random.default_rng(seed)
    sizes = (6, *(7 + k for k in range(hidden)), 4)
    blank = layered(
        sizes, WeightFormat.INT8, (4, *(5, 3, 4, 4)[:hidden]), state_bits=4, schedule=schedule
    )
    couplings = tuple(
        replace(c, weight=rng.integers(-30, 31, c.shape).astype(np.int8), feedback_shift=shift)
        for c, shift in zip(blank.dense_couplings, (0, *shifts[:hidden]), strict=True)
    )
    biases = {p.name: rng.integers(-40, 41, p.size).astype(np.int32) for p in blank.relaxing}
    network = replace(blank, couplings=couplings, biases=biases)
    inputs = rng.integers(0, 256, (5, 6)).astype(np.int16)
    return Case(network, inputs, rng.integers(0, 4, 5))
