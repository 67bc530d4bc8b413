"""The angle between what learning does on chip and the gradient of the loss."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.network import Network, check_classes, check_states
from toreq_hw.records.gradients import Alignment, CouplingCosine
from toreq_hw.sim.baselines.real_network import RealNetwork
from toreq_hw.sim.learning.contrast import contrasts
from toreq_hw.sim.phases import free_phase

PART = 250
"""Samples whose states are in memory at once."""

APART = 8
"""LSB of a state."""


@named_type_errors
def alignment(
    network: Network,
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike,
    beta_shifts: Sequence[int] | None = None,
) -> Alignment:
    """Contrasts of a batch under several nudges, beside minus the gradient of its loss.

    The contrast is that of integer equilibria, exact. The gradient is that of `RealNetwork` at the
    equilibrium that it reaches from the integer one; samples where it reaches none are left out
    of both. inputs: integers (batch, input.size). labels: (batch,). beta_shifts: the network's own
    if None. Raises InputError, also for networks that `RealNetwork` refuses.
    """
    states = check_states(network.input, inputs)
    classes = check_classes(network, labels, len(states))
    shifts = (network.beta_shift,) if beta_shifts is None else tuple(beta_shifts)
    sums = _Sums(network, shifts)
    for first in range(0, len(states), PART):
        part = slice(first, first + PART)
        sums.add(states[part], classes[part])
    if not sums.compared:
        raise InputError(
            f"samples must have a real-valued equilibrium for a gradient, found none in "
            f"{len(states)}"
        )
    return sums.alignment()


class _Sums:
    """Sums over the samples so far of one network, under nudges of some shifts."""

    def __init__(self, network: Network, shifts: Sequence[int]) -> None:
        self._network = network
        self._nudged = {shift: replace(network, beta_shift=shift) for shift in shifts}
        self._gradient = {c.name: np.zeros(c.parameters.shape) for c in network.couplings}
        self._contrast = {
            (c.name, shift): np.zeros(c.parameters.shape, np.int64)
            for c in network.couplings
            for shift in shifts
        }
        self.compared = self._seen = self._sweeps = self._apart = 0
        self._loss = 0.0

    def add(self, inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64]) -> None:
        """Adds a part of the batch. inputs: int16 (part, input.size). labels: int64 (part,)."""
        free = free_phase(self._network, inputs)
        self._seen += len(inputs)
        self._sweeps += int(free.sweeps.sum())
        real = RealNetwork(self._network, inputs)
        standing = real.layout.join(free.states)
        states, settled = real.relax(standing)
        adjoint, solved = real.adjoint(states, labels)
        kept = settled & solved
        self.compared += int(kept.sum())
        far = np.abs(states - standing).max(axis=1) > APART
        self._apart += int(np.count_nonzero(far & kept))
        self._loss += float(real.losses(states, labels)[kept].sum())
        for name, slope in real.gradient(states, adjoint * kept[:, None]).items():
            self._gradient[name] += slope
        if not kept.any():
            return
        again = free_phase(self._network, inputs[kept])
        for shift, network in self._nudged.items():
            for name, moved in contrasts(network, inputs[kept], again, labels[kept]).items():
                self._contrast[name, shift] += moved

    def alignment(self) -> Alignment:
        """Of all samples that were added; at least one was compared."""
        found = (
            _compared(name, shift, self._contrast[name, shift], self._gradient[name])
            for name in self._gradient
            for shift in self._nudged
        )
        return Alignment(
            asked=self._seen,
            compared=self.compared,
            apart=self._apart,
            loss=self._loss / self.compared,
            sweeps_mean=self._sweeps / self._seen,
            cosines=tuple(found),
        )


def _compared(
    name: str, shift: int, moved: npt.NDArray[np.int64], gradient: npt.NDArray[np.float64]
) -> CouplingCosine:
    downhill, contrast = -gradient.ravel(), moved.ravel().astype(np.float64)
    lengths = np.linalg.norm(downhill) * np.linalg.norm(contrast)
    cosine = float(contrast @ downhill / lengths) if lengths else None
    sloping = downhill != 0
    silent = float(np.mean(contrast[sloping] == 0)) if sloping.any() else 0.0
    return CouplingCosine(name, shift, cosine, silent)
