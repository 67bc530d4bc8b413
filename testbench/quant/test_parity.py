"""The comparison of the two rules: what it is made of, how it resumes, what it prints."""

import json
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import status_of
from toreq_hw.errors import DataError, InputError
from toreq_hw.quant import cloning, memory
from toreq_hw.quant.options import Rule
from toreq_hw.quant.parity import plan
from toreq_hw.records.parity import MemoryProbe
from toreq_hw.reports.parity import estimate, markdown
from toreq_hw.studies import parity


def run(*arguments: str) -> int:
    return status_of("parity", *arguments)


@pytest.mark.parametrize(("name", "least"), [("cartpole", 500.0), ("acrobot", -100.0)])
def test_experts_solve_their_tasks(name: str, least: float) -> None:
    scores = cloning.play(cloning.task(name), None, episodes=10)
    assert scores.mean() >= least, "500 is all there is; below -100 counts as unsolved"


@pytest.mark.parametrize("name", cloning.TASKS)
def test_demonstrations_are_the_experts_and_always_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloning, "TRAINING_SAMPLES", 600)
    monkeypatch.setattr(cloning, "TEST_SAMPLES", 300)
    task = cloning.task(name)
    first, again = cloning.demonstrations(task), cloning.demonstrations(task)
    assert np.array_equal(first.train.images, again.train.images)
    assert len(first.train) == 600
    assert not np.array_equal(first.train.images[:300], first.test.images)
    assert set(np.unique(first.test.labels)) == set(np.unique(first.train.labels))


def test_the_ramp_code_rises_with_its_variable() -> None:
    task = cloning.task("cartpole")
    steps = np.linspace(-1, 1, 401)[:, None] * np.array(task.high)
    coded = cloning.code(task, steps).reshape(401, 4, -1).astype(int)
    assert (np.diff(coded, axis=0) >= 0).all()
    assert (np.diff(coded.sum(axis=2), axis=0) > 0).all(), "every step of 1/200 is seen"
    assert coded[0].sum() == 0
    assert (coded[-1] == 255).all()


def test_tasks_that_do_not_exist_are_refused() -> None:
    with pytest.raises(DataError, match="cartpole, acrobot"):
        cloning.task("chess")
    with pytest.raises(InputError, match="'chess'"):
        list(plan(["chess"], 1, quick=False))
    assert run("--tasks", "chess") == 2


def test_intervals_are_students() -> None:
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.mean == 3
    assert found.half_width == pytest.approx(2.776 * np.sqrt(2.5 / 5), rel=1e-3)
    assert estimate([2.0]).half_width is None


def test_a_small_campaign_is_reported_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, out = tmp_path / "runs", tmp_path / "out"
    monkeypatch.setattr("toreq_hw.quant.parity.QUICK_EPOCHS", 3)
    arguments = ("--quick", "--runs", str(kept), "--out", str(out))
    assert run(*arguments) == 0
    record = json.loads((out / "parity.json").read_text())
    assert len(record["runs"]) == 8
    assert {row["rule"] for row in record["rows"]} == {"eqprop", "backprop"}
    assert all(row["accuracy"]["mean"] > 80 for row in record["rows"])
    text = (out / "parity.md").read_text()
    assert "| digits | ternary | 2, 2 |" in text
    assert "they differ on 0 samples" in text
    assert "8 runs are of one revision of the training code" in text
    assert not any("history" in run for run in record["runs"])
    timed = next(line for line in text.splitlines() if line.startswith("| digits | int8 | 0"))
    assert all(cell.strip() for cell in timed.split("|")[3:8]), "every clock is filled"
    assert (out / "parity.png").read_bytes().startswith(b"\x89PNG")

    carried_out = []
    carry_out = parity.carry_out
    monkeypatch.setattr(
        parity, "carry_out", lambda r, *rest: carried_out.append(r.name) or carry_out(r, *rest)
    )
    (ledger,) = kept.glob("parity-*.jsonl")
    ledger.write_bytes(ledger.read_bytes()[:-100])
    assert run(*arguments) == 0
    assert carried_out == ["digits-ternary-backprop-2"], "only the run whose line was cut"

    # Other settings under the same names: nothing of hours of work is lost without being asked.
    monkeypatch.setattr("toreq_hw.quant.parity.QUICK_EPOCHS", 1)
    before = {path: path.read_bytes() for path in kept.iterdir()}
    assert run(*arguments) == 2
    assert {path: path.read_bytes() for path in kept.iterdir()} == before
    assert run(*arguments[:1], "--no-training", *arguments[1:]) == 2
    (kept / "digits-int8-eqprop-1.json").write_text("{}")
    assert run(*arguments) == 2, "a run of version 1 of the folder"
    del carried_out[:]
    assert run(*arguments, "--overwrite") == 0
    assert len(carried_out) == 8


def test_a_report_of_no_run_replaces_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "parity.md").write_text("an earlier report")
    arguments = ("--no-training", "--runs", str(tmp_path / "none"), "--out", str(tmp_path))
    assert run(*arguments) == 2
    assert "none: must hold finished runs of these tasks and seeds" in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["an earlier report"]


def test_a_cloned_network_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloning, "TRAINING_SAMPLES", 4000)
    monkeypatch.setattr(cloning, "TEST_SAMPLES", 1000)
    monkeypatch.setattr(parity, "EPISODES", 10)
    monkeypatch.delattr("os.getloadavg")  # as on Windows
    planned = next(r for r in plan(["cartpole"], 1, quick=True))
    record, made = parity.carry_out(planned, threads=1)
    assert made is not None
    assert record.expert_score == 500
    assert record.score is not None
    assert record.score > 300
    assert record.accuracy > 0.9
    text = markdown([record])
    assert "| cartpole | int8 | 1, 0 |" in text
    assert "500.0 |" in text
    assert "its load average was unknown on" in text


def test_a_disagreement_is_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toreq_hw.quant.parity.QUICK_EPOCHS", 1)
    monkeypatch.setattr("toreq_hw.studies.torch_training.differing_images", lambda *_: 3)
    assert run("--quick", "--runs", str(tmp_path), "--out", str(tmp_path)) == 1


def test_memory_grows_with_sweeps_only_where_they_are_kept() -> None:
    few, many = (highest(memory.Probe(Rule.BACKPROP, 2, unrolled=n)) for n in (4, 16))
    assert many.state_copies > 2.5 * few.state_copies
    quick, slow = (highest(memory.Probe(Rule.EQPROP, 2, gain=g)) for g in (0.25, 1.0))
    assert slow.sweeps is not None
    assert quick.sweeps is not None
    assert slow.sweeps > 2 * quick.sweeps
    assert slow.state_copies < quick.state_copies + 0.5
    deep = highest(memory.Probe(Rule.EQPROP, 8, gain=0.25))
    assert 1 < deep.state_copies < quick.state_copies + 0.5


def test_memory_is_not_measured_where_the_system_cannot_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / "absent")
    assert memory.measure_all() == []


def highest(probe: memory.Probe) -> MemoryProbe:
    """Of two measurements: a system that reclaims pages meanwhile makes a peak look smaller."""
    return max((memory.measure(probe) for _ in range(2)), key=lambda found: found.peak_mb)
