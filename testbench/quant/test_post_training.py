"""Post-training quantisation: what it costs is measured, and bad models are refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from toreq_hw import data
from toreq_hw import network as network_file
from toreq_hw.commands import main
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError, NetworkFileError
from toreq_hw.network import WeightFormat
from toreq_hw.quant.fit import fit, quantise
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.float_model import FloatModel, from_parameters, save_float
from toreq_hw.quant.mlp import equilibrium_model, from_state_dict
from toreq_hw.quant.options import TrainingOptions
from toreq_hw.quant.post_training import account, quantise_model
from toreq_hw.quant.training import train


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits")


@pytest.fixture(scope="module")
def model(digits: Dataset) -> FloatModel:
    options = TrainingOptions(hidden=(48,), epochs=6, batch_size=16)
    return from_parameters(train(options, digits).parameters)


def test_powers_of_two_fit_exactly() -> None:
    found = fit(np.array([[1.5, -0.25], [0.0, 2.0]]), WeightFormat.INT8)
    assert found.exact
    assert (found.fraction_bits, found.weight.tolist()) == (2, [[6, -1], [0, 8]])


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e37, 3.4e38])
def test_weights_that_are_lost_are_not_called_exact(size: float) -> None:
    """Their squares leave float64 at either end."""
    found = fit(np.full((2, 2), size), WeightFormat.INT8)
    assert not found.exact
    assert found.sqnr_db == pytest.approx(0, abs=1e-9)


def test_what_is_beyond_the_format_is_counted() -> None:
    found = quantise(np.array([[0.5, 1.2, -3.0, 0.1]]), WeightFormat.TERNARY, 0)
    assert found.weight.tolist() == [[0, 1, -1, 0]]
    assert found.clipped_fraction == 0.25
    error = 0.5**2 + 0.2**2 + 2**2 + 0.1**2
    power = 0.5**2 + 1.2**2 + 3**2 + 0.1**2
    assert found.sqnr_db == pytest.approx(10 * np.log10(power / error))


def test_the_account_shows_where_accuracy_goes(model: FloatModel, digits: Dataset) -> None:
    good, fits = quantise_model(model, WeightFormat.INT8, 8, 8)
    report = account(model, good, fits, digits)
    assert report.accuracy_float > 0.9
    assert abs(report.accuracy_weights - report.accuracy_float) < 0.01
    assert all(e.sqnr_db is not None and e.sqnr_db > 30 for e in report.couplings)
    bad, fits = quantise_model(model, WeightFormat.INT8, 8, 8, fraction_bits=(0, 9))
    blamed = account(model, bad, fits, digits)
    assert blamed.couplings[0].accuracy_alone < 0.5, "its weights all round to 0"
    assert blamed.couplings[1].accuracy_alone > 0.9
    assert good.population("hidden").state_bits == 8
    with pytest.raises(InputError, match="fraction bits must be 2 numbers"):
        quantise_model(model, WeightFormat.INT8, 8, 8, fraction_bits=(0,))


def test_the_command_reports_each_coupling(model: FloatModel, tmp_path: Path) -> None:
    save_float(model, tmp_path / "float.safetensors")
    arguments = ["quantize", str(tmp_path / "float.safetensors"), "--state-bits", "6"]
    out = ["--out", str(tmp_path / "net.safetensors"), "--json", str(tmp_path / "net.json")]
    with pytest.raises(SystemExit) as end:
        main([*arguments, *out])
    assert end.value.code == 0
    record = json.loads((tmp_path / "net.json").read_text())
    network = network_file.load(tmp_path / "net.safetensors")
    assert record["network_sha256"] == network.sha256
    assert network.population("output").state_bits == 6
    assert [c["coupling"] for c in record["couplings"]] == ["input-hidden", "hidden-output"]
    assert record["accuracy"] > record["accuracy_float"] - 0.03


def test_a_float_model_comes_back(model: FloatModel, tmp_path: Path) -> None:
    save_float(model, tmp_path / "float.safetensors")
    back = load_float(tmp_path / "float.safetensors")
    assert isinstance(back, FloatModel)
    assert back.names == model.names
    for mine, theirs in zip(back.weights, model.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_a_float_model_made_of_a_state_dict_comes_back(tmp_path: Path) -> None:
    """Torch keeps weights the other way round, so these arrays are views in Fortran order."""
    rng = np.random.default_rng(0)
    mlp = from_state_dict({"0.weight": rng.random((5, 6)), "2.weight": rng.random((3, 5))})
    made = equilibrium_model(mlp, rng.random((50, 6)))
    save_float(made, tmp_path / "float.safetensors")
    back = load_float(tmp_path / "float.safetensors")
    assert isinstance(back, FloatModel)
    for mine, theirs in zip(back.weights, made.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


GOOD = {
    "input-hidden.weight": np.ones((4, 3), dtype=np.float32),
    "hidden-output.weight": np.ones((3, 2), dtype=np.float32),
    "hidden.bias": np.zeros(3, dtype=np.float32),
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden.bias": np.full(3, np.nan, np.float32)}, "'hidden.bias': must be finite"),
        ({"hidden-output.weight": np.ones((4, 2), np.float32)}, r"must have shape \(3, n\)"),
        ({"hidden.bias": np.zeros(4, np.float32)}, r"'hidden.bias': must have shape \(3,\)"),
        ({"input-hidden.weight": np.ones((4, 3), np.int8)}, "must be floats, not int8"),
        ({"noise": np.ones(1, np.float32)}, "'noise': must belong"),
        ({"output-input.weight": np.ones((2, 4), np.float32)}, "one chain"),
        ({"input-output.weight": np.ones((4, 2), np.float32)}, "one chain"),
        ({"input-hidden.weight": np.array(1, np.float32)}, r"must have shape \(m, n\), not \(\)"),
        ({"output-hidden.weight": np.ones((2, 3), np.float32)}, "must not lead back to 'hidden'"),
    ],
)
def test_a_model_that_is_none_is_refused_by_tensor(
    change: dict[str, np.ndarray], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "float.safetensors"
    file.write_bytes(save(GOOD | change))
    with pytest.raises(NetworkFileError, match=said):
        load_float(file)


def test_a_cut_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "float.safetensors"
    content = save(GOOD)
    for length in (0, 7, 100, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(NetworkFileError, match="whole safetensors file"):
            load_float(file)


def test_a_model_of_another_data_set_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "float.safetensors"
    file.write_bytes(save(GOOD))
    with pytest.raises(SystemExit) as end:
        main(["quantize", str(file), "--out", str(tmp_path / "net.safetensors")])
    assert end.value.code == 2
    assert "must have 64 inputs and 10 outputs for digits" in capsys.readouterr().err
