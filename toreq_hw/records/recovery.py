"""Learning on after damage, and learning under damage."""

from dataclasses import dataclass

from toreq_hw.records.intervals import Interval


@dataclass(frozen=True)
class Recovery:
    """accuracy[0] is that right after the damage, accuracy[e] after e epochs of learning on."""

    damage: str
    level: float
    undamaged: float
    accuracy: tuple[float, ...]


@dataclass(frozen=True)
class Hardening:
    """Accuracy of the plain and the hardened network without damage and under each of `tests`,
    over `trials` draws of each, on `images` test images.
    """

    damage: str
    level: float
    period: int
    trials: int
    images: int
    confidence: float
    tests: tuple[tuple[str, float], ...]
    plain: tuple[Interval, ...]
    hardened: tuple[Interval, ...]


@dataclass(frozen=True)
class Asymmetry:
    """Test accuracy of networks trained from scratch under asymmetric updates, one a level."""

    levels: tuple[float, ...]
    accuracy: tuple[float, ...]
    epochs: int


@dataclass(frozen=True)
class Relearning:
    """Everything on learning and damage of one data set; None where it was not run."""

    recovery: tuple[Recovery, ...]
    hardening: Hardening | None
    asymmetry: Asymmetry | None


@dataclass(frozen=True)
class Relearned(Recovery):
    """What `toreq-hw relearn --json` writes. latents_from: a checkpoint or a network file.
    asymmetry: fraction by which steps up are weaker than steps down.
    """

    data: str
    split: str
    latents_from: str
    asymmetry: float
    seed: int
    network_sha256: str
    versions: dict[str, str]
