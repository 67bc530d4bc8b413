"""The report of `make rtl-test` fails for each bin that nothing has hit, and names it."""

import json
from pathlib import Path

import pytest

from testbench.rtl import report, verdict
from testbench.rtl.report import BINS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(verdict, "FOLDER", tmp_path)
    monkeypatch.setattr(verdict, "ROOT", tmp_path)
    return tmp_path


def simulated(folder: Path, name: str, bins: set[str], failure: str | None = None) -> None:
    counts = dict.fromkeys(("images", "phases", "states", "events", "cycles", "synops", "beats"), 7)
    coverage = dict.fromkeys(bins, 1)
    record = {"failure": failure, "simulator": "some", "lanes": 2, "coverage": coverage, **counts}
    path = folder / "runs" / name / "plan.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))


def ending(folder: Path) -> tuple[object, dict[str, object]]:
    with pytest.raises(SystemExit) as ended:
        report.main()
    return ended.value.code, json.loads((folder / "test.json").read_text())


def test_full_coverage_of_several_simulations_passes(folder: Path) -> None:
    simulated(folder, "one", set(BINS[::2]))
    simulated(folder, "two", set(BINS[1::2]))
    status, record = ending(folder)
    assert (status, record["simulations"], record["coverage_missing"]) == (0, 2, [])


@pytest.mark.parametrize("name", BINS)
def test_a_bin_that_nothing_hits_fails(name: str, folder: Path) -> None:
    simulated(folder, "one", set(BINS) - {name})
    status, record = ending(folder)
    assert (status, record["coverage_missing"]) == (1, [name])
    assert f"missing: {name}" in str(record["verdict"])


@pytest.mark.parametrize("name", ["wrong-weight", "mutants-ternary", "netlist", "bus/one"])
def test_simulations_of_harmed_and_wrapped_cores_do_not_count(name: str, folder: Path) -> None:
    simulated(folder, "one", set(BINS[1:]))
    simulated(folder, name, set(BINS))
    assert ending(folder)[0] == 1


def test_a_failed_simulation_fails(folder: Path) -> None:
    simulated(folder, "one", set(BINS), failure="image 0: wrong")
    status, record = ending(folder)
    assert (status, record["failure"]) == (1, "one: image 0: wrong")
    assert record["cycles_predicted_equal_measured"] is False


def test_no_simulation_fails(folder: Path) -> None:
    assert ending(folder)[0] == 1
