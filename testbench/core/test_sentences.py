"""Sentences of SST-2 as the words they hold."""

from pathlib import Path

import numpy as np
import pytest

from toreq_hw.data.sentences import Sentences, bag_of_words, load_sentences
from toreq_hw.errors import DataError

TRAIN = Sentences(("a good film", "a bad bad film", "so good"), np.array([1, 0, 1]))
TEST = Sentences(("bad , unseen words", "good a good"), np.array([0, 1]))


def test_training_chooses_the_words_and_a_pixel_says_which_are_there() -> None:
    """By hand: a, film and good are in two sentences each, bad and so in one."""
    found = bag_of_words(TRAIN, TEST, words=4)
    assert found.train.images.tolist() == [[1, 1, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]]
    assert found.test.images.tolist() == [[0, 0, 0, 1], [1, 0, 1, 0]]
    assert found.test.labels.tolist() == [0, 1]


def test_the_published_sentences_are_whole() -> None:
    try:
        train, test = load_sentences()
    except DataError as error:
        pytest.skip(f"SST-2 IS ABSENT: {error}")
    assert (len(train.texts), len(test.texts)) == (67_349, 872)
    assert (int(train.labels.sum()), int(test.labels.sum())) == (37_569, 444)
    assert train.texts[0] == "hide new secretions from the parental units"


def test_files_that_are_absent_or_others_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOREQ_HW_DATA", str(tmp_path))
    monkeypatch.setattr("toreq_hw.data.sentences.search_folders", lambda name: [tmp_path / name])
    with pytest.raises(DataError, match=r"must lie as train.tsv.gz and dev.tsv.gz"):
        load_sentences()
    (tmp_path / "sst2").mkdir()
    for name in ("train.tsv.gz", "dev.tsv.gz"):
        (tmp_path / "sst2" / name).write_bytes(b"1\tnot compressed")
    with pytest.raises(DataError, match="must be a readable gzip file"):
        load_sentences()
