"""Random networks for property tests, drawn by hypothesis or from one integer seed."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat

Weights = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Case:
    """A network with inputs (batch, input.size) and labels (batch,) to relax it with."""

    network: Network
    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]


def random_case(
    seed: int,
    *,
    schedule: Schedule | None = None,
    max_size: int = 12,
    batch: int = 4,
    skips: bool = False,
) -> Case:
    """Any depth 1 to 4, any state format, either weight format, mixed fraction bits.

    Networks that are not under `parity` get a self-coupled first hidden population. With
    `skips`, some get the input coupled to the output past the hidden populations.
    """
    rng = np.random.default_rng(seed)
    schedule = schedule or rng.choice(np.array(Schedule))
    depth = int(rng.integers(1, 5))
    names = ["input", *(f"hidden{k}" for k in range(1, depth)), "output"]
    populations = [_population(rng, name, max_size) for name in names]
    couplings = [_coupling(rng, pre, post) for pre, post in pairwise(populations)]
    if schedule is not Schedule.PARITY:
        couplings.append(_self_coupling(rng, populations[1]))
    if skips and depth > 1 and rng.integers(2):
        couplings.append(_coupling(rng, populations[0], populations[-1]))
    network = Network(
        populations=tuple(populations),
        couplings=tuple(couplings),
        biases={p.name: rng.integers(-800, 801, p.size, dtype=np.int32) for p in populations[1:]},
        schedule=schedule,
        beta_shift=int(rng.integers(0, 4)),
    )
    return Case(
        network=network,
        inputs=rng.integers(
            network.input.state_min,
            network.input.state_max,
            (batch, network.input.size),
            dtype=np.int16,
            endpoint=True,
        ),
        labels=rng.integers(0, network.output.size, batch),
    )


def with_random_weights(blank: Network, rng: np.random.Generator) -> Network:
    """The same network with any weights of its formats; it must not have a self-coupling."""
    couplings = (
        c.with_parameters(_weights(rng, c.weight_format, *c.shape)) for c in blank.couplings
    )
    return replace(blank, couplings=tuple(couplings))


def cases(schedule: Schedule | None = None, *, skips: bool = False) -> st.SearchStrategy[Case]:
    """Hypothesis draws the seed, so that a failing case is one number."""
    seeds = st.integers(0, 2**32 - 1)
    return seeds.map(lambda seed: random_case(seed, schedule=schedule, skips=skips))


def _population(rng: np.random.Generator, name: str, max_size: int) -> Population:
    signed = bool(rng.integers(2))
    roles = {"input": Role.INPUT, "output": Role.OUTPUT}
    return Population(
        name=name,
        size=int(rng.integers(1, max_size + 1)),
        role=roles.get(name, Role.HIDDEN),
        state_bits=int(rng.integers(1 + signed, 9)),
        signed=signed,
    )


def _weights(rng: np.random.Generator, kind: WeightFormat, rows: int, columns: int) -> Weights:
    return rng.integers(-kind.limit, kind.limit + 1, (rows, columns)).astype(np.int8)


def _coupling(rng: np.random.Generator, pre: Population, post: Population) -> DenseCoupling:
    kind = rng.choice(np.array(WeightFormat))
    weight = _weights(rng, kind, pre.size, post.size)
    return DenseCoupling(pre.name, post.name, weight, int(rng.integers(0, 9)), kind)


def _self_coupling(rng: np.random.Generator, population: Population) -> DenseCoupling:
    kind = rng.choice(np.array(WeightFormat))
    upper = np.triu(_weights(rng, kind, population.size, population.size), 1)
    name = population.name
    return DenseCoupling(name, name, upper + upper.T, int(rng.integers(0, 9)), kind)
