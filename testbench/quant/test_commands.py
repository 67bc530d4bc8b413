"""`export` and `import` as a person calls them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from testbench.networks import random_case
from toreq_hw import network as network_file
from toreq_hw.commands import main
from toreq_hw.network import Schedule


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    network_file.save(random_case(11, schedule=Schedule.PARITY).network, path)
    return path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.mark.parametrize("file_format", ["onnx", "qonnx"])
def test_there_and_back(file_format: str, net: Path, tmp_path: Path) -> None:
    record, back = tmp_path / "record.json", tmp_path / "back.safetensors"
    assert run("export", net, "--format", file_format, "--json", record) == 0
    exported = net.with_suffix(f".{file_format}")
    assert json.loads(record.read_text())["file"] == str(exported)
    assert run("import", exported, "--out", back, "--json", record) == 0
    assert back.read_bytes() == net.read_bytes()
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
    assert run("export", net, *arguments) == 2
    assert sorted(p.name for p in net.parent.iterdir()) == [net.name]


def test_a_cut_network_is_not_exported(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net.write_bytes(net.read_bytes()[:50])
    assert run("export", net) == 2
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
    assert run(command, net) == 2
    assert "toreq-hw[quant]" in capsys.readouterr().err


def test_a_missing_torch_names_the_extra(
    net: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "brevitas", None)
    assert run("train", "--engine", "torch", "--out", net.parent / "other.safetensors") == 2
    assert "toreq-hw[quant]" in capsys.readouterr().err


def test_damaged_files_never_crash(
    net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", net) == 0
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
        statuses.append(run("import", damaged))
        if statuses[-1]:
            assert capsys.readouterr().err.count("\n") == 1
    assert set(statuses) <= {0, 2}, "0 where only the producer's name was hit"
    assert statuses.count(2) > 140
