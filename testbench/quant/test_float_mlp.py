"""Float MLPs of other tools become networks; what is none is refused by tensor or node."""

import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from testbench.command_line import status_of
from toreq_hw import network as network_file
from toreq_hw.errors import InputError
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.float_model import FloatModel, relax_float
from toreq_hw.quant.mlp import Mlp, equilibrium_model


@pytest.fixture
def files(torch_mlp: torch.nn.Module, tmp_path: Path) -> dict[str, Path]:
    found = {"state_dict": tmp_path / "model.safetensors", "onnx": tmp_path / "model.onnx"}
    save_file(torch_mlp.state_dict(), found["state_dict"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own exporter
        torch.onnx.export(torch_mlp, (torch.rand(1, 64),), str(found["onnx"]), dynamo=False)
    return found


@pytest.mark.parametrize("form", ["state_dict", "onnx"])
def test_what_is_read_computes_what_torch_computes(
    form: str, files: dict[str, Path], torch_mlp: torch.nn.Module
) -> None:
    mlp = load_float(files[form])
    assert isinstance(mlp, Mlp)
    inputs = np.random.default_rng(0).random((20, 64))
    expected = torch_mlp(torch.from_numpy(inputs).float()).detach().numpy()
    np.testing.assert_allclose(mlp.activations(inputs)[-1], expected, rtol=1e-4, atol=1e-4)


def test_scaling_moves_no_class_of_what_is_fed_forward(files: dict[str, Path]) -> None:
    """Where nothing is clipped; feedback, which the MLP does not know, left out."""
    mlp = load_float(files["state_dict"])
    assert isinstance(mlp, Mlp)
    inputs = np.random.default_rng(1).random((50, 64))
    scaled = equilibrium_model(mlp, inputs)
    fed = np.maximum(inputs @ scaled.weights[0] + scaled.biases[0], 0)
    outputs = fed @ scaled.weights[1] + scaled.biases[1]
    assert np.array_equal(outputs.argmax(axis=1), mlp.activations(inputs)[-1].argmax(axis=1))
    assert np.mean(fed > 1) < 0.002
    states, _ = relax_float(scaled.weights, scaled.biases, inputs)
    assert all(part.min() >= 0 and part.max() <= 1 for part in states)


@pytest.mark.parametrize("form", ["state_dict", "onnx"])
def test_a_float_mlp_is_quantised(form: str, files: dict[str, Path], tmp_path: Path) -> None:
    out, record = tmp_path / "net.safetensors", tmp_path / "net.json"
    assert status_of("quantize", files[form], "--out", out, "--json", record) == 0
    found = json.loads(record.read_text())
    assert found["accuracy_fed_forward"] > 0.9
    assert found["accuracy_float"] > 0.8, "joined both ways"
    assert found["accuracy"] > found["accuracy_float"] - 0.03
    assert found["network_sha256"] == network_file.load(out).sha256


@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_are_not_opened(
    zipped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return (Path.touch, (tmp_path / "exploded",))  # type: ignore[return-value]

    file = tmp_path / "model.safetensors"
    if zipped:
        torch.save({"0.weight": torch.ones(3, 4), "bomb": Bomb()}, file)
    else:
        file.write_bytes(pickle.dumps(Bomb()))
    assert status_of("quantize", file, "--out", tmp_path / "net.safetensors") == 2
    error = capsys.readouterr().err
    assert "found a pickle" in error
    assert "safetensors.torch.save_file" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "exploded").exists()


def test_sums_beyond_float64_are_one_line() -> None:
    huge = Mlp((np.full((2, 2), 1e38),) * 9, (np.zeros(2),) * 9)
    with pytest.raises(InputError, match="sums of layer 9 must stay finite"):
        huge.activations(np.ones((1, 2)))
    for wrong in (1e200, np.nan, np.inf, 3.5e38):
        with pytest.raises(InputError, match="weights of layer 1: must be"):
            Mlp((np.full((2, 2), wrong),), (np.zeros(2),))
        with pytest.raises(InputError, match="biases of layer 1: must be"):
            FloatModel(("input", "output"), (np.ones((2, 2)),), (np.full(2, wrong),))
        with pytest.raises(InputError, match=r"weights of layer 1: must be"):
            relax_float([np.full((2, 2), wrong)], [np.zeros(2)], np.ones((1, 2)))
    for wrong, said in (
        (np.full((1, 2), np.nan), "be finite"),
        (np.full((1, 2), np.inf), "be finite"),
        (np.ones((1, 3)), r"have shape \(batch, 2\)"),
        (np.ones(2), r"have shape \(batch, 2\)"),
        (np.ones((1, 2), bool), "be real numbers"),
        (np.array([["1", "2"]]), "be real numbers"),
    ):
        with pytest.raises(InputError, match=f"inputs: must {said}"):
            Mlp((np.ones((2, 2)),), (np.zeros(2),)).activations(wrong)
    with pytest.raises(InputError, match="inputs: must be finite"):
        relax_float([np.ones((2, 2))], [np.zeros(2)], np.full((1, 2), np.nan))
