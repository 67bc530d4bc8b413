"""`toreq-hw train --engine torch`: its options, the network and record that it writes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from testbench.command_line import status_of
from toreq_hw import network as network_file
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat
from toreq_hw.quant.options import Rule, TrainingOptions, default_fraction_bits, populations

SHORT = TrainingOptions(hidden=(48,), epochs=6, batch_size=16)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hidden": ()}, "hidden"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"ternary_threshold": 1.0}, "ternary_threshold"),
        ({"spectral_limit": 0.0}, "spectral_limit"),
        ({"rule": Rule.BACKPROP, "update_noise": -0.1}, "update_noise must be at least 0"),
        ({"update_noise": 0.1}, "update_noise must be 0 with rule eqprop"),
        ({"fraction_bits": (1,)}, "fraction_bits must be 2 numbers"),
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TrainingOptions(**wrong)


def test_default_fraction_bits_follow_the_ranges() -> None:
    wide = populations(TrainingOptions(hidden=(512,)), 784, 10)
    narrow = populations(TrainingOptions(hidden=(512,), state_bits=4), 784, 10)
    assert default_fraction_bits(WeightFormat.TERNARY, wide) == (5, 4)
    assert default_fraction_bits(WeightFormat.INT8, wide) == (7, 7)
    assert default_fraction_bits(WeightFormat.INT8, narrow) == (11, 7)


def run(*arguments: str) -> int:
    return status_of("train", "--engine", "torch", *arguments)


def test_the_command_writes_network_and_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, record = tmp_path / "net.safetensors", tmp_path / "net.json"
    shape = ("--weights", "int8", "--state-bits", "4", "--hidden", "32", "--epochs", "2")
    limit = ("--spectral-limit", "0.6")
    assert run(*shape, *limit, "--out", str(out), "--json", str(record)) == 0
    found = json.loads(record.read_text())
    network = network_file.load(out)
    assert found["network_sha256"] == network.sha256
    assert found["simulator_differs_on"] == 0
    assert network.population("hidden").state_bits == 4
    norms = found["spectral_norms"]["input-hidden"]
    weight = network.couplings[0].parameters / 2.0 ** network.couplings[0].fraction_bits
    measured = np.linalg.norm(weight * 255 / 15, ord=2)
    assert norms["after"] == pytest.approx(measured, rel=1e-6)
    assert norms["after"] < 0.65 < norms["before"]
    assert f"{norms['before']:.2f} before, {norms['after']:.2f} after" in capsys.readouterr().out
    assert found["versions"]["torch"] == torch.__version__


CONVOLUTIONS = """
input = "8x8x1"
layers = ["conv 4 3x3 stride 2", "conv 6 2x2", "dense 10"]
feedback_shifts = [0, 1, {last}]
{readout}
"""

CLAMPED = 'readout = {kind = "clamped", temperature = [1, 4], normalisation = "softmax"}'


@pytest.mark.parametrize("rule", ["eqprop", "backprop"])
@pytest.mark.parametrize(("readout", "last"), [("", 1), (CLAMPED, -2)])
def test_a_described_network_is_trained(rule: str, readout: str, last: int, tmp_path: Path) -> None:
    words, out, record = (tmp_path / n for n in ("conv.toml", "net.safetensors", "net.json"))
    words.write_text(CONVOLUTIONS.format(readout=readout, last=last))
    files = ("--network", str(words), "--out", str(out), "--json", str(record))
    assert run("--rule", rule, "--epochs", "1", "--samples", "50", *files) == 0
    found, network = json.loads(record.read_text()), network_file.load(out)
    assert found["network_sha256"] == network.sha256
    assert found["simulator_differs_on"] == (0 if rule == "eqprop" else None)
    assert [c.kind for c in network.couplings] == ["convolution", "convolution", "dense"]
    assert (network.readout is not None) == bool(readout)
    assert any(np.any(c.parameters) for c in network.couplings)


def test_a_float_model_holds_no_convolution(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, out = tmp_path / "conv.toml", tmp_path / "net.safetensors"
    words.write_text(CONVOLUTIONS.format(readout="", last=1))
    floats = ("--float-out", str(tmp_path / "float.safetensors"))
    assert run("--network", str(words), *floats, "--out", str(out)) == 2
    error = capsys.readouterr().err
    assert "found 'input-hidden1' of kind convolution" in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--theta", "100"),
        ("--signed",),
        ("--device", "abacus"),
        ("--device", "cuda:7"),
        ("--engine", "torch", "--device", "meta"),
        ("--engine", "torch", "--device", "privateuseone"),
        ("--weights", "int4"),
        ("--data", "cats"),
        ("--fraction-bits", "1,2,3"),
        ("--hidden", "0"),
    ],
)
def test_bad_usage_is_status_2_and_nothing_is_written(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.safetensors"
    assert run(*arguments, "--out", str(out)) == 2
    assert not out.exists()
    assert "Traceback" not in capsys.readouterr().err
