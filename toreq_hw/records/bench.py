"""Accuracy, speed and memory, measured side by side: the record of `make bench`."""

from dataclasses import dataclass

from toreq_hw.records.summary import Summary


@dataclass(frozen=True)
class Trained:
    """What training and relaxing one case gave; seconds of one thread.

    epoch_seconds: median over the epochs after the first, which may compile.
    """

    data: str
    shape: str
    weights: str
    augment: int
    epochs: int
    epoch_seconds: float
    sparsity: float
    summary: Summary
    network_sha256: str


@dataclass(frozen=True)
class Inference:
    """Images per second of one thread, and event / dense, medians over alternating repeats."""

    shape: str
    weights: str
    samples: int
    repeats: int
    event_per_second: float
    dense_per_second: float
    event_over_dense: float
    same_bits: bool


@dataclass(frozen=True)
class Memory:
    """Resident memory gained while learning `samples` samples, after a first run.

    A method that keeps its history would need `history_bytes` for each sample: every state of
    every sweep.
    """

    depth: int
    sweeps_per_phase: float
    samples: int
    gained_bytes: int
    history_bytes: int


@dataclass(frozen=True)
class BenchRow:
    """One finished part of the measurement: a case trained and timed, or a depth's memory."""

    training: Trained | None
    inference: Inference | None
    memory: Memory | None


@dataclass(frozen=True)
class Bench:
    """training, inference: a case each. memory: a depth each."""

    training: tuple[Trained, ...]
    inference: tuple[Inference, ...]
    memory: tuple[Memory, ...]
    seed: int
    versions: dict[str, str]
