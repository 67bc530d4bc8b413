"""Equilibrium propagation in real numbers: the baseline for gradients and for accuracy.

It has the populations, couplings and schedule of an integer network. States are in [0, 1] ([-1, 1]
where signed), s = clip(a). Gradients come from two equilibria (Scellier and Bengio 2017; the
centred estimator of Laborieux et al. 2021). `exact_gradient` differentiates the equilibrium itself,
so that the estimate can be compared with it, coupling by coupling. Relaxation and estimate are
summed in a fixed order: a training ends in the same weights on every processor.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import check_seed, named_type_errors
from toreq_hw.arrays import reals
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network, Population, Projection, require_plain
from toreq_hw.sim.baselines.fixed_order import column_sums, product, uniform

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gradient:
    """dL/dW by coupling name and dL/db by population name, shapes as in the network."""

    weights: dict[str, Floats]
    biases: dict[str, Floats]


@named_type_errors
class FloatNetwork:
    """Real weights on the shape of an integer network.

    weights: by coupling name (n_pre, n_post), Glorot-uniform at first; a self-coupling stays
    symmetric with a zero diagonal. biases: by population name. Raises InputError for a shape with
    feedback shifts or a clamped readout.
    """

    def __init__(self, shape: Network, seed: int, scale: float = 1.0) -> None:
        rng = np.random.default_rng(check_seed(seed))
        if any(c.feedback_shift for c in shape.couplings):
            raise InputError("a float network must have no feedback shift, found one")
        require_plain(shape, "of a float network", InputError)
        self.shape = shape
        self.layout = Layout(shape)
        self.weights = {c.name: scale * _glorot(rng, c) for c in shape.dense_couplings}
        self.biases = {p.name: np.zeros(p.size) for p in shape.relaxing}

    def relax(
        self,
        inputs: Floats,
        states: Floats | None = None,
        drive: Floats | None = None,
        *,
        tolerance: float = 1e-4,
        max_sweeps: int = 200,
    ) -> Floats:
        """Sweeps colour by colour until nothing moves more than `tolerance`.

        inputs: (batch, input.size) in [0, 1]. states: where to start, (batch, neurons) in
        `Layout` order, zero if None. drive: (batch, output.size). Returns (batch, neurons).
        Raises InputError for values that are not finite or out of range.
        """
        inputs = self.check_inputs(inputs)
        base = self._base(inputs, self._checked_drive(drive, len(inputs)))
        whole = (len(inputs), self.layout.neurons)
        s = np.zeros(whole) if states is None else reals("states", states, whole, -1, 1).copy()
        for _ in range(max_sweeps):
            before = s.copy()
            for colour in self.shape.sweep.blocks:
                new = [(b, self._update(b.population, b.start, b.stop, s, base)) for b in colour]
                for block, value in new:
                    s[:, self.layout.span(block)] = value
            if np.abs(s - before).max() <= tolerance:
                break
        return s

    def outputs(self, states: Floats) -> Floats:
        """The output population's part of (batch, neurons) states."""
        return states[:, self.layout.of(self.shape.output)]

    def gradient(
        self,
        inputs: Floats,
        target: Floats,
        beta: float,
        *,
        tolerance: float = 1e-4,
        max_sweeps: int = 200,
    ) -> tuple[Gradient, Floats]:
        """EqProp's estimate of d/dW mean 1/2 |s_out - target|^2, and the free states.

        Three relaxations: free, and nudged by +-beta (target - s*), frozen as in hardware.
        target: (batch, output.size) in the output's range. Raises InputError.
        """
        inputs = self.check_inputs(inputs)
        target = self._checked_target(target, len(inputs))
        limits = {"tolerance": tolerance, "max_sweeps": max_sweeps}
        free = self.relax(inputs, **limits)  # type: ignore[arg-type]
        drive = beta * (target - self.outputs(free))
        positive = self.relax(inputs, free, drive, **limits)  # type: ignore[arg-type]
        negative = self.relax(inputs, free, -drive, **limits)  # type: ignore[arg-type]
        scale = -1 / (2 * beta * len(inputs))
        weights = {}
        for p in self.shape.forward_projections:
            up, down = (
                product(self._source(p, inputs, s).T, self._of(p.target, s))
                for s in (positive, negative)
            )
            weights[p.coupling.name] = _tie(p, scale * (up - down))
        biases = {
            p.name: scale * column_sums((positive - negative)[:, self.layout.of(p)])
            for p in self.shape.relaxing
        }
        return Gradient(weights, biases), free

    def exact_gradient(self, inputs: Floats, target: Floats, free: Floats) -> Gradient:
        """The gradient of the equilibrium loss by implicit differentiation.

        Let s = clip(J s + c), and D mark the neurons inside their range. A change of J or c moves s
        by (I - D J)^-1 D (dJ s + dc). So dL/dJ_ij = lambda_i s_j with lambda = D (I - J D)^-1
        dL/ds. free: equilibria to (near) machine precision. What is compared with it has a
        tolerance, so LAPACK and BLAS may sum as they like. Raises InputError.
        """
        inputs = self.check_inputs(inputs)
        target = self._checked_target(target, len(inputs))
        free = reals("free states", free, (len(inputs), self.layout.neurons), -1, 1)
        coupling = self._joint_couplings()
        base = self._base(inputs, None)
        own = np.concatenate([base[p.name] for p in self.shape.relaxing], axis=1)
        low, high = self._limits()
        total = own + free @ coupling
        inside = ((total > low) & (total < high)).astype(np.float64)
        error = np.zeros_like(free)
        output = self.layout.of(self.shape.output)
        error[:, output] = free[:, output] - target
        adjoint = np.empty_like(free)
        identity = np.eye(self.layout.neurons)
        for k, d in enumerate(inside):
            adjoint[k] = d * np.linalg.solve(identity - coupling * d, error[k])
        weights = {}
        for p in self.shape.forward_projections:
            slope = self._source(p, inputs, free).T @ self._of(p.target, adjoint)
            if not p.from_input:
                pre = self._of(p.source, adjoint)
                slope += pre.T @ self._of(p.target, free)
            weights[p.coupling.name] = _tie(p, slope / len(inputs))
        biases = {p.name: adjoint[:, self.layout.of(p)].mean(axis=0) for p in self.shape.relaxing}
        return Gradient(weights, biases)

    def descend(self, gradient: Gradient, rate: float) -> None:
        """One step of gradient descent on every weight and bias."""
        for name, step in gradient.weights.items():
            self.weights[name] -= rate * step
        for name, step in gradient.biases.items():
            self.biases[name] -= rate * step

    def check_inputs(self, inputs: npt.ArrayLike) -> Floats:
        """Inputs as float64 (batch, input.size). Raises InputError."""
        population = self.shape.input
        return reals("inputs", inputs, ("batch", population.size), _low(population), 1)

    def _checked_target(self, target: npt.ArrayLike, batch: int) -> Floats:
        population = self.shape.output
        return reals("target", target, (batch, population.size), _low(population), 1)

    def _checked_drive(self, drive: npt.ArrayLike | None, batch: int) -> Floats | None:
        return None if drive is None else reals("drive", drive, (batch, self.shape.output.size))

    def _base(self, inputs: Floats, drive: Floats | None) -> dict[str, Floats]:
        """Bias, input drive and nudge per population, (batch, size)."""
        base = {}
        for p in self.shape.relaxing:
            total = np.repeat(self.biases[p.name][None], len(inputs), axis=0)
            for one in self.shape.into(p.name):
                if one.from_input:
                    total += product(inputs, self._matrix(one))
            if drive is not None and p is self.shape.output:
                total += drive
            base[p.name] = total
        return base

    def _update(
        self, name: str, start: int, stop: int, states: Floats, base: dict[str, Floats]
    ) -> Floats:
        total = base[name][:, start:stop].copy()
        for p in self.shape.into(name):
            if not p.from_input:
                total += product(self._of(p.source, states), self._matrix(p)[:, start:stop])
        return np.clip(total, _low(self.shape.population(name)), 1.0)

    def _joint_couplings(self) -> Floats:
        """All couplings between relaxing neurons as one symmetric matrix."""
        joint = np.zeros((self.layout.neurons, self.layout.neurons))
        for p in self.shape.projections:
            if not p.from_input:
                joint[self.layout.of(p.source), self.layout.of(p.target)] = self._matrix(p)
        return joint

    def _limits(self) -> tuple[Floats, Floats]:
        low = np.concatenate([np.full(p.size, _low(p)) for p in self.shape.relaxing])
        return low, np.ones(self.layout.neurons)

    def _matrix(self, projection: Projection) -> Floats:
        """The weights (source.size, target.size) of one direction."""
        return projection.orient(self.weights[projection.coupling.name])

    def _of(self, population: Population, states: Floats) -> Floats:
        return states[:, self.layout.of(population)]

    def _source(self, projection: Projection, inputs: Floats, states: Floats) -> Floats:
        return inputs if projection.from_input else self._of(projection.source, states)


def _low(population: Population) -> float:
    return -1.0 if population.signed else 0.0


def _glorot(rng: np.random.Generator, coupling: DenseCoupling) -> Floats:
    limit = float(np.sqrt(6 / sum(coupling.shape)))
    return coupling.mirrored(uniform(rng, limit, coupling.shape))


def _tie(projection: Projection, product: Floats) -> Floats:
    """A self-coupling's gradient is that of one shared value for (i, j) and (j, i)."""
    if not projection.is_self_projection:
        return product
    tied = (product + product.T) / 2
    np.fill_diagonal(tied, 0)
    return tied
