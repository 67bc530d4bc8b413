"""From readouts to probabilities, and from those of levels to a real value."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.results import PhaseResult

SPACINGS = ("steps", "quantiles")
"""How the levels of a regressor lie between targets."""

FEW = 20
"""Targets of which none is left out at the ends."""


def scores(found: PhaseResult) -> npt.NDArray[np.float64]:
    """Probabilities of the classes of each row, (samples, rows, classes).

    Of a clamped readout softmax(z / U): z are the accumulators and U is T S 2^F, as in
    docs/numerics.md, section 5. Of a relaxing one the share of each output state in their sum, for
    states follow a target that is full for the class; equal shares where all are 0.
    """
    net = found.network
    if net.readout is None:
        shown = np.maximum(found.states[net.output.name], 0).astype(np.float64)
        total = shown.sum(axis=1, keepdims=True)
        blank = np.full_like(shown, 1 / shown.shape[1])
        shares = np.divide(shown, total, out=blank, where=total > 0)
        return np.asarray(shares[:, None, :], dtype=np.float64)
    source = net.into(net.output.name)[0].source
    unit = source.state_max << net.accumulator_fraction_bits(net.output.name)
    rows = found.readout.reshape(len(found.readout), net.readout.rows, -1)
    scaled = rows / float(Fraction(*net.readout.temperature) * unit)
    powers = np.exp(scaled - scaled.max(axis=2, keepdims=True))
    softmax: npt.NDArray[np.float64] = powers / powers.sum(axis=2, keepdims=True)
    return softmax


def ends(targets: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The smallest and the largest of targets (samples,) without one in 100 on either side.

    So a single one that lies far out moves no level. All count where the others are equal.
    """
    ordered = np.sort(targets)
    out = 0 if len(ordered) < FEW else -(-len(ordered) // 100)
    low, high = float(ordered[out]), float(ordered[-1 - out])
    return (low, high) if low < high else (float(ordered[0]), float(ordered[-1]))


@dataclass(frozen=True, eq=False)
class Levels:
    """values: float64 (levels + 1,), ascending: what the predictions lie between.

    Level r is passed by what lies above the middle of values r and r + 1.
    """

    values: npt.NDArray[np.float64]

    @classmethod
    def of(cls, targets: npt.NDArray[np.float64], levels: int, spacing: str) -> "Levels":
        """Of targets (samples,). spacing: equal steps between `ends`, or quantiles.

        Of quantiles each value is the median of as many targets.
        """
        if spacing == "quantiles":
            values = np.quantile(targets, (np.arange(levels + 1) + 0.5) / (levels + 1))
        else:
            low, high = ends(targets)
            values = low + np.arange(levels + 1) * ((high - low) / levels)
        return cls(values.astype(np.float64))

    def passed(self, targets: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Of each target (samples,) which levels it is above, 0 or 1, (samples, levels)."""
        middles = (self.values[1:] + self.values[:-1]) / 2
        above: npt.NDArray[np.int64] = (targets[:, None] > middles).astype(np.int64)
        return above

    def expected(self, found: PhaseResult) -> npt.NDArray[np.float64]:
        """The expected value that the readout says, (samples,).

        A clamped readout has a row of two classes a level; a relaxing one has a class a value.
        """
        shares = scores(found)
        if found.network.readout is None:
            of_values: npt.NDArray[np.float64] = shares[:, 0] @ self.values
            return of_values
        steps = shares[:, :, 1] @ np.diff(self.values)
        found_values: npt.NDArray[np.float64] = self.values[0] + steps
        return found_values
