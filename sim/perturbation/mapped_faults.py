"""The lasting faults of a map as a layer: of neurons that somebody chose, not of a fraction."""

from dataclasses import dataclass, field, replace

import numpy as np

from toreq_hw.contract.faults import FREE
from toreq_hw.network import Network
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.layer import PhaseLayer


@dataclass(frozen=True)
class MappedFaults(PhaseLayer):
    """Stuck neurons and inverted bits of a map. It has no level and no name on a command line.

    faults: a map of the network that runs. Quiescence is as under its rows (docs/robustness.md).
    """

    level: float = 1.0
    faults: FaultMap = field(kw_only=True)

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """The disturbance with the map's neurons. Raises InputError for another network's map."""
        given = self.faults.disturbance(network)
        return replace(
            disturbance,
            stuck=np.where(given.stuck == FREE, disturbance.stuck, given.stuck),
            state_xor_mask=disturbance.state_xor_mask ^ given.state_xor_mask,
        )
