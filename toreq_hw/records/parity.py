"""Trainings on tensors, and the comparison of two learning rules that is made of them."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training set showed.

    training_accuracy: in the free phases, while the weights move. slowest_sweeps: mean over
    batches of the sweeps that the slowest sample took. seconds: wall-clock; cpu_seconds: of the
    processor, all threads, which a machine busy with other work does not stretch.
    """

    training_accuracy: float
    slowest_sweeps: float
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Settings:
    """Settings of a training, as `toreq_hw.quant.options.TrainingOptions` explains them."""

    hidden: tuple[int, ...]
    weight_format: str
    rule: str
    state_bits: int
    input_bits: int
    fraction_bits: tuple[int, ...] | None
    epochs: int
    batch_size: int
    learning_rate: float
    ternary_threshold: float
    beta_shift: int
    augment: int
    spectral_limit: float | None
    seed: int
    device: str
    mirror: bool = False
    update_noise: float = 0.0


@dataclass(frozen=True)
class SpectralNorm:
    """Largest singular value of a coupling, activations over 0..1, before and after training."""

    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """What was asked for and what came of it.

    history: one entry an epoch; published files leave it out. simulator_differs_on: test images on
    which any state of the simulator's free phase is not the trainer's; None for backpropagation,
    whose forward pass is not a free phase. spectral_norms: by coupling.
    """

    data: str
    split: str
    options: Settings
    history: tuple[Epoch, ...] | UnsetType = UNSET
    accuracy: float
    test_images: int
    simulator_differs_on: int | None
    sparsity: float
    training_seconds: float
    training_cpu_seconds: float
    spectral_norms: dict[str, SpectralNorm]
    network_sha256: str
    seed: int
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork(TrainingRecord):
    """What `toreq-hw train --engine torch --json` writes. started_from: a network's SHA-256."""

    started_from: str | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ParityRun(TrainingRecord):
    """One training of the comparison. code_sha256: of the code that trained it. load_average: of
    the machine meanwhile, None where it is unknown. score, expert_score: means over `episodes`
    where the task is an environment, None elsewhere.
    """

    task: str
    threads: int
    code_sha256: str
    load_average: float | None
    processors: int
    score: float | None
    expert_score: float | None
    episodes: int | UnsetType = UNSET


@dataclass(frozen=True)
class _Probed:
    """What was probed. layers: hidden ones."""

    rule: str
    layers: int


@dataclass(frozen=True)
class StepMemory:
    """Peak memory of one training step. sweeps: None for one forward pass. one_sample_mb: of a
    step on one sample. state_copies: what the batch adds, in copies of all states.
    """

    sweeps: int | None
    peak_mb: float
    one_sample_mb: float
    state_copies: float


@dataclass(frozen=True)
class MemoryProbe(StepMemory, _Probed):
    """What one process found; see `StepMemory`."""


@dataclass(frozen=True)
class Estimate:
    """Mean of some runs, and half the width of its 95 % interval (Student's t); the latter is
    None for a single run, which says nothing about spread.
    """

    mean: float
    half_width: float | None
    runs: int

    def text(self, digits: int = 2) -> str:
        """`mean +- half width`."""
        if self.half_width is None:
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:.{digits}f} ± {self.half_width:.{digits}f}"


@dataclass(frozen=True)
class Row:
    """One task, weight format and rule over its seeds; accuracies and sparsity in per cent.

    seconds, cpu_seconds: of training, wall-clock and of the processor.
    score, expert_score: sum of rewards where the task is an environment.
    """

    task: str
    weights: str
    rule: str
    accuracy: Estimate
    sparsity: Estimate
    seconds: Estimate
    cpu_seconds: Estimate
    score: Estimate | None
    expert_score: float | None
    simulator_differs_on: int | None


@dataclass(frozen=True)
class Parity:
    """rows: runs over their seeds. memory: none where it was not measured."""

    rows: tuple[Row, ...]
    memory: tuple[MemoryProbe, ...]
    runs: tuple[ParityRun, ...]
