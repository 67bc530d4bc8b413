"""Learning on a machine with lasting faults: stuck bits of latents and states, dead neurons.

Phases and updates are those of docs/numerics.md; docs/robustness.md, "Learning under a fault map",
says where the faults act.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.learning import LATENT_BITS, LATENT_LIMIT
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.errors import InputError
from toreq_hw.network import require_pairs, require_plain
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.rule import check_integer
from toreq_hw.sim.perturbation.damage_arrays import damage_of, new_registers
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training_kernel import (
    Broken,
    Faults,
    break_latents,
    learn_samples_faulty,
)
from toreq_hw.sim.plan import places_of_cells

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
        given = fault_map.disturbance(trainer.network())
        self._faults = Faults(
            broken=self._broken(fault_map),
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

    def phase_map(self, fault_map: FaultMap) -> FaultMap:
        """What the map does to a phase of the network as it stands: all but its latents."""
        return FaultMap(
            self.network().sha256,
            fault_map.samples,
            stuck=fault_map.stuck,
            inverted=fault_map.inverted,
        )

    def _broken(self, fault_map: FaultMap) -> Broken:
        """Every copy of each latent in `fault_map`."""
        numbers = {c.name: k for k, c in enumerate(self.blueprint.couplings)}
        found: list[tuple[int, ...]] = []
        for name, row, column, at_zero, at_one in fault_map.latents:
            number = numbers[name]
            coupling = self.blueprint.couplings[number]
            dropped = int(self.synapses.dropped[number])
            if (at_zero | at_one) & (1 << dropped) - 1:
                raise InputError(
                    f"latents of coupling {name!r} must be stuck in bits {dropped}.."
                    f"{LATENT_BITS - 1}, which they have, found masks {at_zero} and {at_one}"
                )
            limit = LATENT_LIMIT >> dropped << dropped
            theta, columns = int(self.synapses.theta[number]), coupling.shape[1]
            first = int(self.synapses.first[number])
            copies = [(row, column)] + [(column, row)] * coupling.is_self_coupling
            for i, j in copies:
                cell = i * columns + j
                places = self._places(number, cell)
                found.append((first + cell, at_zero, at_one, -limit, theta, *places))
        values = np.array(found, dtype=np.int64).reshape(-1, 7)
        latent, zero, one, lowest, thetas = (values[:, k].copy() for k in range(5))
        return Broken(latent, zero, one, lowest, thetas, places=values[:, 5:].copy())

    def _places(self, number: int, cell: int) -> tuple[int, int]:
        """Where the plan has the weight of a cell, forward and back."""
        where = places_of_cells(self.blueprint, self._plan, number, np.array([cell]))
        places = sorted({int(place[0]) for place in where})
        return places[0], places[-1] if len(places) > 1 else -1


def check_lasting(fault_map: FaultMap) -> None:
    """Raises InputError for entries of a map that a training cannot go on under."""
    for name in ("weights", "parameters", "messages", "frozen", "states", "faults"):
        if getattr(fault_map, name):
            raise InputError(
                f"a fault map of a training must have only {', '.join(LASTING)}, found {name}"
            )
