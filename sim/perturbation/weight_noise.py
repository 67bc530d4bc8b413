"""Analog weights: programming noise, device variation, lines with resistance.

Each stored cell is one device, read in both directions and by all edges of its parameter. So the
noisy matrix is symmetric too and every relaxation still ends by itself. A converter makes integers
of the conductances (`reprogram.through_converter`), so the noisy network stays inside
docs/numerics.md.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Coupling, Network
from toreq_hw.sim.perturbation.layer import WeightLayer
from toreq_hw.sim.perturbation.lines import lines_of
from toreq_hw.sim.perturbation.reprogram import through_converter

Real = npt.NDArray[np.float64]


class AnalogWeights(WeightLayer):
    """A layer that turns each stored weight into a real one."""

    def program(self, network: Network) -> Network:
        """The network that a converter reads from the array."""
        rng = self.generator()
        real = {c.name: self.analog(c, rng) for c in self.couplings(network)}
        return through_converter(network, real)

    def analog(self, coupling: Coupling, rng: np.random.Generator) -> Real:
        """Real parameters of one coupling, of their shape, in units of the stored weight."""
        raise NotImplementedError


@dataclass(frozen=True)
class ProgrammingNoise(AnalogWeights):
    """w' = w + level * w_max * N(0, 1): absolute error of programming, zeros included.

    w_max: largest magnitude that the coupling's weights have. The usual additive model (for
    example Joshi et al., Nature Communications 11, 2473, 2020, who train with it).
    """

    kind: ClassVar[str] = "programming_noise"
    unit: ClassVar[str] = "standard deviation over the largest weight"
    domain: ClassVar[tuple[float, float]] = (0.0, 100.0)
    full_damage: ClassVar[float | None] = 100.0

    def analog(self, coupling: Coupling, rng: np.random.Generator) -> Real:
        """One normal draw a device."""
        largest = int(np.abs(coupling.parameters).max(initial=0))
        normal = coupling.mirrored(rng.standard_normal(coupling.parameters.shape))
        return coupling.parameters + self.level * largest * normal


@dataclass(frozen=True)
class RelativeNoise(AnalogWeights):
    """w' = w (1 + level * N(0, 1)): error in proportion to the weight; zeros stay zero."""

    kind: ClassVar[str] = "relative_noise"
    unit: ClassVar[str] = "standard deviation over the weight itself"
    domain: ClassVar[tuple[float, float]] = (0.0, 10.0)

    def analog(self, coupling: Coupling, rng: np.random.Generator) -> Real:
        """One normal draw a device."""
        normal = coupling.mirrored(rng.standard_normal(coupling.parameters.shape))
        return coupling.parameters * (1 + self.level * normal)


@dataclass(frozen=True)
class DeviceVariation(AnalogWeights):
    """w' = w exp(level * N(0, 1) - level^2 / 2): each device has its own gain, of mean 1.

    Log-normal, because a conductance keeps its sign; the median is below 1.
    """

    kind: ClassVar[str] = "device_variation"
    unit: ClassVar[str] = "standard deviation of the logarithm of the gain"
    domain: ClassVar[tuple[float, float]] = (0.0, 3.0)

    def analog(self, coupling: Coupling, rng: np.random.Generator) -> Real:
        """One normal draw a device."""
        normal = coupling.mirrored(rng.standard_normal(coupling.parameters.shape))
        gain: Real = np.exp(self.level * normal - self.level**2 / 2)
        return coupling.parameters * gain


@dataclass(frozen=True)
class IRDrop(AnalogWeights):
    """w'_ij = w_ij (1 - level (x_i + y_j) / 2): voltage lost along both lines of a device.

    x_i = i / (rows - 1), y_j = j / (columns - 1): the device nearest to both drivers loses nothing,
    the farthest the fraction `level`. First order in the line's resistance (no solving of the
    resistor mesh) and independent of the data; nothing is random.
    """

    kind: ClassVar[str] = "ir_drop"
    unit: ClassVar[str] = "fraction lost by the farthest device"

    def analog(self, coupling: Coupling, rng: np.random.Generator) -> Real:
        """A fixed gain per position."""
        lines = lines_of(coupling)
        x = lines.row / max(1, lines.rows - 1)
        y = lines.column / max(1, lines.columns - 1)
        gain: Real = 1 - self.level * (x + y) / 2
        return coupling.parameters * gain.reshape(coupling.parameters.shape)
