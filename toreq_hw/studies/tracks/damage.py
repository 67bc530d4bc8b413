"""Track 30: what is left after half of a network is damaged? Takes in the record `robustness`."""

from collections.abc import Sequence

from toreq_hw.records.campaign import Campaign, LevelSummary
from toreq_hw.records.robustness import Robustness
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.published import published, row_of
from toreq_hw.studies.tracks.rows import extent, of, row, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

KEPT, OWN, OTHER, FULL = (
    "of the undamaged accuracy, %",
    "accuracy, %",
    "accuracy of the feed-forward net, %",
    "accuracy after full damage, %",
)

LAYERS = ("dead_neurons", "stuck_weights", "missing_synapses", "dead_rows", "dead_columns")
HALF = 0.5

ALL = 99.0
"""Per cent of the undamaged accuracy: what would round to the published 100."""

CHANCE = 25.0
"""Per cent: ten classes at 10, with room for classes that are not evenly hit."""

NO_MASK = "mask off"


def measure(settings: Settings, _: Place) -> Measured:
    """Every kind of damage that takes half of something; broken: its mask has no effect."""
    rows: list[TrackRow] = []
    for data, study in published("robustness", Robustness).data.items():
        if settings.quick and data not in settings.data:
            continue
        for campaign in study.campaigns:
            if campaign.layer in LAYERS and not campaign.options:
                rows += _rows(data, campaign, off=settings.broken == NO_MASK)
    return Measured(tuple(rows), 0.0)


def _rows(data: str, campaign: Campaign, *, off: bool) -> list[TrackRow]:
    whole = _level(campaign, 0.0)
    half = whole if off else _level(campaign, HALF)
    left = whole.accuracy.value if off else campaign.controls.ruin_accuracy
    arm = campaign.layer.replace("_", " ")
    kept = 100 * half.accuracy.value / whole.accuracy.value
    found = [row_of(data, arm, OWN, half.accuracy), row(data, arm, KEPT, [kept])]
    if half.twin_accuracy is not None:
        found.append(row_of(data, arm, OTHER, half.twin_accuracy, control=True))
    if left is not None:
        found.append(row(data, arm, FULL, [100 * left], control=True))
    return found


def _level(campaign: Campaign, level: float) -> LevelSummary:
    return next(one for one in campaign.levels if one.level == level)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    left = max(one.mean for one in of(rows, FULL))
    kept = of(rows, KEPT)
    best, worst = max(kept, key=lambda one: one.mean), min(kept, key=lambda one: one.mean)
    better, less = [_sure(rows, sign) for sign in (1, -1)]
    sentence = (
        f"After damage to half, {extent([one.mean for one in kept], 1)} % of the accuracy is left. "
        f"The least is with {worst.arm} on {worst.data}, the most with {best.arm} on {best.data}. "
        f"The feed-forward net keeps surely less in {better} of {len(kept)} cases and surely more "
        f"in {less}. Full damage leaves {left:.1f} % at most."
    )
    if left > CHANCE:
        return Judged("not testable here", sentence, controlled=False)
    side: Side = "neither"
    if better != less:
        side = "EqProp" if better > less else "backpropagation"
    if worst.mean >= ALL:
        return Judged("holds", sentence, side)
    return Judged("holds within limits" if best.mean >= ALL else "refuted", sentence, side)


def _sure(rows: Sequence[TrackRow], sign: int) -> int:
    """How many cases have intervals apart: 1 where EqProp's lies above, -1 where below."""
    count = 0
    for one in of(rows, OWN):
        other = the(rows, one.data, one.arm, OTHER)
        own, its = one.interval, other.interval
        if own and its:
            count += own.low > its.high if sign == 1 else own.high < its.low
    return count


TRACK = Track(
    ids=("30",),
    name="damage",
    setup=(
        "Half of the neurons, weights, synapses, rows or columns of a trained network, chosen anew "
        "in each of many trials, and its accuracy on test images."
    ),
    control=(
        "A feed-forward net under the same masks, and full damage, which must end at chance: a "
        "mask without effect does not."
    ),
    thresholds=(
        f"Holds: {ALL:g} % of the undamaged accuracy after every kind of half damage, which rounds "
        "to the published 100. Within limits: after one kind. Else refuted. Full damage must leave "
        f"at most {CHANCE:g} % accuracy."
    ),
    sources=(
        "reports/published/robustness.json, made by `toreq-hw robustness --data digits --data "
        "mnist`."
    ),
    measure=measure,
    verdict=verdict,
    broken={NO_MASK: "the masks have no effect, as in the prototype"},
    picture=KEPT,
    better="surely keeps more of its accuracy in more cases of damage",
)
