"""Track text: does a network predict text that it has not seen? Takes in the record of `text`."""

from collections.abc import Sequence
from math import log

from toreq_hw.records.text import TextRecord
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import figure, of, row
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

BITS, RIGHT = "bits a test character", "likeliest character is right, %"
ORDER = "counts, order {}"

WHOLE = 99.5
"""Per cent: what rounds to the published 100."""

NATS = "nats"


def measure(settings: Settings, _: Place) -> Measured:
    """Networks and n-grams on the same test characters; broken: networks count in nats."""
    record = published("text", TextRecord)
    unit = log(2) if settings.broken == NATS else 1.0
    rows = [
        row(record.data, ORDER.format(one.order), BITS, [one.test], control=True)
        for one in record.ngrams
    ]
    for case in record.networks:
        rows.append(row(record.data, case.name, BITS, [unit * run.test for run in case.runs]))
        rows.append(row(record.data, case.name, RIGHT, [100 * run.accuracy for run in case.runs]))
    return Measured(tuple(rows), 0.0)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    best = min(of(rows, BITS, control=False), key=lambda one: one.mean)
    right = max(one.mean for one in of(rows, RIGHT))
    counts = {one.arm: one.mean for one in of(rows, BITS, control=True)}
    beaten = [arm for arm, bits in counts.items() if best.high < bits]
    least = min(counts, key=lambda arm: counts[arm])
    sentence = (
        f"The best network needs {best.mean:.3f} bits a test character, the best counts "
        f"{counts[least]:.3f}. It is {best.arm}, with {figure(best, 3)} bits, right in "
        f"{right:.1f} %. It beats {'; '.join(beaten) or 'none'}; the best counts are {least}."
    )
    if right >= WHOLE:
        return Judged("holds", sentence)
    if least in beaten:
        return Judged("holds within limits", sentence)
    return Judged("refuted", sentence)


TRACK = Track(
    ids=("text",),
    name="text",
    setup=(
        "Networks learn the next character of tiny Shakespeare from eight before it; bits a "
        "character on the last 5 % of the text, which nothing was chosen by."
    ),
    control="Witten-Bell counts of one to five characters, which know nothing but the text.",
    thresholds=(
        f"Holds: the likeliest character is right in {WHOLE} %, which rounds to the published "
        "100. Within limits: fewer bits than the best of the counts, for sure. Else refuted: "
        "counting does it better."
    ),
    sources="reports/published/text.json, made by `toreq-hw study text`. SST-2 was not measured.",
    measure=measure,
    verdict=verdict,
    broken={NATS: "the networks' figures are in nats beside counts in bits"},
    picture=BITS,
)
