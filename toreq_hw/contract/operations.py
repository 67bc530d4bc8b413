"""What is sent and what it costs in synaptic operations: one stored weight read and accumulated.

Zeros count like any other stored weight, for the event-driven and the dense machine alike. Of a
trilinear term it is one product of two states, added to one accumulator.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.network import Network, Population


def message_bits(population: Population) -> int:
    """Bits of an event's message: a change of state, two's complement."""
    return population.state_bits + 1


@named_type_errors
def fan_outs(network: Network, name: str) -> npt.NDArray[np.int64]:
    """Stored weights that one event of each neuron of population `name` walks, int64 (size,)."""
    none = np.zeros(network.population(name).size, dtype=np.int64)
    fan_outs = sum((projection.fan_outs for projection in network.out_of(name)), start=none)
    return sum((share.walked for share in network.shares_into(name)), start=fan_outs)


def weights_walked(network: Network) -> npt.NDArray[np.int64]:
    """The same of all relaxing neurons, in `Layout` order: int64 (neurons,)."""
    return np.concatenate([fan_outs(network, p.name) for p in network.relaxing])


def common_or_each(weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What events of some neurons walk, int64 (neurons,): int64 (1,) where all walk alike."""
    return weights[:1] if np.all(weights == weights[0]) else weights


def walked(
    values: npt.NDArray[np.generic], counts: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Weights that events walk, int64 (batch,).

    values: (batch, neurons), not zero where a neuron sends; counts: int64 (batch,), how many do.
    weights: that an event of each walks, int64 (neurons,), or of all, int64 (1,).
    """
    found: npt.NDArray[np.int64] = (
        counts * weights[0] if len(weights) == 1 else (values != 0) @ weights
    )
    return found


@named_type_errors
def dense_synops(
    network: Network, sweeps: npt.NDArray[np.int32], *, continued: bool
) -> npt.NDArray[np.int64]:
    """Weights a dense machine reads that computes the input drive once and stops as early.

    sweeps: int32 (batch,). `continued` phases start from standing states, so their input
    drive stands too. A coupling to a clamped output is read once a phase: for its accumulators, or
    for what it sends back. Returns int64 (batch,).
    """
    updating = {p.name for p in network.updating}
    held = {network.input.name, *network.clamped}
    inner = [p for p in network.projections if p.source.name not in held]
    both = [p for p in inner if p.source.name in updating and p.target.name in updating]
    sweep = sum(int(p.fan_outs.sum()) for p in both)
    sweep += sum(int(share.cells.sum()) * share.term.width for share in network.term_shares)
    once = sum(int(p.fan_outs.sum()) for p in inner if p.target.name not in updating)
    drive = 0 if continued else sum(int(fan_outs(network, name).sum()) for name in held)
    return drive + once + sweeps.astype(np.int64) * sweep
