"""What a relaxation costs in synaptic operations: one stored weight read and accumulated.

Zeros count like any other stored weight, for the event-driven and the dense machine alike.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network


def fan_out(network: Network, name: str) -> int:
    """Stored weights that one event of a neuron of population `name` walks."""
    reached = 0
    for coupling in network.couplings_of(name):
        other = coupling.post if coupling.pre == name else coupling.pre
        if other != network.input.name:
            reached += network.population(other).size
    return reached


def dense_synops(
    network: Network, sweeps: npt.NDArray[np.int32], *, continued: bool
) -> npt.NDArray[np.int64]:
    """Weights a dense machine reads that computes the input drive once and stops as early.

    sweeps: int32 (batch,). `continued` phases start from standing states, so their input
    drive stands too. Returns int64 (batch,).
    """
    sizes = {p.name: p.size for p in network.populations}
    sweep = 0
    for coupling in network.couplings:
        if coupling.pre != network.input.name:
            both_ways = 1 if coupling.is_self_coupling else 2
            sweep += both_ways * sizes[coupling.pre] * sizes[coupling.post]
    drive = 0 if continued else network.input.size * fan_out(network, network.input.name)
    return drive + sweeps.astype(np.int64) * sweep
