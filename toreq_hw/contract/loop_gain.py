"""How strongly the neurons that update move each other: the Jacobian of all updates at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.network import Network

_EXACT = 400
"""Neurons up to which eigenvalues are computed; of more, growth over many steps is."""

_STEPS = 200

Real = npt.NDArray[np.float64]


class LoopGain(NamedTuple):
    """radius: the spectral radius of the Jacobian between neurons that update, unclipped.

    lipschitz: its largest singular value, which is the Lipschitz constant of updating all of them
    at once, in state steps, without rounding.
    """

    radius: float
    lipschitz: float


def loop_gain(network: Network) -> LoopGain:
    """The gain of the loop. Raises InputError of trilinear terms, which have no constant one."""
    if network.terms:
        raise InputError(f"network must have no trilinear term, found {network.terms[0].name}")
    jacobian = _Jacobian(network)
    if jacobian.size <= _EXACT:
        whole = np.array([jacobian.forward(row) for row in np.eye(jacobian.size)])
        radius = float(np.abs(np.linalg.eigvals(whole)).max(initial=0.0))
        return LoopGain(radius, float(np.linalg.norm(whole, 2)))
    lipschitz = _growth(lambda x: jacobian.backward(jacobian.forward(x)), jacobian.size) ** 0.5
    if network.has_energy and not any(network.depths.values()):
        return LoopGain(lipschitz, lipschitz)  # a symmetric matrix: both are the same
    return LoopGain(_growth(jacobian.forward, jacobian.size), lipschitz)


class _Jacobian:
    """How the state of each neuron that updates moves with those of the others, unclipped."""

    def __init__(self, network: Network) -> None:
        self.size = 0
        self._spans = {}
        for population in network.updating:
            self._spans[population.name] = slice(self.size, self.size + population.size)
            self.size += population.size
        self._parts = [
            (
                self._spans[p.source.name],
                self._spans[p.target.name],
                p.matrix * 2.0**-p.fraction_bits,
            )
            for p in network.projections
            if p.source.name in self._spans and p.target.name in self._spans
        ]

    def forward(self, moves: Real) -> Real:
        """What the targets move by when sources move, float64 (size,)."""
        result = np.zeros(self.size)
        for source, target, matrix in self._parts:
            result[target] += moves[source] @ matrix
        return result

    def backward(self, moves: Real) -> Real:
        """The transpose of `forward`, float64 (size,)."""
        result = np.zeros(self.size)
        for source, target, matrix in self._parts:
            result[source] += matrix @ moves[target]
        return result


def _growth(step: Callable[[Real], Real], size: int) -> float:
    """By how much a vector (size,) grows in a step, in the mean over the later half of many."""
    vector, grown = np.random.default_rng(1).standard_normal(size), 0.0
    for number in range(_STEPS):
        vector = step(vector)
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            return 0.0
        vector /= length
        if number >= _STEPS // 2:
            grown += np.log(length)
    return float(np.exp(grown / (_STEPS - _STEPS // 2)))
