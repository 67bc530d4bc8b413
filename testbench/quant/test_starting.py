"""Training that goes on from a network: from our own, and from one that Brevitas exported."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from testbench.command_line import status_of
from testbench.networks import random_case, with_random_weights
from toreq_hw import data, sim
from toreq_hw import network as network_file
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.quant.starting import layers_of, parameters_from, weight_format_of
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.training.offline import torch_options

CPU = torch.device("cpu")


def digits_network(kind: WeightFormat, seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    blank = layered((64, 20, 10), kind, (7, 6), state_bits=5)
    drawn = with_random_weights(blank, rng)
    biases = {p.name: rng.integers(-900, 900, p.size, dtype=np.int32) for p in drawn.relaxing}
    return replace(drawn, biases=biases)


@pytest.mark.parametrize("kind", WeightFormat)
def test_latents_of_a_network_stand_for_it(kind: WeightFormat) -> None:
    network = digits_network(kind)
    assert parameters_from(network, 0.6, CPU).network(network.beta_shift).sha256 == network.sha256


@pytest.mark.parametrize("kind", WeightFormat)
def test_integer_latents_of_a_network_stand_for_it(kind: WeightFormat) -> None:
    network = digits_network(kind)
    assert Trainer(network, Rule(), seed=3).network().sha256 != network.sha256
    assert Trainer.from_network(network, Rule(), seed=3).network().sha256 == network.sha256
    loud = replace(network, biases={**network.biases, "output": np.full(10, 1 << 23, np.int32)})
    with pytest.raises(InputError, match="biases to be learned: must be in"):
        Trainer.from_network(loud, Rule(), seed=3)


def test_a_ternary_coupling_among_int8_ones_goes_on_as_int8() -> None:
    network = digits_network(WeightFormat.TERNARY)
    second = replace(network.dense_couplings[1], weight_format=WeightFormat.INT8)
    network = replace(network, couplings=(network.couplings[0], second))
    assert weight_format_of(network) is WeightFormat.INT8
    weights, _ = parameters_from(network, 0.5, CPU).quantise()
    for coupling, weight in zip(network.couplings, weights, strict=True):
        assert np.array_equal(coupling.parameters, weight.numpy())


def test_networks_that_are_no_chain_are_refused() -> None:
    looped = random_case(11, schedule=Schedule.SEQUENTIAL).network
    with pytest.raises(InputError, match="in a chain"):
        layers_of(looped)
    synchronous = replace(digits_network(WeightFormat.INT8), schedule=Schedule.SYNCHRONOUS)
    with pytest.raises(InputError, match="parity schedule, not synchronous"):
        layers_of(synchronous)
    loud = digits_network(WeightFormat.INT8)
    loud = replace(loud, biases={**loud.biases, "output": np.full(10, 1 << 25, np.int32)})
    with pytest.raises(InputError, match=r"at most 2\^24, found 33554432"):
        parameters_from(loud, 0.5, CPU)


def brevitas_mlp() -> torch.nn.Module:
    """Digits, 8-bit weights, 4-bit hidden states; a few steps of training, not a good one."""
    from brevitas import nn
    from brevitas.quant import Int8WeightPerTensorFloat, Uint8ActPerTensorFloat

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        nn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=8),
        nn.QuantLinear(64, 32, bias=True, weight_quant=Int8WeightPerTensorFloat),
        nn.QuantReLU(bit_width=4),
        nn.QuantLinear(32, 10, bias=True, weight_quant=Int8WeightPerTensorFloat),
        nn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=4),
    )
    digits = data.load("digits").train
    images = torch.from_numpy(digits.images / 16).float().reshape(len(digits.images), -1)
    labels = torch.from_numpy(digits.labels)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(40):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("brevitas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's and brevitas' own exporters
        from brevitas.export import export_qonnx

        export_qonnx(brevitas_mlp(), torch.rand(1, 64), str(folder / "mlp.onnx"), dynamo=False)
    assert status_of("import", folder / "mlp.onnx", "--out", folder / "start.safetensors") == 0
    return folder / "start.safetensors"


def accuracy(path: Path) -> float:
    network, test = network_file.load(path), data.load("digits").test
    inputs = data.encode(test.images, 16, network.input)
    return float(np.mean(sim.relax(network, inputs).classes == test.labels))


@pytest.mark.parametrize(
    "engine",
    [
        ("torch", "--batch-size", "16"),
        ("integer", "--shift", "1", "--output-shift", "0", "--bias-shift", "0"),  # 4-bit states
    ],
)
def test_an_imported_mlp_is_trained_on(
    engine: tuple[str, ...], imported: Path, tmp_path: Path
) -> None:
    out, record = tmp_path / "net.safetensors", tmp_path / "net.json"
    files = ("--from", imported, "--epochs", 10, "--out", out, "--json", record)
    assert status_of("train", "--engine", *engine, *files) == 0
    before, after = network_file.load(imported), network_file.load(out)
    found = json.loads(record.read_text())
    assert found["started_from"] == before.sha256
    assert after.populations == before.populations
    assert found["accuracy"] == accuracy(out)
    assert accuracy(out) > max(accuracy(imported) + 0.1, 0.9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hidden", "32"), "--hidden must be left out with --from"),
        (("--state-bits", "4"), "--state-bits must be left out with --from"),
        (("--data", "mnist"), "must have 784 inputs and 10 outputs for mnist, found 64 and 10"),
    ],
)
@pytest.mark.parametrize("engine", ["torch", "integer"])
def test_a_start_of_another_shape_is_refused(
    engine: str,
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = tmp_path / "start.safetensors"
    network_file.save(digits_network(WeightFormat.TERNARY), start)
    tiny = data.load("digits")
    large = data.Split(np.zeros((3, 784), np.uint8), np.arange(3))
    other = replace(tiny, name="mnist", shape=(28, 28), train=large, test=large)
    monkeypatch.setattr(data, "load", lambda name, *_: other if name == "mnist" else tiny)
    out = tmp_path / "net.safetensors"
    assert status_of("train", "--engine", engine, "--from", start, *arguments, "--out", out) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_start_and_a_checkpoint_are_one_too_many(
    imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ("--from", imported, "--resume", tmp_path / "net.checkpoint")
    assert status_of("train", *both, "--out", tmp_path / "net.safetensors") == 2
    assert "--from must be left out with --resume" in capsys.readouterr().err


def test_a_few_samples_make_smaller_batches() -> None:
    assert torch_options({}, 1, None, 100).batch_size == 4
    assert torch_options({}, 1, None, 640).batch_size == 20
    assert torch_options({}, 1, None, 1024).batch_size == 64
    assert torch_options({"batch_size": 64}, 1, None, 100).batch_size == 64
