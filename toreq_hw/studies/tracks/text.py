"""Track text: does a network predict text, and name the sentiment of sentences, not seen before?

Characters are taken in from the record of `text`; sentences are learned here, where they lie.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from math import log

import numpy as np
from scipy.sparse import csr_array

from toreq_hw.data import Dataset
from toreq_hw.data.sentences import WORDS, Sentences, bag_of_words, load_sentences
from toreq_hw.errors import DataError
from toreq_hw.network import WeightFormat
from toreq_hw.records.text import TextRecord
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import figure, of, row
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

BITS, RIGHT = "bits a test character", "likeliest character is right, %"
ORDER = "counts, order {}"

SENTIMENT = "sentiment is right, %"
NETWORK = f"dense 64, {WORDS:,} words, INT8"
LINEAR, BAYES, PAIRS = (
    "logistic regression, the same words",
    "naive Bayes, the same words",
    "naive Bayes, all words and pairs of words",
)

FEW = 2000
"""Training sentences of a quick run."""

WHOLE = 99.5
"""Per cent: what rounds to the published 100."""

NATS = "nats"


def measure(settings: Settings, place: Place) -> Measured:
    """Networks and n-grams on the same test characters, then sentences.

    Broken: networks count in nats.
    """
    record = published("text", TextRecord)
    unit = log(2) if settings.broken == NATS else 1.0
    rows = [
        row(record.data, ORDER.format(one.order), BITS, [one.test], control=True)
        for one in record.ngrams
    ]
    for case in record.networks:
        rows.append(row(record.data, case.name, BITS, [unit * run.test for run in case.runs]))
        rows.append(row(record.data, case.name, RIGHT, [100 * run.accuracy for run in case.runs]))
    try:
        name = sentences(settings.quick)[2].name
    except DataError as error:
        place.screen.say(f"sentences are left out: {error}")
        return Measured(tuple(rows), 0.0)
    cases = [Case(name, arm, arm != NETWORK) for arm in (NETWORK, LINEAR, BAYES, PAIRS)]
    found = measuring.measure(_sentiment, cases, settings, place)
    return Measured((*rows, *found.rows), found.seconds)


@cache
def sentences(quick: bool = False) -> tuple[Sentences, Sentences, Dataset]:
    """Training sentences, test sentences, and both as words. quick: few of training."""
    train, test = load_sentences()
    if quick:
        train = Sentences(train.texts[:FEW], train.labels[:FEW])
    return train, test, bag_of_words(train, test)


def _sentiment(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One model; of models that have no seed every seed is alike."""
    train, test, words = sentences(context.settings.quick)
    if case.arm == NETWORK:
        weights = WeightFormat.INT8
        net = context.trained_on(words, case.data, seed, weights=weights, augment=0)
        tests = Tests(words, net)
        return {SENTIMENT: tests.accuracy(tests.classes)}
    return {SENTIMENT: 100 * _linear(case.arm, train, test, words)}


def _linear(arm: str, train: Sentences, test: Sentences, words: Dataset) -> float:
    """Test accuracy, 0 to 1, of a linear model at scikit-learn's settings."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import MultinomialNB

    if arm == PAIRS:
        counter = CountVectorizer(
            ngram_range=(1, 2), binary=True, token_pattern=r"\S+", lowercase=False
        )
        seen, unseen = counter.fit_transform(train.texts), counter.transform(test.texts)
    else:
        seen, unseen = csr_array(words.train.images), csr_array(words.test.images)
    model = LogisticRegression(max_iter=500) if arm == LINEAR else MultinomialNB()
    named = model.fit(seen, train.labels).predict(unseen)
    return float(np.mean(named == test.labels))


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
        f"{right:.1f} %. It beats {'; '.join(beaten) or 'none'}; the best counts are {least}. "
        f"{_of_sentences(rows)}"
    )
    if right >= WHOLE:
        return Judged("holds", sentence)
    if least in beaten:
        return Judged("holds within limits", sentence)
    return Judged("refuted", sentence)


def _of_sentences(rows: Sequence[TrackRow]) -> str:
    own = of(rows, SENTIMENT, control=False)
    if not own:
        return "Sentiment was not measured here."
    best = max(of(rows, SENTIMENT, control=True), key=lambda one: one.mean)
    return (
        f"The sentiment of {figure(own[0], 1)} % of unseen sentences is right; the best linear "
        f"model, {best.arm}, names {best.mean:.1f} %."
    )


TRACK = Track(
    ids=("text",),
    name="text",
    setup=(
        "Networks learn the next character of tiny Shakespeare from eight before it; bits a "
        "character on the last 5 % of the text, which nothing was chosen by. A network of the "
        "integer rule names the sentiment of SST-2 from which words a sentence holds."
    ),
    control=(
        "Witten-Bell counts of one to five characters; logistic regression and naive Bayes on "
        "words and on pairs of words, at scikit-learn's settings."
    ),
    thresholds=(
        f"Holds: the likeliest character is right in {WHOLE} %, which rounds to the published "
        "100. Within limits: fewer bits than the best of the counts, for sure. Else refuted: "
        "counting does it better. Of sentiment nothing was claimed, and the verdict leaves it out."
    ),
    sources=(
        "reports/published/text.json, made by `toreq-hw study text`; integer rule on SST-2, whose "
        "development sentences are the test."
    ),
    measure=measure,
    verdict=verdict,
    broken={NATS: "the networks' figures are in nats beside counts in bits"},
    picture=BITS,
)
