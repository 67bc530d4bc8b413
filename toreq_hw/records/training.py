"""Training with the integer on-chip rule."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainedEpoch:
    """One epoch. train_accuracy: of the free phases before each update. accuracy: on the test
    images. sweeps_per_phase: mean over three phases a sample; under a clamped readout a sample
    without an error has none in two of them. unsettled_phases: that met the limit on sweeps.
    """

    epoch: int
    train_accuracy: float
    accuracy: float
    sweeps_per_phase: float
    unsettled_phases: int
    seconds: float
