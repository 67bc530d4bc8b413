"""The study `depth`: candidates of both sides, the choice by held-out samples, the verdict."""

from dataclasses import replace
from pathlib import Path

import pytest

from testbench.command_line import toreq_hw
from toreq_hw.errors import InputError
from toreq_hw.records.depth import Depth
from toreq_hw.records.intervals import Interval
from toreq_hw.reports.depth import depth_page
from toreq_hw.studies import depth
from toreq_hw.studies.depth import Options, run, verdict
from toreq_hw.studies.depth_cases import DIGITS, EQUAL, PAIRS, Pair
from toreq_hw.studies.study import Place, find

SMALL = replace(
    DIGITS,
    deep=tuple(replace(case, epochs=1) for case in DIGITS.deep[:2]),
    shallow=(replace(DIGITS.shallow[0], epochs=1), replace(DIGITS.shallow[1], epochs=8)),
    choice_seeds=1,
)
"""The first shallow candidate is hardly trained, so the second must be chosen."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Depth:
    return run(Options((SMALL,), seeds=2), Place(tmp_path_factory.mktemp("work")))


def test_the_better_candidate_is_chosen_by_held_out_samples(record: Depth) -> None:
    (pair,) = record.pairs
    assert [case.name for case in pair.cases if case.chosen][1] == SMALL.shallow[1].name
    for case in pair.cases:
        (tried,) = [r for r in pair.runs if r.case == case.name and "validation" in r.split]
        assert case.held_out == 100 * tried.accuracy
    deep = [r for r in pair.runs if "validation" not in r.split and "skips" in r.case]
    shallow = [r for r in pair.runs if "validation" not in r.split and "skips" not in r.case]
    assert [r.seed for r in deep] == [r.seed for r in shallow] == [1, 2]
    gained = [100 * (a.accuracy - b.accuracy) for a, b in zip(deep, shallow, strict=True)]
    assert pair.difference.value == pytest.approx(sum(gained) / 2)
    assert pair.deep.value == pytest.approx(50 * sum(r.accuracy for r in deep))


def test_the_verdict_says_shown_or_shown_not(record: Depth) -> None:
    (pair,) = record.pairs
    for difference, said in (
        (Interval(0.4, 0.1, 0.7), "shown, deep less shallow +0.40 ± 0.30"),
        (Interval(0.4, -0.1, 0.9), "shown not, deep less shallow +0.40 ± 0.50"),
        (Interval(-0.4, -0.7, -0.1), "shown not, deep less shallow -0.40 ± 0.30"),
    ):
        other = replace(record, pairs=(replace(pair, difference=difference),))
        found = verdict(other)
        assert found.passed == ("shown," in said)
        assert said in found.sentence
        assert said.split(",")[0] == ("shown" if found.passed else "shown not")


def test_the_page_has_every_candidate(record: Depth) -> None:
    tests, candidates = depth_page(record).sections
    assert tests.table is not None
    assert candidates.table is not None
    assert [row[0].removesuffix(" *") for row in candidates.table.rows] == [
        case.name for case in (*SMALL.deep, *SMALL.shallow)
    ]
    assert sum(row[0].endswith(" *") for row in candidates.table.rows) == 2
    assert "skip 0 to 2" in candidates.table.rows[0][-1]
    assert tests.table.rows[0][4] == "2"


def test_it_goes_on_with_its_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = replace(SMALL, deep=SMALL.deep[:1], shallow=SMALL.shallow[:1])
    first = run(Options((quick,), seeds=1), Place(tmp_path))
    monkeypatch.setattr(depth, "_train", _no_training)
    assert run(Options((quick,), seeds=1), Place(tmp_path)) == first
    with pytest.raises(InputError, match="trained anew"):
        run(Options((quick,), seeds=2), Place(tmp_path))
    (path,) = tmp_path.glob("*.jsonl")
    assert "study: depth" in toreq_hw("info", path).output


def _no_training(*_: object) -> None:
    raise InputError("trained anew")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_both_sides_have_as_many_synapses_and_candidates_that_differ(pair: Pair) -> None:
    deep = [case.network() for case in pair.deep]
    shallow = [case.network() for case in pair.shallow]
    most = max(network.synapses for network in deep)
    for network in shallow:
        assert most <= network.synapses <= EQUAL * most
        assert len(network.relaxing) == 2
    for case, network in zip(pair.deep, deep, strict=True):
        assert len(case.layers) >= 5
        assert len(network.relaxing) == len(case.layers)
        assert len(case.layer_shifts) == len(network.couplings)
    rules = [
        (case.network().describe(), case.rule(case.network()))
        for case in (*pair.deep, *pair.shallow)
    ]
    assert all(one not in rules[:place] for place, one in enumerate(rules))
    names = [case.name for case in (*pair.deep, *pair.shallow)]
    assert len(set(names)) == len(names)


def test_it_is_a_study() -> None:
    assert find()["depth"].usage == "toreq-hw study depth"
