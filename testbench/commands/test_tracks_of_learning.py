"""Tracks on what is learned, and by what: verdicts of rows by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.data import Dataset, Split
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.tracks import bits, continual, feedback, first_images, nudges, transfer
from toreq_hw.studies.tracks.measuring import in_other_order
from toreq_hw.studies.tracks.rows import row
from toreq_hw.studies.tracks.subsets import few_of_each, joined, of_classes

BASE = np.array([95.0, 95.1, 95.2])


def feedback_rows(fixed: float, none: float) -> list[TrackRow]:
    accuracy = {feedback.SYMMETRIC: 0, feedback.FIXED: fixed, feedback.LEARNED: 0}
    accuracy[feedback.NONE] = none
    found = []
    for arm, less in accuracy.items():
        found.append(row("digits", arm, feedback.ACCURACY, list(BASE - less)))
        found.append(row("digits", arm, feedback.SETTLED, [100, 100, 99]))
        found.append(row("digits", arm, feedback.COSINE, [0.3, 0.3, 0.3]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (feedback_rows(0.5, 30), "holds"),
        (feedback_rows(5, 30), "holds within limits"),
        (feedback_rows(30, 30), "refuted"),
        (feedback_rows(0.5, 0.5), "refuted"),
    ],
)
def test_feedback_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert feedback.verdict(rows).outcome == outcome


def test_angles_over_training_are_told_where_they_were_measured() -> None:
    rows = feedback_rows(0.5, 30)
    assert "angle" not in feedback.verdict(rows).sentence
    for arm, last in ((feedback.FIXED, 72), (feedback.LEARNED, 30)):
        for epoch, angle in ((0, 90), (20, last)):
            rows.append(row("digits", arm, feedback.ANGLE.format(epoch), [angle] * 3))
    sentence = feedback.verdict(rows).sentence
    assert sentence.endswith(
        "In training the angle goes from 90 to 72 (fixed random, digits), 90 to 30 (learned, "
        "digits) degrees."
    )


def nudge_rows(best: float, annealed: float) -> list[TrackRow]:
    """best: by how much beta 1/8 is ahead of 1/4. annealed: by how much annealing falls."""
    found = []
    for shift in nudges.SHIFTS:
        ahead = best if shift == 3 else 0.0
        found.append(row("digits", nudges.INTEGER.format(shift), nudges.ACCURACY, BASE + ahead))
    for arm in nudges.ANNEALED:
        found.append(row("digits", arm, nudges.ACCURACY, BASE - annealed))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (nudge_rows(0, 50), "holds"),
        (nudge_rows(0, 0), "holds within limits"),
        (nudge_rows(2, 50), "holds within limits"),
        (nudge_rows(2, 0), "refuted"),
    ],
)
def test_nudges_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert nudges.verdict(rows).outcome == outcome


def bit_rows(ahead: Sequence[float], after: float | None = None) -> list[TrackRow]:
    """ahead: by how much float is, of each seed. after: points that quantising afterwards costs."""
    found = [row("digits", bits.FLOAT, bits.ACCURACY, BASE + np.array(ahead), control=True)]
    for weights in bits.FORMATS:
        for state, latent in [*((s, 16) for s in bits.STATES), *((8, x) for x in bits.LATENTS)]:
            arm = bits.ARM.format(weights, state, latent)
            less = 0 if state == 8 else 3
            found.append(row("digits", arm, bits.ACCURACY, BASE - less))
    if after is not None:
        values = BASE + np.array(ahead) - after
        found.append(row("digits", bits.AFTER, bits.after("INT8", 4), values))
    return [one for number, one in enumerate(found) if one not in found[:number]]


def test_quantising_after_training_is_told() -> None:
    sentence = bits.verdict(bit_rows([0, 0.1, 0.2], after=2)).sentence
    words = "Quantised to INT8 with 4 bits of state after training, float loses 2.00 ± 0.00"
    assert words in sentence
    assert "Quantised" not in bits.verdict(bit_rows([0, 0.1, 0.2])).sentence


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [
        ([0, 0.1, 0.2], "holds"),
        ([-1, 1, 3], "holds within limits"),
        ([3, 3.1, 3.2], "refuted"),
    ],
)
def test_bits_are_judged_either_way(ahead: Sequence[float], outcome: str) -> None:
    judged = bits.verdict(bit_rows(ahead))
    assert judged.outcome == outcome
    assert "INT8 needs 8 bits of state and 10 of latents" in judged.sentence


def test_every_data_set_is_told_and_judged() -> None:
    """One more data set on which float is ahead refutes."""
    far = [replace(one, data="mnist") for one in bit_rows([3, 3.1, 3.2], after=2)]
    judged = bits.verdict([*bit_rows([0, 0.1, 0.2], after=2), *far])
    assert judged.outcome == "refuted"
    assert "loses 3.00 ± 0.00 (digits), 3.00 ± 0.00 (mnist) points" in judged.sentence
    assert "2.00 ± 0.00 (digits), 2.00 ± 0.00 (mnist)." in judged.sentence


def test_float_and_integers_see_as_many_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_images, "MOST", 100)
    some = first_images.first_images("digits")
    whole = data.load("digits")
    assert len(some.train) == 100
    assert len(some.test) == len(whole.test)
    assert some.sha256 != whole.sha256
    monkeypatch.setattr(first_images, "MOST", len(whole.train))
    assert first_images.first_images("digits").sha256 == whole.sha256


def transfer_rows(gain: float, at: float = 0.0, fashion: float | None = None) -> list[TrackRow]:
    """fashion: points by which a start from MNIST is ahead on Fashion-MNIST, if measured."""
    found = []
    for shots in transfer.SHOTS:
        for arm in (transfer.TRANSFER, transfer.SCRATCH, transfer.RANDOM, transfer.FIXED):
            more = gain if arm == transfer.TRANSFER else 0.0
            found.append(row("mnist", arm, transfer.accuracy(shots), BASE + at + more))
        for arm in (transfer.OTHER, transfer.OTHER_SCRATCH) if fashion is not None else ():
            more = fashion if arm == transfer.OTHER and fashion is not None else 0.0
            found.append(row(transfer.FASHION, arm, transfer.accuracy(shots), BASE - 20 + more))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (transfer_rows(2, at=3), "holds"),
        (transfer_rows(2), "holds within limits"),
        (transfer_rows(0), "refuted"),
        (transfer_rows(-2), "refuted"),
        (transfer_rows(2, at=3, fashion=1), "holds"),
        (transfer_rows(2, at=3, fashion=0), "holds within limits"),
        (transfer_rows(-2, fashion=1), "refuted"),
        (transfer_rows(0, fashion=-1), "refuted"),
    ],
)
def test_transfer_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert transfer.verdict(rows).outcome == outcome


def continual_rows(lost: float, replay: float = 0, joint: float = 95) -> list[TrackRow]:
    found = []
    for arm in continual.WAYS:
        forgotten = lost if arm == continual.PLAIN else 5
        own = replay if arm == continual.REPLAY else 0
        end = joint if arm == continual.JOINT else 60
        found += [
            row("digits", arm, continual.FORGOTTEN, [forgotten, forgotten + 0.1]),
            row("digits", arm, continual.CLASS, [end + own, end + own + 0.1]),
            row("digits", arm, continual.TASK, [90, 90]),
        ]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (continual_rows(-1), "holds", "neither"),
        (continual_rows(10), "holds within limits", "neither"),
        (continual_rows(88, replay=10), "refuted", "neither"),
        (continual_rows(88, replay=-10), "refuted", "neither"),
        (continual_rows(0, joint=30), "not testable here", "neither"),
    ],
)
def test_continual_is_judged_either_way(rows: Sequence[TrackRow], outcome: str, side: str) -> None:
    found = continual.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)


@pytest.fixture
def small() -> Dataset:
    images = np.arange(40, dtype=np.uint8).reshape(20, 2)
    labels = np.arange(20, dtype=np.int64) % 5
    part = Split(images, labels)
    return Dataset("small", (1, 2), 255, 5, "made up.", part, part)


def test_parts_of_a_data_set(small: Dataset) -> None:
    some = of_classes(small, (1, 3))
    assert (some.classes, sorted(set(some.train.labels))) == (5, [1, 3])
    numbered = of_classes(small, (3, 1), renumber=True)
    assert numbered.classes == 2
    assert np.array_equal(numbered.train.images, some.train.images)
    assert np.array_equal(numbered.train.labels, np.where(some.train.labels == 3, 0, 1))
    few = few_of_each(some, 2, 1)
    assert np.array_equal(np.bincount(few.train.labels), [0, 2, 0, 2])
    assert len(few.test) == len(some.test)
    both = joined(some, of_classes(small, (0,)))
    assert np.array_equal(np.bincount(both.train.labels), [4, 4, 0, 4])
    mixed = in_other_order(small, 1)
    assert np.array_equal(mixed.train.images, small.train.images)
    assert not np.array_equal(mixed.train.labels, small.train.labels)
    assert np.array_equal(np.bincount(mixed.train.labels), np.bincount(small.train.labels))
