"""What an update is made of: the contrast of two nudged equilibria, summed over a batch."""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.results import PhaseResult
from toreq_hw.network import Network, check_states
from toreq_hw.network.support import require_pairs
from toreq_hw.sim.baselines.real_network import gathered
from toreq_hw.sim.phases import Engine, make_engine, nudged_phase


@named_type_errors
def contrasts(
    network: Network,
    inputs: npt.ArrayLike,
    free: PhaseResult,
    labels: npt.ArrayLike,
    engine: str | Engine = "event",
) -> dict[str, npt.NDArray[np.int64]]:
    """Sums of s+_pre s+_post - s-_pre s-_post over a batch and the edges of each parameter.

    docs/numerics.md, section 6, before learning rate and rounding. free: the free phase of the
    same inputs, integers (batch, input.size). labels: (batch,), as in `check_classes`. Returns
    int64 by coupling, of its parameters' shape; float64 holds sums of 2^37 products exactly.
    Raises InputError, and NetworkError for what `require_pairs` refuses.
    """
    require_pairs(network, "for a contrast")
    runner = make_engine(network, engine) if isinstance(engine, str) else engine
    standing = {network.input.name: check_states(network.input, inputs)}
    found = {c.name: np.zeros(c.shape) for c in network.couplings}
    for sign in (1, -1):
        nudged = nudged_phase(network, inputs, free, labels, sign, engine=runner)
        states = {n: s.astype(np.float64) for n, s in {**standing, **nudged.states}.items()}
        for coupling in network.couplings:
            found[coupling.name] += sign * (states[coupling.pre].T @ states[coupling.post])
    return {c.name: gathered(c, found[c.name]).astype(np.int64) for c in network.couplings}
