"""Track 14: does attention learn tasks on sequences? Takes in `structured`, and has controls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from toreq_hw import data
from toreq_hw.records.structured import Structured
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.screen import NO_SCREEN
from toreq_hw.studies.sequence_cases import SEQUENCES
from toreq_hw.studies.structured import by_integers
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import figure, of, row, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

ACCURACY = "whole sequences right, %"

DATA = "reversal-8"
ATTENTION, DENSE = "attention, EqProp", "dense net, EqProp"

REVERSAL = "reversal-8 attention ternary"
PUBLISHED = {REVERSAL: 99.9, "sums-8 attention int8": 84.0}
"""Per cent, as they were published; copying was to do."""

SLACK = 0.5
"""Points of accuracy below what was published."""

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """The published trainings, and reversal with its controls."""
    rows: list[TrackRow] = []
    for case in published("structured", Structured).cases:
        if "attention" in case.name:
            found = [100 * run.accuracy for run in case.runs if run.learner == "integer"]
            rows.append(row(case.data, case.name, ACCURACY, found))
    cases = [Case(DATA, arm, arm != ATTENTION) for arm in (ATTENTION, DENSE)]
    live = measuring.measure(_train, cases, settings, place)
    return Measured((*rows, *live.rows), live.seconds)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Reversal of eight digits: attention, and a dense net of more synapses."""
    chosen = SEQUENCES[0]
    dataset = data.load(case.data)
    if context.settings.broken == SHUFFLED and not case.control:
        dataset = measuring.in_other_order(dataset, seed)
    if case.arm == DENSE:
        chosen = replace(
            chosen, name=DENSE, layers=("dense 64", "dense 80"), fraction_bits=(4, 4), shift=5
        )
    return {ACCURACY: 100 * by_integers(chosen, dataset, seed, NO_SCREEN).accuracy}


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    live, dense = (the(rows, DATA, arm, ACCURACY) for arm in (ATTENTION, DENSE))
    taken = [one for one in of(rows, ACCURACY, control=False) if one.arm in PUBLISHED]
    said = "; ".join(
        f"{one.arm} {figure(one)} %" for one in of(rows, ACCURACY, control=False) if one != live
    )
    sentence = (
        f"Published record: {said}. Here reversal is right in {figure(live)} % of unseen "
        f"sequences, a dense net in {figure(dense)} %."
    )
    if dense.mean >= live.mean:
        return Judged("refuted", sentence)
    own = replace(live, arm=REVERSAL)
    reached = [one.mean >= PUBLISHED[one.arm] - SLACK for one in (*taken, own)]
    if all(reached):
        return Judged("holds", sentence)
    return Judged("holds within limits" if any(reached) else "refuted", sentence)


TRACK = Track(
    ids=("14",),
    name="attention",
    setup=(
        "Reversal of eight digits with attention and the integer rule, over seeds, on sequences "
        "that training never showed; the published trainings of reversal, copy, recall and sums "
        "are taken in."
    ),
    control="A dense net of EqProp with more synapses, on the same sequences.",
    thresholds=(
        f"Holds: reversal and sums reach what was published (99.9 and 84 %), less {SLACK} points, "
        "here and in the record, and the dense net does not do as well. Within limits: one does. "
        "Else refuted. Characters are judged by the track of text."
    ),
    sources=(
        "Runs here; reports/published/structured.json, made by `toreq-hw structured`. "
        "Uniform attention and backpropagation were not measured."
    ),
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "attention learns labels of other sequences"},
    picture=ACCURACY,
)
