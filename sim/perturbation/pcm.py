"""Phase-change memory: programming noise, drift and read noise of measured devices.

The statistical model is that of Nandakumar et al., "Phase-change memory models for deep learning
training and inference", ICECS 2019. It was fitted to arrays of a million devices: Joshi et al.,
Nature Communications 11, 2473, 2020; Nandakumar et al., Frontiers in Neuroscience 14, 406, 2020.
The coefficients are those that aihwkit's PCMLikeNoiseModel publishes for g_max = 25 uS.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.network import Coupling
from toreq_hw.sim.perturbation.weight_noise import AnalogWeights

Real = npt.NDArray[np.float64]

G_MAX = 25.0
"""Conductance of the largest weight, in microsiemens."""

T_0 = 20.0
"""Seconds from programming to the first reading, which drift counts from."""

T_READ = 250e-9
"""Seconds that one reading takes."""


def programming_sigma(target: Real) -> Real:
    """Standard deviation of programming in uS: 0.26348 + 1.9650 g - 1.1731 g^2, g = G / G_max.

    target: conductances in uS, of any shape, which the result has too.
    """
    g = target / G_MAX
    return 0.26348 + 1.9650 * g - 1.1731 * g**2


def drift_exponent(target: Real, normal: Real) -> Real:
    """Nu of G(t) = G (t / t_0)^-nu for devices of conductance `target`, one normal draw each.

    Mean clip(-0.0155 ln g + 0.0244, 0.049, 0.1), sd clip(-0.0125 ln g - 0.0059, 0.008, 0.045).
    """
    log_g = np.log(np.maximum(target / G_MAX, 1e-7))
    mean = np.clip(-0.0155 * log_g + 0.0244, 0.049, 0.1)
    sd = np.clip(-0.0125 * log_g - 0.0059, 0.008, 0.045)
    exponent: Real = np.abs(mean + sd * normal)
    return exponent


def read_sigma(programmed: Real, seconds: float) -> Real:
    """Relative standard deviation of a reading `seconds` after programming (1/f noise).

    min(0.0088 / max(g^0.65, 0.001), 0.2) sqrt(ln((t + t_read) / (2 t_read))), g = G / G_max.

    programmed: conductances in uS, of any shape, which the result has too.
    """
    q = np.minimum(0.0088 / np.maximum((programmed / G_MAX) ** 0.65, 1e-3), 0.2)
    sigma: Real = q * np.sqrt(np.log((seconds + T_READ) / (2 * T_READ)))
    return sigma


def conductance_after(target: Real, seconds: float, normals: Real, scale: float = 1.0) -> Real:
    """Conductances in uS that are read `seconds` after the first reading.

    target: in uS, any shape. normals: (3, *shape) standard normal draws for programming, drift and
    reading. scale: multiplies programming noise, drift exponent and read noise.
    """
    programmed = np.maximum(target + scale * programming_sigma(target) * normals[0], 0)
    t = seconds + T_0
    drifted = programmed
    if seconds > 0:
        drifted = programmed * (t / T_0) ** (-scale * drift_exponent(target, normals[1]))
    read = drifted * (1 + scale * read_sigma(programmed, t) * normals[2])
    floored: Real = np.maximum(read, 0)
    return floored


@dataclass(frozen=True)
class Pcm(AnalogWeights):
    """Each weight is a pair of devices, one for each sign, one of them at its lowest.

    level: scale of the published noise and drift (1 is the measured device; 0 none). seconds: since
    the first reading. compensated: once drift has begun, one factor a coupling restores the
    magnitude that it took, sum |w| over sum w' sign(w). This is the global drift compensation of
    Joshi et al. 2020.
    """

    seconds: float = 0.0
    compensated: bool = True

    kind: ClassVar[str] = "pcm"
    unit: ClassVar[str] = "scale of the published device model"
    domain: ClassVar[tuple[float, float]] = (0.0, 10.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.seconds <= 1e12:
            raise InputError(f"seconds of {self.kind} must be in 0..1e12, not {self.seconds!r}")

    def analog(self, coupling: Coupling, rng: np.random.Generator) -> Real:
        """The difference of the pair, of the parameters' shape, in units of the stored weight."""
        weight = coupling.parameters.astype(np.float64)
        per_weight = G_MAX / max(1.0, float(np.abs(weight).max(initial=0)))
        pair = []
        for sign in (1, -1):
            target = np.maximum(sign * weight, 0) * per_weight
            normals = np.stack(
                [coupling.mirrored(rng.standard_normal(weight.shape)) for _ in range(3)]
            )
            pair.append(conductance_after(target, self.seconds, normals, self.level))
        read = (pair[0] - pair[1]) / per_weight
        read = coupling.mirrored(read)
        aligned = float((read * np.sign(weight)).sum())
        if self.compensated and self.seconds > 0 and aligned > 0:
            read *= np.abs(weight).sum() / aligned
        return read
