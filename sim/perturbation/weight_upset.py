"""Weight memories hit while a phase runs: soft errors that stay until the next sample."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.tick_damage import TickFaults
from toreq_hw.sim.perturbation.weight_damage import cells


@dataclass(frozen=True)
class WeightUpset(TickFaults):
    """In every tick of the window each stored bit of a weight flips with probability `level`.

    A weight of several edges is one word: all of them read it. A flipped bit stays so to the end of
    the sample's phase (or until it is hit again); the next sample finds the weights as programmed.
    What has been summed stands: from its tick on, events are multiplied by what the cell reads now,
    in both directions, as there is one copy. Couplings of the input deliver before the first tick,
    so only those between relaxing populations count.

    Later weights act on sums of earlier ones as on a constant bias. So a phase ends once the window
    is over, if no sum leaves its 32 bits. Words read as under `weight_bit_flip`.
    """

    kind: ClassVar[str] = "weight_upset"
    unit: ClassVar[str] = "probability per stored bit and tick"
    quiescence: ClassVar[str] = (
        "guaranteed once `last_tick` is over, unless a sum leaves its 32 bits; the limit on sweeps "
        "ends the phase then"
    )

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Draws the lines of every coupling, in file order. Raises InputError for a bad place."""
        rng = self.generator()
        found = [np.zeros((0, 5), dtype=np.int64)]
        walked = self._walked_couplings(network)
        for number, coupling in enumerate(network.couplings):
            if coupling.name not in walked:
                continue
            stored = cells(coupling)
            bits = 8 if coupling.weight_format is WeightFormat.INT8 else 2
            sample, tick, place, bit = self.hits(len(stored), bits, batch, rng)
            which = np.full(len(tick), number)
            found.append(np.stack([sample, tick, which, stored[place], bit], axis=1))
        return disturbance.with_weight_flips(np.concatenate(found))

    def _walked_couplings(self, network: Network) -> set[str]:
        """Names of the couplings that events walk: `place`, or all but the input's."""
        chosen = {coupling.name for coupling in self.couplings(network)}
        walked = chosen & {p.coupling.name for p in network.projections if not p.from_input}
        if self.place and not walked:
            raise InputError(
                f"place of {self.kind} must be a coupling between relaxing populations, "
                f"not {self.place}"
            )
        return walked
