"""`toreq-hw deploy --target BOARD`: the simulated board, and every refusal."""

import json
import os
import stat
from pathlib import Path

import pytest

from testbench.command_line import deploy
from testbench.commands.test_deploy import small_network
from toreq_hw import network, targets
from toreq_hw.boards import registry
from toreq_hw.boards.programming import program
from toreq_hw.errors import DeploymentError
from toreq_hw.targets import board as board_target
from toreq_hw.targets.expected import simulate


@pytest.fixture(scope="module")
def network_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("board") / "network.safetensors"
    network.save(small_network(), path)
    return path


def deploy_to(name: str, path: Path, *more: str) -> int:
    return deploy("--target", name, "--network", str(path), "--samples", "3", *more)


def test_every_board_is_a_target() -> None:
    assert set(registry.names()) < set(targets.names())


def test_the_simulated_icebreaker_agrees_bit_for_bit(network_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert deploy_to("icebreaker", network_path, "--port", "sim", "--json", str(out)) == 0
    record = json.loads(out.read_text())
    assert record["bit_exact"] is True
    assert record["samples"] == 3
    assert record["form"] == "simulated system"
    assert record["retries"] == record["frame_errors"] == record["faults"] == 0
    assert record["loaded_bytes"] > (64 * 16 + 16 * 10) / 4
    assert record["cycles_per_sample"] > 64


def test_a_board_that_computes_otherwise_fails_the_check(
    network_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator is given another network, so that the board is the one that is wrong."""
    other = small_network(seed=1)
    monkeypatch.setattr(
        board_target, "simulate", lambda _, samples, **choice: simulate(other, samples, **choice)
    )
    out = tmp_path / "out.json"
    assert deploy_to("icebreaker", network_path, "--port", "sim", "--json", str(out)) == 1
    first = json.loads(out.read_text())["first_difference"]
    assert first.startswith("free phase, sample 0, tick ")
    assert "(final), population 'hidden', neuron" in first


def test_a_lossy_board_sends_what_the_simulator_sends(
    network_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    lossy = ("--port", "sim", "--threshold", "3", "--json", str(out))
    assert deploy_to("icebreaker", network_path, *lossy) == 0
    record = json.loads(out.read_text())
    assert record["threshold"] == 3
    assert record["bit_exact"] is True
    monkeypatch.setattr(board_target, "simulate", lambda n, samples, **_: simulate(n, samples))
    assert deploy_to("icebreaker", network_path, *lossy) == 1
    assert "free phase" in json.loads(out.read_text())["first_difference"]


def test_bad_input_is_refused(
    network_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = str(tmp_path / "ttyUSB1")
    for more, said in (
        ([], "--port must be given, a serial port"),
        (["--port", absent], "must be present, found: no such port"),
        (["--port", "sim", "--program", "top.bin"], "--program must go with a real port"),
        (["--port", absent, "--program", absent], "must be a bitstream, found no such file"),
    ):
        assert deploy_to("icebreaker", network_path, *more) == 2
        assert said in capsys.readouterr().err


def loader(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a stand-in for openFPGALoader on the path, and nothing else."""
    file = folder / "openFPGALoader"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")


def test_programming_calls_the_loader_with_the_board_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bitstream = tmp_path / "top.bin"
    bitstream.write_bytes(b"bits")
    for name in registry.names():
        loader(tmp_path, f'echo "$@" > {tmp_path}/said', monkeypatch)
        program(registry.get(name), bitstream)
        flag, known_as, path = (tmp_path / "said").read_text().split()
        assert (flag, path) == ("-b", str(bitstream))
        assert (
            known_as.lower().split("_")[0] in name.replace("_", "") or known_as == "ice40_generic"
        )
    loader(tmp_path, "echo no cable >&2; exit 1", monkeypatch)
    with pytest.raises(DeploymentError, match="must program icebreaker, it failed: no cable"):
        program(registry.get("icebreaker"), bitstream)


def test_programming_without_the_loader_says_so(
    network_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bitstream = tmp_path / "top.bin"
    bitstream.write_bytes(b"bits")
    monkeypatch.setenv("PATH", str(tmp_path))
    more = ["--port", str(tmp_path / "ttyUSB1"), "--program", str(bitstream)]
    assert deploy_to("icebreaker", network_path, *more) == 2
    assert "must have openFPGALoader on the path" in capsys.readouterr().err
