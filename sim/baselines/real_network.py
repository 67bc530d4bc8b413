"""An integer network without rounding, and the gradient of its loss at equilibrium.

It has the network's weights, biases, schedule and readout; nothing is rounded: a state is
clip(a / 2^F). Its equilibrium is a function of the weights, so the loss there has a gradient, which
implicit differentiation gives. Learning on chip follows it as far as rounding and the size of the
nudge allow.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import (
    Block,
    Coupling,
    Network,
    Normalisation,
    Projection,
    check_classes,
    check_states,
)
from toreq_hw.network.support import require_pairs

Floats = npt.NDArray[np.float64]
Settled = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

TOLERANCE = 1e-9
"""Of what still moves when a relaxation ends, in units of the largest value."""

MOST_SWEEPS = 500
"""After so many a sample counts as one that does not settle."""

RUNAWAY = 1e12
"""So does one with a larger value: adjoints of a saddle grow without end."""


@named_type_errors
class RealNetwork:
    """Real weights on the shape of an integer network, and a batch of inputs.

    inputs: integers (batch, input.size). weights: of some couplings by name, float64 of their
    parameters' shape, real numbers W / 2^f; the network's own where not given.
    Raises InputError for trilinear terms, budget rows, feedback of its own and a sparsemax readout.
    """

    def __init__(
        self,
        network: Network,
        inputs: npt.ArrayLike,
        weights: Mapping[str, Floats] | None = None,
    ) -> None:
        require_pairs(network, "for a gradient", InputError)
        if network.readout is not None and network.readout.normalisation != Normalisation.SOFTMAX:
            raise InputError("readout must be a softmax for a gradient, found sparsemax")
        self.network, self.layout = network, Layout(network)
        self.inputs = check_states(network.input, inputs).astype(np.float64)
        given = weights or {}
        self._weights = {
            c.name: scattered(c, given.get(c.name, c.parameters / 2.0**c.fraction_bits))
            for c in network.couplings
        }
        self._standing = np.concatenate([self._alone(p.name) for p in network.relaxing], axis=1)
        ends = [(p.state_min, p.state_max, p.size) for p in network.relaxing]
        self._low = np.concatenate([np.full(size, float(low)) for low, _, size in ends])
        self._high = np.concatenate([np.full(size, float(high)) for _, high, size in ends])

    def relax(self, states: npt.ArrayLike) -> tuple[Floats, Settled]:
        """The equilibria that relaxation reaches from `states`, (batch, neurons) in `Layout` order.

        A clamped output stays at 0, as in a free phase. Second, which samples settled.
        """

        def update(block: Block, values: Floats, rows: Rows) -> Floats:
            span = self.layout.span(block)
            sums = self._sums(block.population, values, rows)[:, block.start : block.stop]
            return np.clip(sums, self._low[span], self._high[span])

        return self._settled(np.array(states, dtype=np.float64), update)

    def losses(self, states: Floats, labels: npt.ArrayLike) -> Floats:
        """Of each sample at its equilibrium, (batch,): the cross-entropy of a clamped output, else
        1/2 |y - target|^2 in units of s_max. labels: (batch,), as in `check_classes`.
        """
        wanted = self._one_hot(labels)
        if self.network.readout is None:
            return np.asarray(np.sum((self._output(states) - wanted) ** 2, axis=1) / 2)
        return np.asarray(-np.log(np.sum(wanted * self._shares(states), axis=1)))

    def adjoint(self, states: Floats, labels: npt.ArrayLike) -> tuple[Floats, Settled]:
        """D loss / d sum of every neuron and sample, (batch, neurons), at equilibria of `relax`.

        A sum is a / 2^F. Where it is at a rail, this is 0. Solved colour by colour, as equilibria
        are. Second, of which samples it settled: of a saddle it does not.
        """
        every = np.arange(len(states))
        sums = [self._sums(p.name, states, every) for p in self.network.relaxing]
        joined = np.concatenate(sums, axis=1)
        inside = (joined > self._low) & (joined < self._high)
        direct, found = np.zeros_like(states), np.zeros_like(states)
        wanted, output = self._one_hot(labels), self.layout.of(self.network.output)
        if self.network.readout is None:
            error = self._output(states) - wanted
            direct[:, output] = error / self.network.output.state_max
        else:
            found[:, output] = (self._shares(states) - wanted) / self._unit()

        def update(block: Block, values: Floats, rows: Rows) -> Floats:
            span = self.layout.span(block)
            total = direct[rows, span]
            for p in self.network.out_of(block.population):
                weights = self._matrix(p)[block.start : block.stop]
                total = total + values[:, self.layout.of(p.target)] @ weights.T
            return np.asarray(total * inside[rows, span])

        return self._settled(found, update)

    def gradient(self, states: Floats, adjoint: Floats) -> dict[str, Floats]:
        """D loss / d weight, summed over samples, of every coupling by name, of its parameters'
        shape. states, adjoint: as `relax` and `adjoint` give them.
        """
        found = {c.name: np.zeros(c.shape) for c in self.network.couplings}
        for p in self.network.projections:
            source = self.inputs if p.from_input else states[:, self.layout.of(p.source)]
            slope = source.T @ adjoint[:, self.layout.of(p.target)] * _scale(p)
            found[p.coupling.name] += slope.T if p.backward else slope
        return {c.name: gathered(c, found[c.name]) for c in self.network.couplings}

    def _settled(
        self, values: Floats, update: Callable[[Block, Floats, Rows], Floats]
    ) -> tuple[Floats, Settled]:
        """Updates colour by colour until nothing moves; changes `values`, (batch, neurons)."""
        rows: Rows = np.arange(len(values))
        settled = np.zeros(len(values), dtype=np.bool_)
        for _ in range(MOST_SWEEPS):
            part = values[rows]
            before = part.copy()
            for colour in self.network.sweep.blocks:
                new = [(self.layout.span(block), update(block, part, rows)) for block in colour]
                for span, moved in new:
                    part[:, span] = moved
            values[rows] = part
            largest = np.abs(part).max(axis=1)
            quiet = np.abs(part - before).max(axis=1) <= TOLERANCE * largest
            settled[rows[quiet]] = True
            rows = rows[~quiet & (largest < RUNAWAY)]
            if not len(rows):
                break
        return values, settled

    def _sums(self, name: str, states: Floats, rows: Rows) -> Floats:
        """A / 2^F of a population, (rows, size); states: (rows, neurons) of these samples."""
        total = self._standing[rows, self.layout.of(self.network.population(name))]
        for p in self.network.into(name):
            if not p.from_input:
                total = total + states[:, self.layout.of(p.source)] @ self._matrix(p)
        return total

    def _alone(self, name: str) -> Floats:
        """The part of the sums that stands: biases and input, (batch, size)."""
        bias = self.network.biases[name] / 2.0 ** self.network.accumulator_fraction_bits(name)
        total = np.repeat(bias[None], len(self.inputs), axis=0)
        for p in self.network.into(name):
            if p.from_input:
                total += self.inputs @ self._matrix(p)
        return np.asarray(total)

    def _matrix(self, projection: Projection) -> Floats:
        """Real weights (source.size, target.size) of one direction."""
        weights = self._weights[projection.coupling.name]
        scale = _scale(projection)
        return np.asarray((weights.T if projection.backward else weights) * scale)

    def _output(self, states: Floats) -> Floats:
        output = self.network.output
        return states[:, self.layout.of(output)] / output.state_max

    def _shares(self, states: Floats) -> Floats:
        """The probabilities of a clamped output's classes, (batch, classes)."""
        every = np.arange(len(states))
        exponents = self._sums(self.network.output.name, states, every) / self._unit()
        exponents -= exponents.max(axis=1, keepdims=True)
        shares = np.exp(exponents)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def _unit(self) -> float:
        """T S of a clamped readout: by how much a sum must rise for a factor e."""
        assert self.network.readout is not None
        top, bottom = self.network.readout.temperature
        return self.network.into(self.network.output.name)[0].source.state_max * top / bottom

    def _one_hot(self, labels: npt.ArrayLike) -> Floats:
        classes = check_classes(self.network, labels, len(self.inputs))
        return np.eye(self.network.output.size)[classes]


def _scale(projection: Projection) -> float:
    """By how much a direction is weaker than the coupling's way forward."""
    return float(2.0 ** (projection.coupling.fraction_bits - projection.fraction_bits))


def scattered(coupling: Coupling, values: npt.NDArray[np.floating]) -> Floats:
    """A real matrix (n_pre, n_post) from values of a coupling's parameters' shape."""
    edges, found = coupling.edges(), np.zeros(coupling.shape)
    found[edges.pre, edges.post] = values.ravel()[edges.parameter]
    if coupling.is_self_coupling:
        found[edges.post, edges.pre] = values.ravel()[edges.parameter]
    return found


def gathered(coupling: Coupling, matrix: Floats) -> Floats:
    """What each parameter gets of its edges, of its parameters' shape; matrix (n_pre, n_post)."""
    edges = coupling.edges()
    ways = matrix + matrix.T if coupling.is_self_coupling else matrix
    shape = coupling.parameters.shape
    each = np.bincount(edges.parameter, ways[edges.pre, edges.post], coupling.parameters.size)
    return np.asarray(each.reshape(shape))
