"""Networks whose ways back have weights of their own."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from testbench.networks import Case, random_case
from testbench.structured import structured_case
from toreq_hw.network import Coupling, DenseCoupling, Network, OwnFeedback, Schedule


def own_feedback_case(seed: int, *, schedule: Schedule | None = None) -> Case:
    """A random network, some of whose couplings get random feedback, fixed or learned."""
    rng = np.random.default_rng([seed, 7])
    made = random_case(seed, schedule=schedule, skips=True)
    if rng.random() < 0.5:
        made = structured_case(seed, schedule=schedule)
    return replace(made, network=with_own_feedback(made.network, rng))


def with_own_feedback(network: Network, rng: np.random.Generator) -> Network:
    """Random feedback for about two thirds of the couplings that can have it."""
    couplings = tuple(_with_feedback(network, c, rng) for c in network.couplings)
    return replace(network, couplings=couplings)


def _with_feedback(network: Network, coupling: Coupling, rng: np.random.Generator) -> Coupling:
    within = coupling.pre != network.input.name and not coupling.is_self_coupling
    if not within or rng.random() < 1 / 3:
        return coupling
    limit = coupling.weight_format.limit
    weight = rng.integers(-limit, limit + 1, coupling.parameters.shape, dtype=np.int8)
    learned = isinstance(coupling, DenseCoupling) and rng.random() < 0.5
    return replace(coupling, own_feedback=OwnFeedback(weight, learned))


def own_feedback_cases(schedule: Schedule | None = None) -> st.SearchStrategy[Case]:
    """Cases of `own_feedback_case`."""
    return st.integers(0, 2**32 - 1).map(lambda seed: own_feedback_case(seed, schedule=schedule))
