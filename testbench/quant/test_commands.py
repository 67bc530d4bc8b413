"""`export` and `import` as a person calls them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import status_of
from testbench.networks import random_case, with_random_weights
from toreq_hw import network as network_file
from toreq_hw import sim
from toreq_hw.extras import install_command
from toreq_hw.network import Network, Schedule, WeightFormat


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    network_file.save(random_case(11, schedule=Schedule.PARITY).network, path)
    return path


@pytest.mark.parametrize("file_format", ["onnx", "qonnx"])
def test_there_and_back(file_format: str, net: Path, tmp_path: Path) -> None:
    record, back = tmp_path / "record.json", tmp_path / "back.safetensors"
    assert status_of("export", net, "--format", file_format, "--json", record) == 0
    exported = net.with_suffix(f".{file_format}")
    assert json.loads(record.read_text())["file"] == str(exported)
    assert status_of("import", exported, "--out", back, "--json", record) == 0
    assert network_file.load(back).sha256 == network_file.load(net).sha256
    assert json.loads(record.read_text())["network_sha256"] == network_file.load(net).sha256


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "onnx", "--sweeps", "3"),
        ("--format", "qonnx", "--sweeps", "0"),
        ("--format", "pdf"),
        ("--out", "/dev/null/net.onnx"),
    ],
)
def test_bad_usage_of_export_is_status_2(arguments: tuple[str, ...], net: Path) -> None:
    assert status_of("export", net, *arguments) == 2
    assert sorted(p.name for p in net.parent.iterdir()) == [net.name]


@pytest.fixture
def digits_net(tmp_path: Path) -> Path:
    path = tmp_path / "digits.safetensors"
    blank = network_file.layered((64, 16, 10), WeightFormat.TERNARY, (3, 3))
    rng = np.random.default_rng(0)
    network_file.save(with_random_weights(blank, rng), path)
    return path


def test_an_export_is_verified_on_images(digits_net: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    assert status_of("export", digits_net, "--verify", "300", "--json", record) == 0
    verified = json.loads(record.read_text())["verified"]
    assert verified == {"data": "digits", "images": 300, "differing": 0}


def test_an_export_that_differs_is_status_1(
    digits_net: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = sim.free_phase

    def off_by_one(network: Network, inputs: np.ndarray) -> sim.PhaseResult:
        found = honest(network, inputs)
        found.states["hidden"][7, 3] += 1
        return found

    monkeypatch.setattr(sim, "free_phase", off_by_one)
    assert status_of("export", digits_net, "--verify", "20") == 1
    assert "1 with a differing state" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [("--verify", "360"), ("--verify", "3", "--format", "qonnx"), ("--verify", "0")],
)
def test_what_cannot_be_verified_is_refused(arguments: tuple[str, ...], digits_net: Path) -> None:
    assert status_of("export", digits_net, *arguments) == 2
    assert sorted(p.name for p in digits_net.parent.iterdir()) == [digits_net.name]


def test_a_cut_network_is_not_exported(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net.write_bytes(net.read_bytes()[:50])
    assert status_of("export", net) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", ["export", "import"])
def test_a_missing_onnx_names_the_extra(
    command: str,
    net: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "onnx" or ".quant." in n]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    if command == "import":
        net.write_bytes(b"\x08\x08\x12\x07pytorch")  # begins as an ONNX graph
    assert status_of(command, net, "--out", net.parent / "other") == 2
    assert install_command("quant") in capsys.readouterr().err


def test_a_missing_torch_names_the_extra(
    net: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "brevitas", None)
    assert status_of("train", "--engine", "torch", "--out", net.parent / "other.safetensors") == 2
    assert install_command("quant") in capsys.readouterr().err


def test_damaged_files_never_crash(
    net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of("export", net) == 0
    content = net.with_suffix(".onnx").read_bytes()
    rng = np.random.default_rng(0)
    damaged = tmp_path / "damaged.onnx"
    statuses = []
    for _ in range(150):
        changed = bytearray(content)
        for place in rng.integers(len(content), size=3):
            changed[place] = rng.integers(256)
        damaged.write_bytes(changed)
        capsys.readouterr()
        statuses.append(status_of("import", damaged))
        if statuses[-1]:
            assert capsys.readouterr().err.count("\n") == 1
    assert set(statuses) <= {0, 2}, "0 where only the producer's name was hit"
    assert statuses.count(2) > 140
