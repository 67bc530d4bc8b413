"""From accumulators to probabilities, and from those of levels to a real value."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.results import PhaseResult


def scores(found: PhaseResult) -> npt.NDArray[np.float64]:
    """Softmax(z / U) of each row of a clamped readout, (samples, rows, classes).

    z are the accumulators and U is T S 2^F, as in docs/numerics.md, section 5.
    """
    net = found.network
    assert net.readout is not None
    source = net.into(net.output.name)[0].source
    unit = source.state_max << net.accumulator_fraction_bits(net.output.name)
    sums = found.readout.reshape(len(found.readout), net.readout.rows, -1)
    scaled = sums / float(Fraction(*net.readout.temperature) * unit)
    powers = np.exp(scaled - scaled.max(axis=2, keepdims=True))
    shares: npt.NDArray[np.float64] = powers / powers.sum(axis=2, keepdims=True)
    return shares


def thermometer(
    values: npt.NDArray[np.float64], low: float, high: float, levels: int
) -> npt.NDArray[np.int64]:
    """Of each value (samples,) which levels it is above, 0 or 1, (samples, levels).

    Level r lies at low + (r + 1/2) (high - low) / levels.
    """
    places = low + (np.arange(levels) + 0.5) * ((high - low) / levels)
    above: npt.NDArray[np.int64] = (values[:, None] > places).astype(np.int64)
    return above


def real_values(
    found: PhaseResult, low: float, high: float, levels: int
) -> npt.NDArray[np.float64]:
    """The value whose expected number of levels the readout says, (samples,)."""
    steps: npt.NDArray[np.float64] = scores(found)[:, :, 1].sum(axis=1)
    return low + steps * ((high - low) / levels)
