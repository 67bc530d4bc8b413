"""`toreq-hw inject`: its record and page, its list, and what it refuses."""

import json
from pathlib import Path

import pytest

from testbench.command_line import status_of
from toreq_hw import network
from toreq_hw.network import WeightFormat, layered
from toreq_hw.sim import perturbation as p


def test_the_command_writes_its_record_and_page(trained: Path, tmp_path: Path) -> None:
    arguments = ["inject", str(trained), "--layer", "dead_neurons", "--levels", "0:0.6:3"]
    arguments += ["--samples", "60", "--trials", "2", "--jobs", "1", "--store", str(tmp_path)]
    out, record_path = tmp_path / "out", tmp_path / "r.json"
    status = status_of(*arguments, "--out", str(out), "--json", str(record_path))
    assert status == 0
    record = json.loads(record_path.read_text())
    assert [level["level"] for level in record["levels"]] == [0.0, 0.3, 0.6, 1.0]
    assert record["network_sha256"] == network.load(trained).sha256
    assert record["controls"]["passed"] is True
    page = (out / "index.html").read_text()
    assert "feed-forward" in page
    assert "<svg" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--layer", "rust"], "layer must be one of"),
        (["--levels", "2"], "level of dead_neurons must be in 0..1"),
        (["--levels", "a:b"], "must be first:last:count"),
        (["--levels", "0.1:0.5:1"], "count must be in 2..1000, found '1'"),
        (["--trials", "some"], "--trials must be auto or a whole number"),
        (["--confidence", "1"], "--confidence must be a number in 0..1 without 0 and 1"),
        (["--margin", "0"], "--margin must be a number in 0..100 without 0 and 100"),
        (["--samples", "999"], "--samples must be at most 359"),
        (["--set", "value"], "--set must be NAME=VALUE"),
        (["--set", "place=moon"], "place of dead_neurons must be one of"),
        (["--set", "moon=1"], "settings of dead_neurons must be"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    trained: Path, capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    arguments = {"--layer": "dead_neurons", "--levels": "0.1"}
    arguments |= dict(zip(change[::2], change[1::2], strict=True))
    flat = [part for pair in arguments.items() for part in pair]
    assert status_of("inject", str(trained), "--no-twin", *flat) == 2
    error = capsys.readouterr().err
    assert message in " ".join(error.replace("│", " ").split())


def test_layers_are_listed_without_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("inject", "--list-layers") == 0
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in p.KINDS)


def test_a_baseline_file_of_another_shape_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(trained.read_bytes())
    other = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    network.save(other, tmp_path / "net.digits-twin.safetensors")
    assert status_of("inject", str(path), "--layer", "dead_neurons", "--levels", "0.1") == 2
    assert "must have the shape of" in capsys.readouterr().err
