"""Cores that learn, from training to page: figures repeated, verdicts that can fail, rows kept."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.command_line import toreq_hw
from testbench.synth.test_report import ROW as BUILT
from toreq_hw import data
from toreq_hw.boards.flow import synthesis as flow
from toreq_hw.errors import BuildError, InputError, ReportError
from toreq_hw.network import WeightFormat
from toreq_hw.reading import read_record, record_from
from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.learning import Asked, Learner, Learning
from toreq_hw.reports.learner_anchors import LEARNERS
from toreq_hw.reports.learning import learning_page, met
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.studies import learning, learning_cases
from toreq_hw.studies.learning import Options, parameters_of, sample_cycles, verdict
from toreq_hw.studies.learning_cases import PUBLISHED, LearningCase
from toreq_hw.studies.study import Place
from toreq_hw.targets import learning_energy
from toreq_hw.targets.link_load import link_load

CYCLES = {
    "samples": 60_000,
    "mean": 7200.0,
    "p50": 6000,
    "p95": 12_000,
    "p99": 14_400,
    "phases": [3000.0, 400.0, 600.0, 3200.0],
    "idle": 0.5,
}

RUN: dict[str, Any] = {
    "seed": 1,
    "split": "60,000 and 10,000",
    "accuracy": 0.976,
    "train_accuracy": 0.99,
    "first": CYCLES,
    "later": {**CYCLES, "mean": 3600.0, "p50": 2400, "p95": 4800, "p99": 21_600, "idle": 0.75},
    "sweeps": 5.0,
    "unsettled": 0,
    "network_sha256": "ab" * 32,
}

ROW: dict[str, Any] = {
    "name": "mnist 80 int8 on icebreaker, 4 lanes, 1 learn",
    "board": "icebreaker",
    "title": "iCEBreaker",
    "data": "mnist",
    "sizes": [784, 80, 10],
    "weights": "int8",
    "latent_bits": 16,
    "lanes": 4,
    "learn_lanes": 1,
    "settings": "20 epochs",
    "clock_hz": 24e6,
    "asked": {"accuracy": 0.975, "first_us": 400.0, "later_us": 200.0, "p99_us": 1000.0},
    "accuracy": {"value": 97.7, "low": 97.6, "high": 97.8},
    "runs": [RUN, {**RUN, "seed": 2, "accuracy": 0.978}],
    "dense_cycles": 72_000.0,
    "link": {"request": 230.0, "answer": 70.0},
    "synthesis": BUILT["synthesis"],
    "not_built": "",
    "energy": BUILT["energy"],
    "outdated": False,
}


def record_of(*rows: dict[str, Any]) -> Learning:
    return record_from({"rows": list(rows), "versions": {"tool": "1"}}, Learning, "x", InputError)


def text_of(folder: Path, *rows: dict[str, Any]) -> str:
    write_markdown(learning_page(record_of(*rows)), folder / "page.md")
    return " ".join((folder / "page.md").read_text().split())


def test_every_figure_of_the_record_is_there(tmp_path: Path) -> None:
    text = text_of(tmp_path, ROW)
    for figures in (
        "784-80-10 int8 | 16 bits | 97.70 ± 0.10 | 97.5 | 97.60, 97.80 | 0 |",
        "| 24.00 | 7,200 | 3,600 | 3,200 | 300.0 | 150.0 | first 400, later 200, p99 1000 |"
        " 100.0 | 200.0 | 900.0 | 600.0 | 75.0 |",
        "| 230 | 70 | 6,667 | 402 | 1,097 | 9.00 | 149 | 54.7 |",
        "| 72,000 | 3,600 | 20.0x | 63,520 | 4 | 1 | 24.00 |",
        "3,210 (61 %) | 1,999 (38 %) | 21 (70 %) | 4 (100 %)",
        "24.00 | yes | 25.50 | 23.50 | 26.25 | 2 of 3 |",
        "## Energy of a training sample (ESTIMATE)",
        "over the first 10 samples of the second epoch, all four phases",
        "efefefefefefefef | abababababababab | yes |",
    ):
        assert figures in text
    for other in LEARNERS:
        assert other.name in text
    assert "1 were built, 1 of 1 keep their clock and reach all that is asked" in text


BREAKS: tuple[dict[str, Any], ...] = (
    {"synthesis": None, "not_built": "too large by 100 cells"},
    {"synthesis": {**BUILT["synthesis"], "met": False}},
    {"accuracy": {"value": 97.4, "low": 97.3, "high": 97.5}},
    {"asked": {**ROW["asked"], "first_us": 299.0}},
    {"asked": {**ROW["asked"], "later_us": 149.0}},
    {"asked": {**ROW["asked"], "p99_us": 899.0}},
    {"runs": [RUN, {**RUN, "unsettled": 1}]},
)


@pytest.mark.parametrize("change", BREAKS)
def test_each_requirement_can_fail(change: dict[str, Any], tmp_path: Path) -> None:
    assert verdict(record_of(ROW)).passed
    assert not verdict(record_of(ROW, {**ROW, **change})).passed
    assert "1 of 2 keep their clock" in text_of(tmp_path, ROW, {**ROW, **change})


def test_what_is_not_asked_cannot_fail() -> None:
    row = record_of({**ROW, "accuracy": BREAKS[2]["accuracy"]}).rows[0]
    assert not met(row)
    assert met(replace(row, asked=Asked()))


def test_what_was_not_built_says_why(tmp_path: Path) -> None:
    text = text_of(tmp_path, {**ROW, **BREAKS[0], "energy": {"absent": "not built"}})
    assert "| too large by 100 cells |" in text
    assert "| 150.0 |" in text
    assert "0 were built" in text
    assert "## What could not be built" in text
    assert "## Not built" not in text
    assert f"{ROW['name']}: too large by 100 cells." in text


def test_an_outdated_build_is_said_so(tmp_path: Path) -> None:
    assert "| no |" in text_of(tmp_path, {**ROW, "outdated": True})


def test_cycles_are_summed_up() -> None:
    cycles = np.array([[100, 10, 10, 1], [100, 20, 20, 60], [200, 10, 10, 1], [100, 10, 10, 1]])
    found = sample_cycles(cycles)
    assert (found.samples, found.mean, found.idle) == (4, 165.75, 0.75)
    assert (found.p50, found.p95, found.p99) == (200, 221, 221)
    assert found.phases == (125.0, 12.5, 12.5, 15.75)


TINY = LearningCase(
    data="digits",
    hidden=6,
    weights=WeightFormat.INT8,
    board="icebreaker",
    lanes=2,
    learn_lanes=1,
    clock_mhz=24,
    epochs=2,
    settings=(("augment", 1),),
)


def test_bytes_of_the_link_are_those_of_its_frames() -> None:
    """An image of 8 x 8 without a zero goes out dense: 64 values behind a header of 6."""
    dataset = data.load("digits")
    full = np.full_like(dataset.train.images[:3], int(dataset.pixel_max))
    train = replace(dataset.train, images=full, labels=dataset.train.labels[:3])
    found = link_load(parameters_of(TINY), replace(dataset, train=train), 0)
    assert 2 + 4 + 6 + 64 + 2 <= found.request <= 2 + 4 + 6 + 64 + 2 + 3
    assert found.answer == 2 + 4 + 1 + (13 + 9 + 9 + 3) + 2


def test_a_digit_takes_fewer_bytes_than_it_has_pixels() -> None:
    found = link_load(parameters_of(TINY), data.load("digits"), 0)
    assert 2 + 4 + 6 + 30 + 2 < found.request < 2 + 4 + 6 + 64 + 2


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[flow.Request]:
    """No tool runs: builds have the record of another, and are kept in a list."""
    asked: list[flow.Request] = []

    def synthesise(request: flow.Request, *_: object) -> SynthesisRecord:
        asked.append(request)
        design = flow.prepare(request).design
        content = {**deepcopy(BUILT["synthesis"]), "design": design}
        return record_from(content, SynthesisRecord, "x", InputError)

    monkeypatch.setattr(flow, "synthesise", synthesise)
    return asked


def test_a_learner_from_training_to_energy(tmp_path: Path, built: list[flow.Request]) -> None:
    (row,) = learning.run(Options((TINY,), seeds=2, place_seeds=3), Place(tmp_path)).rows
    assert [run.seed for run in row.runs] == [1, 2]
    assert len({run.network_sha256 for run in row.runs}) == 2
    assert row.runs[0].first.samples == row.runs[0].later.samples == 1438
    assert row.runs[0].later.mean < row.runs[0].first.mean < row.dense_cycles
    assert row.accuracy.value == pytest.approx(50 * sum(run.accuracy for run in row.runs))
    activity = row.energy.activity
    assert row.energy.label == "ESTIMATE"
    assert activity.images == learning_energy.SAMPLES  # type: ignore[union-attr]
    assert activity.cycles > row.runs[0].later.phases[0]  # type: ignore[union-attr]
    (request,) = built
    assert request.seeds == (1, 2, 3)
    assert request.learning is not None
    assert request.learning.latent_bits == {"input-hidden": 16, "hidden-output": 16}
    learning_page(Learning((row,), {}))


@pytest.mark.usefixtures("built")
def test_a_core_that_answers_otherwise_has_no_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_energy, "_classes", lambda *_: [0] * learning_energy.SAMPLES)
    with pytest.raises(ReportError, match="classes of the core whose toggles are counted must be"):
        learning.run(Options((TINY,), seeds=1), Place(tmp_path))


def test_a_core_that_does_not_fit_stays_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> SynthesisRecord:
        raise BuildError("too large by 100 cells")

    monkeypatch.setattr(flow, "synthesise", fails)
    record = learning.run(Options((TINY,), seeds=1), Place(tmp_path))
    (row,) = record.rows
    assert (row.synthesis, row.not_built) == (None, "too large by 100 cells")
    assert row.runs[0].later.mean > 0
    assert not verdict(record).passed


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case.name)
def test_published_cases_are_cores(case: LearningCase) -> None:
    assert parameters_of(case).learning is not None
    assert case.rule.latent_bits == case.latent_bits
    assert case.network.input.size == {"digits": 64}.get(case.data, 784)
    if case.data == "digits":
        assert data.load(case.data).pixels == case.network.input.size


OTHER = replace(TINY, hidden=7)


def learn(folder: Path, *arguments: str) -> int:
    """Exit status of `toreq-hw learning` on two tiny learners."""
    where = ("--work", folder / "work", "--out", folder / "out", "--seeds", "1")
    return toreq_hw("learning", *where, *arguments).status


def test_rows_that_are_not_run_now_are_kept(
    tmp_path: Path, built: list[flow.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_cases, "PUBLISHED", (TINY, OTHER))
    monkeypatch.setattr(learning, "PUBLISHED", (TINY, OTHER))
    path = tmp_path / "out" / "learning.json"
    assert learn(tmp_path) == 0
    assert len(built) == 2
    before = read_record(path, Learning, InputError)
    assert learn(tmp_path, "--only", OTHER.name) == 0
    assert len(built) == 3
    assert read_record(path, Learning, InputError).rows == before.rows
    content = json.loads(path.read_text())
    content["rows"][0]["synthesis"]["design"] = "00" * 10
    path.write_text(json.dumps(content))
    assert learn(tmp_path, "--only", OTHER.name) == 0
    rows: tuple[Learner, ...] = read_record(path, Learning, InputError).rows
    assert [row.outdated for row in rows] == [True, False]
    monkeypatch.setattr(learning_cases, "PUBLISHED", (replace(TINY, epochs=3), OTHER))
    assert learn(tmp_path, "--only", OTHER.name) == 0
    assert [row.name for row in read_record(path, Learning, InputError).rows] == [OTHER.name]


def test_nothing_is_built_where_that_is_asked_for(
    tmp_path: Path, built: list[flow.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_cases, "PUBLISHED", (TINY,))
    assert learn(tmp_path, "--no-build") == 1
    assert not built
    assert "left out with --no-build" in (tmp_path / "out" / "learning.md").read_text()


def test_only_must_name_a_learner(tmp_path: Path) -> None:
    done = toreq_hw("learning", "--only", "nothing", "--out", tmp_path)
    assert done.status == 2
    assert "--only must be part of one of mnist 80 int8 on icebreaker" in done.error
