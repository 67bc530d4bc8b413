"""The command on the neuromorphic targets: records, exit statuses, errors of one line."""

import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from testbench.command_line import deploy
from testbench.networks import random_case
from testbench.source_mutants import ROOT
from toreq_hw import network
from toreq_hw.extras import install_command
from toreq_hw.network import Network, Schedule, WeightFormat


@pytest.fixture
def path(digits_network: Network, tmp_path: Path) -> str:
    file = tmp_path / "network.safetensors"
    network.save(digits_network, file)
    return str(file)


def record_of(tmp_path: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    out = tmp_path / "out.json"
    assert deploy(*arguments, "--json", str(out)) == status
    record = json.loads(out.read_text())
    assert isinstance(record, dict)
    return record


def _processor_s() -> float:
    """Of all children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_default_command_within_a_minute(digits_network: Network, tmp_path: Path) -> None:
    """`python -m toreq_hw.deploy --target loihi`, once the network of `make sim` is there.

    A minute of the processor: a busy machine makes it no slower.
    """
    assert digits_network is not None
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "toreq_hw.deploy", "--target", "loihi", "--json", str(out)]
    begin = _processor_s()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert _processor_s() - begin < 60
    record = json.loads(out.read_text())
    assert record["bit_exact"] is True
    assert record["samples"] == 200
    assert record["violations"] == []
    assert record["versions"]["lava-nc"]


@pytest.mark.parametrize("target", ["loihi", "nengo"])
def test_exact_targets_tell_all_that_is_asked(target: str, path: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    arguments = ["--target", target, "--network", path, "--samples", "6"]
    record = record_of(tmp_path, *arguments, "--report", str(report))
    assert record["bit_exact"] is True
    assert (record["differing_states"], record["differing_ticks"]) == (0, 0)
    assert record["samples"] == 6
    assert 0 <= record["accuracy"] <= 1
    chip = record["mapping"]["chip"]
    assert chip["path"] == "lava_backend/chips/loihi2.toml"
    assert chip["sha256"] == hashlib.sha256((ROOT / chip["path"]).read_bytes()).hexdigest()
    assert record["seed"] == {"loihi": None, "nengo": 0}[target]
    assert "sanafe" not in record["versions"]
    assert record["events_per_sample"] > 0
    assert record["cores_used"] == len(record["mapping"]["cores"]) > 0
    assert record["violations"] == []
    assert record["estimates"]["sources"]["synop_pj"]
    assert any("Nothing ran on silicon" in note for note in record["notes"])
    page = (report / "index.html").read_text()
    drawn = [note for note in record["notes"] if note.startswith(("chip 0 core", "estimated "))]
    assert len(drawn) > 2
    assert not any(str(escape(note)) in page for note in drawn)  # sections of their own show it
    assert record.get("form", "batches of 6") == "batches of 6"
    assert "<svg" in page
    assert "axons in" in page
    sources = record["mapping"]["chip"]["sources"].values()
    assert all(str(escape(source)) in page for source in sources)


def test_a_record_names_the_chip_file_and_the_other_tool(path: str, tmp_path: Path) -> None:
    pytest.importorskip("sanafe")
    chip = tmp_path / "mine.toml"
    chip.write_bytes((ROOT / "lava_backend/chips/loihi2.toml").read_bytes() + b"# mine\n")
    arguments = ["--target", "loihi", "--network", path, "--samples", "2", "--chip", str(chip)]
    record = record_of(tmp_path, *arguments, "--third-party")
    assert record["versions"]["sanafe"] in record["third_party"]["tool"]
    found = record["mapping"]["chip"]
    assert found["path"] == str(chip)
    assert found["sha256"] == hashlib.sha256(chip.read_bytes()).hexdigest()


def test_the_spiking_target_tells_how_near_it_is(path: str, tmp_path: Path) -> None:
    arguments = ["--target", "nengo-loihi", "--network", path, "--samples", "2"]
    record = record_of(tmp_path, *arguments)
    assert record["bit_exact"] is False
    assert record["class_agreement"] == 1.0
    assert 0 < record["mean_state_error"] < 5
    assert record["spikes_per_sample"] > 0
    exact = record_of(tmp_path, *["sim" if word == "nengo-loihi" else word for word in arguments])
    assert record["events_per_sample_of_the_simulator"] == exact["events_per_sample"]
    inputs = exact["phases"]["free"]["input_events"] / exact["samples"]
    assert record["input_events_per_sample_of_the_simulator"] == inputs > 0
    assert any(note.startswith("flagged: coupling strength") for note in record["notes"])


def test_nir_is_written_where_asked(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    record = record_of(tmp_path, "--target", "nir", "--network", path, "--report", str(report))
    assert record["weights_differing_after_reading_back"] == 0
    assert Path(record["file"]) == report / "network.nir"
    assert "does not express" in capsys.readouterr().out


def test_a_chip_without_graded_spikes_is_status_1(path: str, tmp_path: Path) -> None:
    arguments = ["--target", "nengo", "--network", path, "--samples", "2", "--chip", "loihi1"]
    record = record_of(tmp_path, *arguments, status=1)
    assert record["bit_exact"] is True
    assert any("message_bits must be at most 1" in line for line in record["violations"])


@pytest.mark.parametrize("target", ["loihi", "nengo"])
def test_bad_input_is_one_line_and_status_2(
    target: str, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--target", target, "--network", path, "--chip", str(tmp_path / "none.toml")]
    assert deploy(*arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: chip must be loihi1, loihi2 or a readable TOML file")
    assert shown.count("\n") == 1


@pytest.mark.parametrize("target", ["loihi", "nengo"])
def test_a_synchronous_network_is_refused(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    wide = replace(
        network.layered((64, 4, 10), WeightFormat.INT8, (5, 5)), schedule=Schedule.SYNCHRONOUS
    )
    file = tmp_path / "synchronous.safetensors"
    network.save(wide, file)
    assert deploy("--target", target, "--network", str(file)) == 2
    assert f"must be parity or sequential on {target}" in capsys.readouterr().err


def test_a_missing_package_is_one_line_naming_its_command(path: str) -> None:
    """In a Python that cannot find Nengo, the target says how to get it."""
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'nengo' else find(name, *rest)\n"
        "from toreq_hw.commands import main\n"
        f"main(['deploy', '--target', 'nengo', '--network', {path!r}])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: target nengo: must have nengo installed; run: {install_command('nengo')}\n"
    )


def test_random_networks_are_not_what_digits_fit(tmp_path: Path) -> None:
    file = tmp_path / "random.safetensors"
    network.save(random_case(1).network, file)
    assert deploy("--target", "loihi", "--network", str(file)) == 2
