"""`toreq-hw cosine` on one network, and the study `gradients` over trainings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbench.command_line import toreq_hw
from toreq_hw import data, network, sim
from toreq_hw.errors import InputError
from toreq_hw.network import ClampedReadout, WeightFormat
from toreq_hw.records.gradients import Gradients
from toreq_hw.reports.gradients import best_setting, gradients_page
from toreq_hw.sim.gradient_cosine import alignment
from toreq_hw.studies import gradients
from toreq_hw.studies.gradients import QUICK, Options, run, verdict
from toreq_hw.studies.study import Place, find

CASE = replace(
    QUICK[0],
    layers=("dense 12", "dense 12", "dense 10"),
    fraction_bits=(7, 7, 6),
    feedback_shifts=(0, 0, 0),
)
SMALL = Options(
    cases=(CASE,),
    shifts=(0, 2),
    drives=(0,),
    beta_shifts=(0, 1),
    samples=40,
    points=(0, 1, 2),
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Gradients:
    return run(SMALL, Place(tmp_path_factory.mktemp("work")))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "net.safetensors"
    words = ("--hidden", 16, "--weights", "int8", "--readout", "clamped", "--epochs", 2)
    assert toreq_hw("train", *words, "--out", path).status == 0
    return path


def test_the_command_prints_and_records(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = toreq_hw(*("cosine", trained, "--samples", 60, "--beta-shifts", "0,3", "--json", out))
    assert done.status == 0, done.error
    found = json.loads(out.read_text())
    digits, net = data.load("digits"), network.load(trained)
    inputs = data.encode(digits.train.images[:60], digits.pixel_max, net.input)
    wanted = alignment(net, inputs, digits.train.labels[:60], (0, 3))
    assert [c["cosine"] for c in found["cosines"]] == [c.cosine for c in wanted.cosines]
    assert found["cosines"][0]["cosine"] > 0.9
    assert found["compared"] == 60
    for one in wanted.cosines:
        assert f"{one.cosine:.3f}" in done.output
    assert toreq_hw("info", out).output.count("toreq-hw cosine") == 1


@pytest.mark.parametrize(
    ("words", "must"),
    [
        (("--samples", 1439), "--samples must be at most 1438, the training images of digits"),
        (("--samples", 0), "--samples must be a whole number in 1..10000"),
        (("--beta-shifts", "16"), "must be 1 to 16 whole numbers in 0..15"),
        (("--data", "reversal-8"), "--data must be one of digits"),
    ],
)
def test_bad_options_are_one_line(
    trained: Path, tmp_path: Path, words: tuple[object, ...], must: str
) -> None:
    out = tmp_path / "out.json"
    done = toreq_hw("cosine", trained, *words, "--json", out)
    assert done.status == 2
    assert must in done.error
    assert not out.exists()


def test_feedback_of_its_own_has_no_gradient(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    words = ("--feedback", "fixed", "--hidden", 8, "--epochs", 1)
    assert toreq_hw("train", *words, "--out", path).status == 0
    done = toreq_hw("cosine", path)
    assert done.status == 2
    assert "feedback must be symmetric for a gradient" in done.error


def test_a_snapshot_is_what_a_training_came_to(record: Gradients) -> None:
    (case,) = record.gradient_cases
    assert [(r.feedback_shift, r.drive) for r in case.runs] == [(0, 0), (2, 0)]
    for one in case.runs:
        assert [s.epoch for s in one.snapshots] == [0, 1, 2]
        first, *_, last = one.snapshots
        assert first.accuracy is None
        assert (last.accuracy or 0) > 0.5
        assert last.loss < first.loss
        assert len(last.cosines) == 3 * 2
    assert case.runs[0].snapshots[1] != case.runs[1].snapshots[1]


def test_the_study_goes_on_with_its_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = replace(SMALL, shifts=(0,), points=(0,), samples=10)
    first = run(options, Place(tmp_path))
    monkeypatch.setattr(gradients, "_train", _no_training)
    assert run(options, Place(tmp_path)).gradient_cases == first.gradient_cases
    (path,) = tmp_path.glob("*.jsonl")
    assert "gradients" in toreq_hw("info", path).output
    with pytest.raises(InputError, match="trained anew"):
        run(replace(options, samples=11), Place(tmp_path))


def _no_training(*_: object) -> None:
    raise InputError("trained anew")


def test_the_verdict_can_fail(record: Gradients) -> None:
    (case,) = record.gradient_cases
    best = best_setting(case)
    assert verdict(record).passed == (best.least >= gradients.LEAST)
    worse = replace(
        case,
        runs=tuple(
            replace(one, snapshots=tuple(map(_without_cosines, one.snapshots))) for one in case.runs
        ),
    )
    failed = verdict(replace(record, gradient_cases=(worse,)))
    assert not failed.passed
    assert "0.00" in failed.sentence


def _without_cosines(snapshot):
    return replace(snapshot, cosines=tuple(replace(one, cosine=None) for one in snapshot.cosines))


def test_the_page_has_a_row_a_setting_and_coupling(record: Gradients) -> None:
    settings, details = gradients_page(record).sections
    assert settings.table is not None
    assert details.table is not None
    assert len(settings.table.rows) == 2 * 2
    assert len(details.table.rows) == 2 * 3 * 2
    assert details.table.header[-3:] == ("epoch 0", "epoch 1", "epoch 2")
    first = record.gradient_cases[0].runs[0].snapshots[1].cosines[0]
    assert details.table.rows[0][5].startswith(f"{first.cosine:.2f} (")


def test_it_is_a_study_of_its_own() -> None:
    assert find()["gradients"].usage == "toreq-hw study gradients"
    assert "--beta-shifts" in toreq_hw("cosine", "--help").output
    net = network.layered((64, 8, 10), WeightFormat.INT8, (7, 7), readout=ClampedReadout((1, 8)))
    assert sim.free_phase(net, [[0] * 64]).unsettled == 0
