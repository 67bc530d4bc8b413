"""Campaigns: what each level of damage did to a network, and whether the controls held."""

from dataclasses import dataclass

from toreq_hw.records.intervals import Interval

Setting = bool | int | float | str | None
"""A setting of a layer of damage."""


@dataclass(frozen=True)
class LevelSummary:
    """One level over its trials; fractions 0..1.

    accuracy, twin_accuracy: Student's interval over trials. exact, agreement: Wilson's over all
    images where the layer acts on each image for itself, Student's over trials otherwise.
    """

    level: float
    trials: int
    images: int
    accuracy: Interval
    twin_accuracy: Interval | None
    exact: Interval
    agreement: Interval
    distance: float
    mean_sweeps: float
    sweeps: tuple[int, ...]
    unsettled: int
    events: float


@dataclass(frozen=True)
class Controls:
    """zero_is_exact: level 0 changed no state of any image. ruin_accuracy: accuracy after full
    damage (None: the layer has none); ruin_is_chance: it cannot be told from guessing. passed:
    both controls held.
    """

    zero_is_exact: bool
    ruin_level: float | None
    ruin_accuracy: float | None
    ruin_is_chance: bool | None
    passed: bool


@dataclass(frozen=True)
class Campaign:
    """One layer at many levels. options: of the layer. per_image: each image is its own case.
    on_settled: settled states are damaged, so that returning to them can be counted. samples:
    test images a trial. margin: half-width asked for, 0..1. asked_levels: without the controls.
    """

    layer: str
    options: dict[str, Setting]
    unit: str
    quiescence: str
    per_image: bool
    on_settled: bool
    data: str
    samples: int
    seed: int
    max_sweeps: int
    confidence: float
    margin: float
    asked_levels: tuple[float, ...]
    levels: tuple[LevelSummary, ...]
    controls: Controls
    network_sha256: str
    twin_sha256: str | None
    versions: dict[str, str]
