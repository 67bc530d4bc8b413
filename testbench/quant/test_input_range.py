"""The range of the inputs that a float MLP was trained on: folded into it, told, or refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from testbench.command_line import status_of
from toreq_hw import data
from toreq_hw import network as network_file
from toreq_hw.errors import InputError
from toreq_hw.quant.float_model import save_float
from toreq_hw.quant.input_range import InputRange
from toreq_hw.quant.mlp import equilibrium_model, from_state_dict


def trained_on(
    model: torch.nn.Module, scale: float, mean: float, std: float
) -> dict[str, torch.Tensor]:
    """The same model as if it had been trained on (scale p - mean) / std."""
    state = {name: tensor.double().clone() for name, tensor in model.state_dict().items()}
    first = state["0.weight"]
    state["0.bias"] += (first * (mean / scale)).sum(dim=1)
    state["0.weight"] = first * (std / scale)
    return state


RANGES = {
    "pixels as they are": (16.0, 0.0, 1.0),
    "torchvision's": (1.0, 0.1307, 0.3081),
    "from -1 to 1": (1.0, 0.5, 0.5),
    "all at once": (255.0, 33.0, 79.0),
}


@pytest.mark.parametrize("name", RANGES)
def test_an_input_range_is_folded_exactly(name: str, torch_mlp: torch.nn.Module) -> None:
    scale, mean, std = RANGES[name]
    tensors = {n: t.numpy() for n, t in trained_on(torch_mlp, scale, mean, std).items()}
    inputs = np.random.default_rng(0).random((20, 64))
    mlp = from_state_dict(tensors)
    expected = mlp.activations((scale * inputs - mean) / std)[-1]
    folded = InputRange(scale, mean, std).fold(mlp)
    np.testing.assert_allclose(folded.activations(inputs)[-1], expected, rtol=1e-9, atol=1e-9)
    per_pixel = InputRange(np.full(64, scale), np.full(64, mean), np.full(64, std)).fold(mlp)
    np.testing.assert_allclose(per_pixel.weights[0], folded.weights[0], rtol=1e-12)
    np.testing.assert_allclose(per_pixel.biases[0], folded.biases[0], rtol=1e-9, atol=1e-9)


def test_a_model_of_another_range_is_found_out(
    torch_mlp: torch.nn.Module, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0..16 instead of 0..1: nearly useless, and said so; as it should be once that is told."""
    file, record = tmp_path / "model.safetensors", tmp_path / "net.json"
    save_file(trained_on(torch_mlp, 16.0, 0.0, 1.0), file)
    out = ("--out", tmp_path / "net.safetensors", "--json", record, "--overwrite")
    assert status_of("quantize", file, *out) == 0
    said, found = capsys.readouterr().err, json.loads(record.read_text())
    assert found["accuracy"] < 0.7
    assert said.startswith("warning: the MLP fed forward is right on")
    assert "with --input-scale 16; give the input range" in said
    assert found["warnings"][0] in said
    assert status_of("quantize", file, *out, "--input-scale", "16") == 0
    told = json.loads(record.read_text())
    assert capsys.readouterr().err == "".join(f"warning: {w}\n" for w in told["warnings"])
    assert not any("input range" in warning for warning in told["warnings"])
    assert told["input_range"] == {"scale": 16.0, "mean": 0.0, "std": 1.0}
    assert told["accuracy_fed_forward"] > 0.9
    assert told["accuracy"] > 0.8


def test_an_equilibrium_model_of_another_range_is_quantised_as_told(
    torch_mlp: torch.nn.Module, tmp_path: Path
) -> None:
    """One of pixels over 0..16 gives the network of the one over 0..1 that it was made from."""
    mlp = from_state_dict({n: t.numpy() for n, t in torch_mlp.state_dict().items()})
    plain = equilibrium_model(mlp, data.load("digits").train.images[:100] / 16)
    shrunk = replace(plain, weights=(plain.weights[0] / 16, *plain.weights[1:]))
    made = []
    for name, given, options in (("a", plain, ()), ("b", shrunk, ("--input-scale", "16"))):
        save_float(given, tmp_path / f"{name}.safetensors")
        out = tmp_path / f"{name}.net"
        assert status_of("quantize", tmp_path / f"{name}.safetensors", "--out", out, *options) == 0
        made.append(network_file.load(out).sha256)
    assert made[0] == made[1]


@pytest.mark.parametrize("name", ["scale", "mean"])
@pytest.mark.parametrize("value", [-np.inf, np.inf, np.nan, 1e300, -1e300, "1"])
def test_scale_and_mean_are_finite_numbers(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"input {name}: must be"):
        InputRange(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_scale_is_above_zero(value: float) -> None:
    with pytest.raises(InputError, match="input scale: must be in"):
        InputRange(scale=value)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf, 1e300, [1.0, 2.0], True])
def test_an_input_range_that_is_none_is_refused(value: object, torch_mlp: torch.nn.Module) -> None:
    mlp = from_state_dict({n: t.numpy() for n, t in torch_mlp.state_dict().items()})
    with pytest.raises(InputError, match="input std"):
        InputRange(std=value).fold(mlp)  # type: ignore[arg-type]
