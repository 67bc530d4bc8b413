"""What torch and Brevitas write with their defaults, in their versions of today, is read."""

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from toreq_hw.network import Network
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.mlp import Mlp
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.records.exchange import Carried

Exported = dict[str, tuple[Network, tuple[Carried, ...]]]


def quietly(write: Callable[[], Any]) -> Any:
    """The exporters warn of their own parts, also when they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return write()


def export_model(model: nn.Module, folder: Path, sizes: tuple[int, ...] = (16,)) -> Exported:
    """Both of Brevitas' exports with their defaults, read; `model` has seen values before."""
    export = quietly(lambda: importlib.import_module("brevitas.export"))
    found = {}
    for name, write in (("qonnx", export.export_qonnx), ("qcdq", export.export_onnx_qcdq)):
        file = folder / f"{name}.onnx"
        quietly(lambda: write(model, torch.rand(1, *sizes), export_path=str(file)))  # noqa: B023
        found[name] = read_onnx(file)
    return found


def calibrated(*layers: nn.Module, sizes: tuple[int, ...] = (16,)) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=0.3)
    model.train()(torch.rand(200, *sizes))
    return model.eval()


def states_of(model: nn.Module, upto: int, inputs: torch.Tensor) -> npt.NDArray[np.int64]:
    """The integers of Brevitas' own quantiser number `upto` for real inputs."""
    with torch.no_grad():
        return quietly(lambda: model[: upto + 1](inputs).int().numpy().astype(np.int64))


def fed_forward(network: Network, index: int, states: npt.NDArray[np.int64]) -> Any:
    coupling = network.couplings[index]
    post = network.population(coupling.post)
    bits = network.accumulator_fraction_bits(post.name)
    total = (states @ coupling.parameters.astype(np.int64)) << (bits - coupling.fraction_bits)
    total = (total + network.biases[post.name] + ((1 << bits) >> 1)) >> bits
    return np.clip(total, post.state_min, post.state_max)


@pytest.mark.parametrize("kind", ["batch norm, relu, int8", "relu, batch norm, uint8"])
def test_brevitas_exports_with_their_defaults(kind: str, tmp_path: Path) -> None:
    import brevitas.nn as qnn
    from brevitas.quant import Int8ActPerTensorFloat, Uint8ActPerTensorFloat

    if kind.startswith("relu"):
        between: list[nn.Module] = [nn.ReLU(), nn.BatchNorm1d(12)]
        states = Uint8ActPerTensorFloat
    else:
        between = [nn.BatchNorm1d(12), nn.ReLU()]
        states = Int8ActPerTensorFloat
    model = calibrated(
        nn.Flatten(),
        qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, return_quant_tensor=True),
        qnn.QuantLinear(16, 12, bias=True),
        *between,
        qnn.QuantIdentity(act_quant=states, return_quant_tensor=True),
        qnn.QuantLinear(12, 10, bias=True, weight_bit_width=4),
        qnn.QuantIdentity(return_quant_tensor=True),
        sizes=(4, 4),
    )
    found = export_model(model, tmp_path, (4, 4))
    (network, carried), (other, _) = found["qonnx"], found["qcdq"]
    assert network.sha256 == other.sha256
    bits = [(p.size, p.state_bits, p.signed) for p in network.populations]
    hidden = 8 if kind.startswith("relu") else 7
    assert bits == [(16, 8, False), (12, hidden, False), (10, 8, True)]
    assert not any(c.exact for c in carried), "its scales are no powers of two"
    assert all(c.sqnr_db is not None and c.sqnr_db > 35 for c in carried)
    assert all(c.largest <= 2 for c in carried)
    inputs = torch.rand(100, 4, 4)
    before, after, last = (states_of(model, k, inputs) for k in (1, 5, 7))
    assert np.abs(fed_forward(network, 0, before) - after).max() <= 2
    assert np.abs(fed_forward(network, 1, after) - np.maximum(last, -127)).max() <= 2


def test_brevitas_relu_quantisers_of_4_bits(tmp_path: Path) -> None:
    import brevitas.nn as qnn
    from brevitas.quant import Int8WeightPerChannelFloat

    model = calibrated(
        qnn.QuantIdentity(),
        qnn.QuantLinear(16, 12, bias=False, weight_quant=Int8WeightPerChannelFloat),
        qnn.QuantReLU(bit_width=4),
        qnn.QuantLinear(12, 10, bias=True),
    )
    found = export_model(model, tmp_path)
    assert found["qonnx"][0].sha256 == found["qcdq"][0].sha256
    bits = [(p.size, p.state_bits, p.signed) for p in found["qonnx"][0].populations]
    assert bits == [(16, 8, True), (12, 4, False), (10, 4, False)]


class Viewed(nn.Module):
    """A classifier as many are written: with view, dropout, and a softmax at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.norm = nn.Linear(64, 24), nn.BatchNorm1d(24)
        self.drop, self.output = nn.Dropout(), nn.Linear(24, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = torch.relu(self.norm(self.hidden(images.view(images.size(0), -1))))
        return torch.log_softmax(self.sums(found), dim=1)

    def sums(self, found: torch.Tensor) -> torch.Tensor:
        return self.output(self.drop(found))


@pytest.mark.parametrize("batch", ["one", "open"])
def test_torch_export_with_its_defaults(batch: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Viewed()
    model.train()(torch.rand(50, 1, 8, 8))
    model.eval()
    file = tmp_path / "model.onnx"
    more: dict[str, Any] = {}
    if batch == "open":
        more["dynamic_shapes"] = [{0: torch.export.Dim("batch")}]
    example = torch.rand(1 if batch == "one" else 2, 1, 8, 8)
    quietly(lambda: torch.onnx.export(model, (example,), str(file), **more))
    assert file.with_suffix(".onnx.data").exists(), "its default is to write weights beside"
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    images = torch.rand(20, 1, 8, 8)
    with torch.no_grad():
        expected = model.sums(torch.relu(model.norm(model.hidden(images.view(20, -1)))))
    found = mlp.activations(images.reshape(20, -1).numpy().astype(np.float64))[-1]
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)
