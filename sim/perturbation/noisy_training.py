"""Learning while every update of a neuron is noisy: docs/robustness.md, "Learning under noise"."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.errors import InputError
from toreq_hw.network import require_pairs, require_plain
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.rule import check_integer
from toreq_hw.sim.perturbation.accumulator_noise import ReadNoise, ThermalNoise
from toreq_hw.sim.perturbation.damage_arrays import damage_of, new_registers
from toreq_hw.sim.perturbation.faulty_training_kernel import (
    BrokenLatents,
    LastingFaults,
    learn_samples_faulty,
)
from toreq_hw.sim.perturbation.layer import disturbance


@named_type_errors
class NoisyTrainer(Trainer):
    """A trainer whose three phases run under thermal or flicker noise, drawn anew in each phase.

    trainer: taken over as it stands (latents, rates, generator); it is not changed itself. A phase
    that the noise keeps from settling ends at the limit on sweeps, and is learned from as any.

    Raises InputError for layers of other kinds, and for a network with other couplings than pairs,
    a clamped readout or feedback of its own.
    """

    runs_lowered = True

    def __init__(
        self, trainer: Trainer, layers: Sequence[ThermalNoise], *, max_sweeps: int = MAX_SWEEPS
    ) -> None:
        network = trainer.blueprint
        require_pairs(network, "under noise", InputError)
        require_plain(network, "under noise", InputError)
        for layer in layers:
            if not isinstance(layer, ThermalNoise) or isinstance(layer, ReadNoise):
                kind = getattr(layer, "kind", type(layer).__name__)
                raise InputError(f"layers must be thermal_noise or flicker_noise, found {kind}")
        check_integer("max_sweeps", max_sweeps, 1, MAX_SWEEPS)
        super().__init__(network, trainer.rule, trainer.seed)
        self.max_sweeps = max_sweeps
        self.take_over(trainer)
        given = disturbance(network.lowered, 1, layers)
        nothing = np.zeros(0, dtype=np.int64)
        faults = LastingFaults(
            broken=BrokenLatents(
                latent=nothing,
                at_zero=nothing,
                at_one=nothing,
                lowest=nothing,
                theta=nothing,
                places=np.zeros((0, 2), dtype=np.int64),
            ),
            damage=damage_of(network.lowered, self._plan, given, 1),
            registers=new_registers(self._plan),
        )

        def learn_noisy(**arguments: Any) -> Any:
            return learn_samples_faulty(faults=faults, **arguments)

        self._learn_samples: Callable[..., Any] = learn_noisy
