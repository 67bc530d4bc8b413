"""Learning on a machine with lasting faults: stuck bits of latents and states, dead neurons.

Phases and updates are those of docs/numerics.md; docs/robustness.md, "Learning under a fault map",
says where the faults act.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.faults import FREE
from toreq_hw.contract.learning import LATENT_BITS, LATENT_LIMIT
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.errors import InputError
from toreq_hw.network import require_pairs, require_plain
from toreq_hw.sim.compiled import compiled, compiled_uncounted
from toreq_hw.sim.event_kernel import copy, present
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.latent_kernel import int8_weight, ternary_weight
from toreq_hw.sim.learning.rule import check_integer
from toreq_hw.sim.learning.sample_kernel import nudge_of
from toreq_hw.sim.learning.update_kernel import update
from toreq_hw.sim.perturbation.damage_arrays import Damage, Registers, damage_of, new_registers
from toreq_hw.sim.perturbation.disturbed_kernel import relax_one
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.plan import Ints, places_of_cells

LASTING = ("latents", "stuck", "inverted")
"""Entries of a fault map that a training can go on under."""


class Broken(NamedTuple):
    """Latents with stuck bits, one entry a copy of each.

    latent: index into `Synapses.latent`. at_zero, at_one: masks of the whole latent. lowest: the
    smallest number that its bits hold. theta: of ternary weights, else 0. places: where
    `Plan.weights` has its weight, int64 (cells, 2), -1 for none.
    """

    latent: Ints
    at_zero: Ints
    at_one: Ints
    lowest: Ints
    theta: Ints
    places: Ints


class Faults(NamedTuple):
    """What a training goes on under; `damage` lists none for a tick."""

    broken: Broken
    damage: Damage
    registers: Registers


@named_type_errors
class FaultyTrainer(Trainer):
    """A trainer of a machine with the lasting faults of a map, of dense couplings.

    trainer: taken over as it stands (latents, rates, generator); it is not changed itself. The map
    belongs to its network as it stands. A phase that never falls quiet ends at the limit on sweeps.

    Raises InputError for entries other than `LASTING`, masks of bits that the latents drop, and a
    network with a clamped readout or feedback of its own.
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


@compiled_uncounted
def break_latents(weights, latent, broken):  # type: ignore[no-untyped-def]
    """Sets latents as their stuck bits leave them, and the weights that they stand for."""
    for k in range(len(broken.latent)):
        cell = broken.latent[k]
        word = (np.int64(latent[cell]) & ~broken.at_zero[k] & 0xFFFF) | broken.at_one[k]
        v = np.int16(max(np.int64(np.int16(word)), broken.lowest[k]))
        latent[cell] = v
        w = ternary_weight(v, broken.theta[k]) if broken.theta[k] > 0 else int8_weight(v)
        for place in broken.places[k]:
            if place >= 0:
                weights[place] = w


@compiled_uncounted
def settle(plan, faults, states, rules, scratch, counters, nothing):  # type: ignore[no-untyped-def]
    """Relaxes from `states` and the accumulators in `faults.registers`, in place."""
    scratch.seen[:] = 0
    sweeps, status, events, _, _ = relax_one(
        plan, faults.damage, faults.registers, states, scratch, rules.max_sweeps, 0, nothing
    )
    counters[1] += sweeps
    counters[2] += status != 0
    counters[3] += events


@compiled
def learn_samples_faulty(  # type: ignore[no-untyped-def]
    faults,
    plan,
    synapses,
    rates,
    output,
    rules,
    inputs,
    labels,
    order,
    scratch,
    random_state,
    counters,
):
    """`learn_samples` of a relaxing readout under `faults`; the rest as there."""
    stuck, accumulator = faults.damage.stuck, faults.registers.accumulator
    push = np.zeros(output.stop - output.start, dtype=np.int32)
    equilibrium = np.empty_like(accumulator)
    nothing = np.empty((0, 4), dtype=np.int64)
    positive = np.empty(len(accumulator), dtype=np.int16)
    negative = np.empty_like(positive)
    for sample in order:
        x, label = inputs[sample], labels[sample, 0]
        for i in range(len(positive)):
            positive[i] = 0 if stuck[i] == FREE else stuck[i]
        present(plan, x, positive, push[:0], output.start, accumulator, scratch)
        settle(plan, faults, positive, rules, scratch, counters, nothing)
        copy(equilibrium, accumulator)
        copy(negative, positive)
        counters[0] += nudge_of(positive, label, output, push) == label
        for sign, states in ((1, positive), (-1, negative)):
            copy(accumulator, equilibrium)
            for population in range(len(scratch.version)):
                scratch.version[population] += 1
            for k in range(len(push)):
                accumulator[output.start + k] += sign * push[k]
            settle(plan, faults, states, rules, scratch, counters, nothing)
        random_state = update(plan, synapses, rates, x, positive, negative, random_state)
        break_latents(plan.weights, synapses.latent, faults.broken)
    return random_state
