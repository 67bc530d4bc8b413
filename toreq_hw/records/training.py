"""Training with the integer on-chip rule."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType


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


@dataclass(frozen=True)
class RuleSettings:
    """Settings of the integer rule, as `toreq_hw.sim.learning.Rule` explains them; the last three
    are UNSET where they are as in version 1.
    """

    shift: int
    bias_shift: int
    theta: int
    initial_reach: int
    shifts: dict[str, int]
    decay_epochs: tuple[int, ...]
    bias_shifts: dict[str, int] | UnsetType = UNSET
    latent_bits: int | UnsetType = UNSET
    own_latent_bits: dict[str, int] | UnsetType = UNSET


@dataclass(frozen=True)
class EpochPart:
    """The samples of an epoch that are learned, where a training stopped inside it; counts as
    `toreq_hw.sim.learning.Progress` explains them.
    """

    samples: int
    correct: int
    sweeps: int
    unsettled: int
    events: int


@dataclass(frozen=True, kw_only=True)
class TrainingNotes:
    """What a checkpoint remembers beside the trainer. epochs: in all. augment: pixels by which
    images are moved. mirror: whether they are mirrored. history: the epochs so far. part: of the
    next one, None before its first sample.
    """

    epochs: int
    augment: int
    mirror: bool = False
    history: tuple[TrainedEpoch, ...] = ()
    part: EpochPart | None = None


@dataclass(frozen=True, kw_only=True)
class CheckpointNotes(TrainingNotes):
    """The same of `toreq-hw train`, which goes on with it. holdout: training images to measure on,
    None for the test images. started_from: a network's SHA-256.
    """

    data: str
    holdout: int | None
    started_from: str | None = None


@dataclass(frozen=True)
class IntegerTraining:
    """What `toreq-hw train --json` writes. started_from: a network's SHA-256. accuracy: after the
    last epoch, None without any. seconds: of this run of the command.
    """

    data: str
    split: str
    seed: int
    rule: RuleSettings
    epochs: int
    augment: int
    started_from: str | None
    history: tuple[TrainedEpoch, ...]
    accuracy: float | None
    sparsity: float
    seconds: float
    network_sha256: str
    versions: dict[str, str]
    mirror: bool = False
