"""Learning on a machine with lasting faults: stuck bits of latents and states, dead neurons.

Phases and updates are those of docs/numerics.md; docs/robustness.md, "Learning under a fault map",
says where the faults act.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.fault_rows import COLUMNS
from toreq_hw.contract.learning import LATENT_BITS, LATENT_LIMIT
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import require_pairs, require_plain
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.rule import check_integer
from toreq_hw.sim.perturbation.damage_arrays import damage_of, new_registers
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training_kernel import (
    BrokenLatents,
    LastingFaults,
    break_latents,
    learn_samples_faulty,
)
from toreq_hw.sim.plan import Ints, places_of_cells

LASTING = ("latents", "stuck", "inverted")
"""Entries of a fault map that a training can go on under."""


@named_type_errors
class FaultyTrainer(Trainer):
    """A trainer of a machine with the lasting faults of a map, of dense couplings.

    trainer: taken over as it stands (latents, rates, generator); it is not changed itself. The map
    belongs to its network as it stands. A phase that never falls quiet ends at the limit on sweeps.

    Raises InputError for entries other than `LASTING` and masks of bits that the latents drop. The
    same for a network with a clamped readout or feedback of its own.
    """

    runs_lowered = True

    def __init__(
        self, trainer: Trainer, fault_map: FaultMap, *, max_sweeps: int = MAX_SWEEPS
    ) -> None:
        network = trainer.blueprint
        require_pairs(network, "under a fault map", InputError)
        require_plain(network, "under a fault map", InputError)
        fault_map.check(trainer.network())
        check_lasting(fault_map)
        check_integer("max_sweeps", max_sweeps, 1, MAX_SWEEPS)
        super().__init__(network, trainer.rule, trainer.seed)
        self.max_sweeps = max_sweeps
        self.take_over(trainer)
        self._fault_map = fault_map
        given = fault_map.disturbance(trainer.network())
        self._faults = LastingFaults(
            broken=self._broken_latents(),
            damage=damage_of(network, self._plan, given, 1),
            registers=new_registers(self._plan),
        )
        self.program()

        def learn_faulty(**arguments: Any) -> Any:
            return learn_samples_faulty(faults=self._faults, **arguments)

        self._learn_samples: Callable[..., Any] = learn_faulty

    def program(self) -> None:
        """Sets every weight and bias from its latent, as its stuck bits leave it."""
        super().program()
        if hasattr(self, "_faults"):  # else it is being made
            break_latents(self._plan.weights, self.synapses.latent, self._faults.broken)

    def relax(self, inputs: npt.NDArray[np.int16]) -> PhaseResult:
        """Free phases of the network as it stands, under the map. inputs: (samples, input.size)."""
        network, given = self.network(), self._fault_map
        phase_map = FaultMap(
            network.sha256, len(inputs), stuck=given.stuck, inverted=given.inverted
        )
        return phase_map.relax(network, inputs, max_sweeps=self.max_sweeps)

    def _broken_latents(self) -> BrokenLatents:
        """Every copy of each latent of the map."""
        found = [np.zeros((0, 7), dtype=np.int64)]
        for number, coupling in enumerate(self.blueprint.couplings):
            rows = [row for row in self._fault_map.latents if row[0] == coupling.name]
            if rows:
                found.append(self._copies(number, np.array([row[1:] for row in rows])))
        values = np.concatenate(found)
        latent, zero, one, lowest, thetas = (values[:, k].copy() for k in range(5))
        return BrokenLatents(latent, zero, one, lowest, thetas, places=values[:, 5:].copy())

    def _copies(self, number: int, rows: Ints) -> Ints:
        """Of one coupling the fields of `BrokenLatents`, int64 (copies, 7). rows: int64 (latents,
        4) of row, column and both masks.
        """
        coupling, synapses = self.blueprint.couplings[number], self.synapses
        dropped = int(synapses.dropped[number])
        for at_zero, at_one in rows[:, 2:].tolist():
            if (at_zero | at_one) & (1 << dropped) - 1:
                raise InputError(
                    f"latents of coupling {coupling.name!r} must be stuck in bits {dropped}.."
                    f"{LATENT_BITS - 1}, which they have, found masks {at_zero} and {at_one}"
                )
        if coupling.is_self_coupling:
            rows = np.concatenate([rows, rows[:, [1, 0, 2, 3]]])
        cells = rows[:, 0] * coupling.shape[1] + rows[:, 1]
        read = places_of_cells(self.blueprint, self._plan, number, cells)
        both = read if len(read) > 1 else [*read, np.full(len(cells), -1)]
        lowest = np.full(len(cells), -(LATENT_LIMIT >> dropped << dropped))
        theta = np.full(len(cells), synapses.theta[number])
        first = synapses.first[number] + cells
        return np.stack([first, rows[:, 2], rows[:, 3], lowest, theta, *both], axis=1)


def check_lasting(fault_map: FaultMap) -> None:
    """Raises InputError for entries of a map that a training cannot go on under."""
    for name in COLUMNS:
        if name not in LASTING and getattr(fault_map, name):
            raise InputError(
                f"a fault map of a training must have only {', '.join(LASTING)}, found {name}"
            )
