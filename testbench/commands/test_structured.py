"""`toreq-hw structured`: a small case from training to page, its ledger, its verdict."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbench.command_line import toreq_hw
from toreq_hw.errors import InputError
from toreq_hw.network import ConvolutionCoupling
from toreq_hw.reading import read_record
from toreq_hw.records.structured import Structured, StructuredCase, StructuredRun
from toreq_hw.reports.structured import structured_page
from toreq_hw.studies import structured
from toreq_hw.studies.ledger import Run
from toreq_hw.studies.structured import Options, run, verdict
from toreq_hw.studies.structured_case import Case
from toreq_hw.studies.structured_cases import FULL, QUICK
from toreq_hw.studies.study import Place

SMALL = replace(QUICK[0], epochs=2)


@pytest.fixture
def record(tmp_path: Path) -> Structured:
    return run(Options((SMALL,), seeds=2, baseline=False), Place(tmp_path))


def test_seeds_differ_and_are_kept(
    tmp_path: Path, record: Structured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case,) = record.cases
    assert [one.seed for one in case.runs] == [1, 2]
    assert len({one.network_sha256 for one in case.runs}) == 2
    assert case.integer.low < case.integer.value < case.integer.high
    mean = 50 * sum(one.accuracy for one in case.runs)
    assert case.integer.value == pytest.approx(mean)
    assert min(one.accuracy for one in case.runs) > 0.8
    assert len(case.runs[0].kernels) == 8

    def fail(*_: object) -> StructuredRun:
        raise AssertionError

    monkeypatch.setattr(structured, "_train", fail)
    again = run(Options((SMALL,), seeds=2, baseline=False), Place(tmp_path))
    assert again == record


def test_backpropagation_may_have_fewer_seeds(
    tmp_path: Path, record: Structured, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    (before,) = record.cases

    def made(_case: Case, _data: object, _screen: object, asked: Run) -> StructuredRun:
        return replace(before.runs[0], learner=str(asked["learner"]), seed=int(asked["seed"] or 0))

    monkeypatch.setattr(structured, "_train", made)
    (found,) = run(Options((SMALL,), seeds=3, baseline_seeds=1), Place(tmp_path / "new")).cases
    ran = [(one.learner, one.seed) for one in found.runs]
    assert ran == [("integer", 1), ("integer", 2), ("integer", 3), ("backprop", 1)]
    assert found.backprop is not None
    assert found.backprop.half_width == 0


def test_another_setting_is_another_run(tmp_path: Path, record: Structured) -> None:
    other = replace(SMALL, shift=SMALL.shift + 1)
    found = run(Options((other,), seeds=1, baseline=False), Place(tmp_path))
    hashes = {one.network_sha256 for one in record.cases[0].runs}
    assert found.cases[0].runs[0].network_sha256 not in hashes


def test_the_verdict_can_fail(record: Structured) -> None:
    assert verdict(record).passed
    (case,) = record.cases
    below = replace(record, cases=(replace(case, at_least=1.0),))
    found = verdict(below)
    assert not found.passed
    assert f"below what is asked for: {case.name}" in found.sentence
    restless = replace(case, runs=(replace(case.runs[0], unsettled=3), *case.runs[1:]))
    found = verdict(replace(record, cases=(restless,)))
    assert not found.passed
    assert "3 test images did not settle" in found.sentence


def test_the_page_shows_every_case(record: Structured) -> None:
    page = structured_page(record)
    accuracy, costs, networks = page.sections
    for section in (accuracy, costs, networks):
        assert section.table is not None
        assert [row[0] for row in section.table.rows] == [SMALL.name]
    (picture,) = networks.pictures
    assert "<svg" in picture
    assert "seed 1" in picture


def test_figures_on_copied_images_say_so(record: Structured) -> None:
    (case,) = record.cases
    first, *others = case.runs
    copied = replace(case, runs=(replace(first, split=f"{first.split}, JPEG copy"), *others))
    page = structured_page(replace(record, cases=(copied,)))
    assert page.sections[0].table is not None
    assert page.sections[0].table.rows[0][0] == f"{case.name} (JPEG copy)"
    assert f"{case.name} (JPEG copy) " in page.lead
    assert "JPEG" not in structured_page(record).lead


def test_the_command_writes_record_and_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import toreq_hw.commands.structured as command

    monkeypatch.setattr(command, "QUICK_OPTIONS", Options((SMALL,), seeds=1, baseline=False))
    arguments = ("structured", "--quick", "--work", tmp_path, "--out", tmp_path)
    assert toreq_hw(*arguments).status == 0
    found = read_record(tmp_path / "structured.json", Structured, InputError)
    assert found.cases[0].name == SMALL.name
    assert json.loads((tmp_path / "structured.json").read_text())["cases"][0]["backprop"] is None
    assert (tmp_path / "structured.md").exists()
    assert (tmp_path / "structured.html").exists()


def test_only_trains_some_cases_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import toreq_hw.commands.structured as command

    def with_cases(*cases: Case) -> None:
        options = Options(cases, seeds=1, baseline=False)
        monkeypatch.setattr(command, "QUICK_OPTIONS", options)

    other = replace(QUICK[2], epochs=1)
    arguments = ("structured", "--quick", "--work", tmp_path, "--out", tmp_path)
    with_cases(SMALL, other)
    first = toreq_hw(*arguments, "--only", "sparse")
    assert [case.name for case in _cases(tmp_path)] == [other.name]
    toreq_hw(*arguments, "--only", "convolution")
    assert first.status == 0
    assert [case.name for case in _cases(tmp_path)] == [SMALL.name, other.name]
    with_cases(SMALL, replace(other, shift=other.shift + 1, at_least=0.5))
    toreq_hw(*arguments, "--only", "convolution")
    assert [case.name for case in _cases(tmp_path)] == [SMALL.name]
    refused = toreq_hw(*arguments, "--only", "none")
    assert refused.status == 2
    assert "--only must be part of one of" in refused.error


def test_backpropagation_alone_keeps_the_integer_trainings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    import toreq_hw.commands.structured as command

    def with_case(case: Case) -> None:
        monkeypatch.setattr(command, "QUICK_OPTIONS", Options((case,), seeds=1, baseline=False))

    def made(_case: Case, _data: object, _screen: object, asked: Run) -> StructuredRun:
        assert asked["learner"] == "backprop"
        return replace(before.runs[0], learner="backprop", seed=int(asked["seed"] or 0))

    with_case(SMALL)
    arguments = ("structured", "--quick", "--out", tmp_path, "--work")
    refused = toreq_hw(*arguments, tmp_path / "new", "--baseline-only")
    assert refused.status == 2
    assert f"--baseline-only, not found: {SMALL.name}" in refused.error
    assert toreq_hw(*arguments, tmp_path).status == 0
    (before,) = _cases(tmp_path)
    monkeypatch.setattr(structured, "_train", made)
    alone = (*arguments, tmp_path / "new", "--baseline-only", "--baseline-seeds", 2)
    assert toreq_hw(*alone).status == 0
    (found,) = _cases(tmp_path)
    assert found.integer == before.integer
    assert [(run.learner, run.seed) for run in found.runs] == [
        ("integer", 1),
        ("backprop", 1),
        ("backprop", 2),
    ]
    assert found.runs[:1] == before.runs
    assert toreq_hw(*arguments, tmp_path, "--baseline-only", "--no-baseline").status == 2
    with_case(replace(SMALL, shift=SMALL.shift + 1))
    assert toreq_hw(*alone).status == 2
    assert _cases(tmp_path) == (found,)


def _cases(folder: Path) -> tuple[StructuredCase, ...]:
    return read_record(folder / "structured.json", Structured, InputError).cases


@pytest.mark.parametrize("case", [*FULL, *QUICK], ids=lambda case: case.name)
def test_every_case_makes_a_network_and_a_rule(case: Case) -> None:
    network = case.network()
    rule = case.rule(network)
    assert rule.shift_of(network.couplings[-1].name, 0) in (case.shift, case.output_shift)
    convolutional = any(isinstance(c, ConvolutionCoupling) for c in network.couplings)
    by_positions = [layer.startswith(("conv", "attention")) for layer in case.layers]
    assert convolutional == any(by_positions)
    names = [one.name for one in (*FULL, *QUICK)]
    assert names.count(case.name) == 1
