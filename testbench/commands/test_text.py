"""Text: the data reader, counts by hand, and the study `text` on a small text."""

import hashlib
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import toreq_hw
from toreq_hw.data import text as module
from toreq_hw.data.text import Text, load_text
from toreq_hw.errors import DataError, InputError
from toreq_hw.records.intervals import Interval
from toreq_hw.records.text import TextRecord
from toreq_hw.reports.text import text_page
from toreq_hw.sim.baselines.n_grams import bits_per_character
from toreq_hw.studies import text as study
from toreq_hw.studies.study import Place, find
from toreq_hw.studies.text import Case, Options, run, verdict

LINES = b"the cat sat on the mat.\nthe dog sat on the log.\na cat and a dog ran.\n"
SMALL = Text.of_bytes("lines", LINES * 40)
CASE = Case(name="tiny", context=3, hidden=(24,), parts=2)


def by_hand(train: list[int], test: list[int], symbols: int, order: int, most: int) -> float:
    """Witten-Bell by its definition, a character at a time."""

    def share(context: tuple[int, ...], symbol: int) -> float:
        length = len(context)
        followers = Counter(
            train[i + length]
            for i in range(len(train) - length)
            if tuple(train[i : i + length]) == context
        )
        shorter = share(context[1:], symbol) if length else 1 / symbols
        if not followers:
            return shorter
        kinds = len(followers)
        return (followers[symbol] + kinds * shorter) / (followers.total() + kinds)

    places = range(most - 1, len(test))
    bits = [-math.log2(share(tuple(test[i - order + 1 : i]), test[i])) for i in places]
    return sum(bits) / len(bits)


def test_counts_are_those_by_hand() -> None:
    rng = np.random.default_rng(3)
    train, test = rng.integers(0, 4, 120).tolist(), rng.integers(0, 5, 30).tolist()
    train[50:80] = [0, 1, 2] * 10
    found = bits_per_character(train, test, 5, 4)
    for order, bits in enumerate(found, start=1):
        assert bits == pytest.approx(by_hand(train, test, 5, order, 4))


def test_shares_of_all_symbols_add_up_to_one() -> None:
    train = [0, 1, 2, 0, 1, 3, 0, 1, 2]
    total = [2 ** -bits_per_character(train, [0, 1, last], 4, 3)[2] for last in range(4)]
    assert sum(total) == pytest.approx(1)
    assert total[2] > total[3] > total[0]


@pytest.mark.parametrize(
    ("arguments", "must"),
    [
        (([0, 1], [0, 4], 4, 1), "test characters"),
        (([0, 1], [0, 1], 4, 3), "characters must number at least 3"),
        (([0, 1], [0, 1], 4, 9), "orders must be in 1..8"),
        (([0, 1], [0, 1], 300, 8), "and few symbols"),
    ],
)
def test_bad_counts_are_refused(arguments, must: str) -> None:
    with pytest.raises(InputError, match=must):
        bits_per_character(*arguments)


def test_a_text_is_split_by_position() -> None:
    text = Text.of_bytes("x", b"abacabadab" * 10)
    assert text.alphabet == b"abcd"
    assert [len(part) for part in (text.train, text.validation, text.test)] == [90, 5, 5]
    assert text.validation.tolist() == [0, 1, 0, 2, 0]
    assert "the first 90 characters train, the next 5 validate, the last 5 test" in text.split


def test_windows_are_the_characters_before() -> None:
    text = Text.of_bytes("x", b"abacabadab" * 10)
    hot = text.windows(text.train, [3, 4], 3).reshape(2, 3, 4)
    assert hot.argmax(axis=2).tolist() == [[0, 1, 0], [1, 0, 2]]
    assert hot.sum() == 6
    with pytest.raises(InputError, match="places"):
        text.windows(text.train, [2], 3)


def test_the_plays_must_be_there_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "search_folders", lambda _: [tmp_path])
    with pytest.raises(DataError, match=r"must lie as input.txt in one of .*, found none"):
        load_text()
    (tmp_path / "input.txt").write_bytes(LINES)
    with pytest.raises(DataError, match="content must have SHA-256 86c4e6aa"):
        load_text()
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(LINES).hexdigest())
    assert load_text().sha256 == Text.of_bytes("tinyshakespeare", LINES).sha256


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> TextRecord:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "PART", 2000)
        options = Options((CASE,), seeds=2, load=lambda: SMALL)
        return run(options, Place(tmp_path_factory.mktemp("work")))


def test_a_network_learns_a_small_text(record: TextRecord) -> None:
    (case,) = record.networks
    assert [one.order for one in record.ngrams] == [1, 2, 3, 4, 5]
    assert [one.seed for one in case.runs] == [1, 2]
    for one in case.runs:
        assert one.characters == 4000
        assert one.test < record.ngrams[0].test - 1
        assert one.unsettled == 0
        assert 0.5 < one.accuracy <= 1


def test_bits_are_those_of_the_softmax_of_the_sums(record: TextRecord) -> None:
    network = replace(CASE.network(len(SMALL.alphabet)))
    found = study.measured(network, SMALL, SMALL.test, 3)
    assert found.bits == pytest.approx(math.log2(len(SMALL.alphabet)))  # all weights are 0
    assert record.networks[0].synapses == network.synapses


def test_an_order_goes_on_into_the_next_epoch() -> None:
    order = study._order(10, 3, 25)
    assert sorted(order[:10].tolist()) == sorted(order[10:20].tolist()) == list(range(10))
    assert order[:10].tolist() != order[10:20].tolist()
    assert len(order) == 25


def test_the_verdict_can_fail(record: TextRecord) -> None:
    (case,) = record.networks
    bits = record.ngrams[2].test
    for test, passed in (
        (Interval(bits - 0.2, bits - 0.3, bits - 0.1), True),
        (Interval(bits - 0.1, bits - 0.3, bits + 0.1), False),
    ):
        found = verdict(replace(record, networks=(replace(case, test=test),)))
        assert found.passed == passed
        assert ("not below the trigram" in found.sentence) == (not passed)
    unsettled = tuple(replace(one, unsettled=1) for one in case.runs)
    better = replace(case, runs=unsettled, test=Interval(0.1, 0.1, 0.1))
    assert not verdict(replace(record, networks=(better,))).passed


def test_the_page_has_every_model(record: TextRecord) -> None:
    bits, networks = text_page(record).sections
    assert bits.table is not None
    assert networks.table is not None
    assert [row[0] for row in bits.table.rows][-2:] == ["counts, order 5", "tiny"]
    assert len(networks.table.rows) == 1


def test_the_command_needs_the_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "search_folders", lambda _: [tmp_path])
    assert find()["text"].usage == "toreq-hw study text"
    done = toreq_hw("study", "text", "--work", tmp_path / "w", "--out", tmp_path / "o")
    assert done.status == 2
    assert "tinyshakespeare: must lie as input.txt" in done.error
