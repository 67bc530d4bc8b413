"""A campaign in figures: what each level did, with intervals, and whether its controls held."""

from collections.abc import Sequence

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.records.campaign import Controls, LevelSummary
from toreq_hw.records.intervals import Interval
from toreq_hw.sim.campaign.planning import Plan, student, wilson
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.trial import Trial


@named_type_errors
def summarise_level(trials: Sequence[Trial], confidence: float, *, per_image: bool) -> LevelSummary:
    """Pools the trials of one level."""
    images = sum(t.samples for t in trials)

    def fraction(name: str) -> Interval:
        if per_image:
            return wilson(sum(getattr(t, name) for t in trials), images, confidence)
        return student([getattr(t, name) / t.samples for t in trials], confidence)

    baselines = [t.twin_accuracy for t in trials if t.twin_accuracy is not None]
    return LevelSummary(
        level=trials[0].level,
        trials=len(trials),
        images=images,
        accuracy=student([t.accuracy for t in trials], confidence),
        twin_accuracy=student(baselines, confidence) if baselines else None,
        exact=fraction("exact"),
        agreement=fraction("agreement"),
        distance=float(np.mean([t.distance for t in trials])),
        mean_sweeps=float(np.mean([t.mean_sweeps for t in trials])),
        sweeps=tuple(np.sum([t.sweeps for t in trials], axis=0).tolist()),
        unsettled=sum(t.unsettled for t in trials),
        events=float(np.mean([t.events for t in trials])),
    )


def check_controls(
    setting: Setting, by_level: dict[float, list[Trial]], plan: Plan, chance: float
) -> Controls:
    """Level 0 must change nothing. Full damage must end at chance: the interval of its accuracy
    must reach down to `chance`, and its mean stay below twice that.

    chance: share of the commonest class, the best that can be had without looking at an image.
    """
    zero = by_level[0.0]
    ruin_accuracy: float | None = None
    ruin_is_chance: bool | None = None
    if setting.full_damage is not None:
        interval = student([t.accuracy for t in by_level[setting.full_damage]], plan.confidence)
        ruin_accuracy = interval.value
        ruin_is_chance = bool(interval.low <= chance + 1e-9 and interval.value < 2 * chance)
    zero_is_exact = all(t.exact == t.samples and t.distance == 0 for t in zero)
    return Controls(
        zero_is_exact=zero_is_exact,
        ruin_level=setting.full_damage,
        ruin_accuracy=ruin_accuracy,
        ruin_is_chance=ruin_is_chance,
        passed=zero_is_exact and ruin_is_chance is not False,
    )
