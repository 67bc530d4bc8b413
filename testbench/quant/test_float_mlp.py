"""Float MLPs of other tools become networks; what is none is refused by tensor or node."""

import json
import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

from toreq_hw import data
from toreq_hw import network as network_file
from toreq_hw.commands import main
from toreq_hw.errors import InputError, NetworkFileError
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.float_model import FloatModel, relax_float, save_float
from toreq_hw.quant.input_range import InputRange
from toreq_hw.quant.mlp import Mlp, equilibrium_model, from_state_dict


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    """A float MLP on digits, trained by torch alone."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 10))
    train = data.load("digits").train
    images = torch.from_numpy(train.images / 16).float().reshape(len(train), -1)
    labels = torch.from_numpy(train.labels)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2, weight_decay=1e-4)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    return model.eval()


@pytest.fixture
def files(model: torch.nn.Module, tmp_path: Path) -> dict[str, Path]:
    found = {"state_dict": tmp_path / "model.safetensors", "onnx": tmp_path / "model.onnx"}
    save_file(model.state_dict(), found["state_dict"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own exporter
        torch.onnx.export(model, (torch.rand(1, 64),), str(found["onnx"]), dynamo=False)
    return found


@pytest.mark.parametrize("form", ["state_dict", "onnx"])
def test_what_is_read_computes_what_torch_computes(
    form: str, files: dict[str, Path], model: torch.nn.Module
) -> None:
    mlp = load_float(files[form])
    assert isinstance(mlp, Mlp)
    inputs = np.random.default_rng(0).random((20, 64))
    expected = model(torch.from_numpy(inputs).float()).detach().numpy()
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
    assert run("quantize", files[form], "--out", out, "--json", record) == 0
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
    assert run("quantize", file, "--out", tmp_path / "net.safetensors") == 2
    error = capsys.readouterr().err
    assert "found a pickle" in error
    assert "safetensors.torch.save_file" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "exploded").exists()


def graph(change: Callable[[list[onnx.NodeProto], dict[str, np.ndarray]], None]) -> bytes:
    constants = {
        "w0": np.ones((4, 3), np.float32),
        "b0": np.zeros(3, np.float32),
        "w1": np.ones((2, 3), np.float32),
        "b1": np.zeros(2, np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["product"], "first"),
        helper.make_node("Add", ["product", "b0"], ["sum"], "bias"),
        helper.make_node("Relu", ["sum"], ["hidden"], "relu"),
        helper.make_node("Gemm", ["hidden", "w1", "b1"], ["y"], "second", transB=1),
        helper.make_node("Softmax", ["y"], ["classes"], "softmax"),
    ]
    change(nodes, constants)
    made = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()


def test_matmul_add_and_softmax_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "mlp.onnx"
    file.write_bytes(graph(lambda *_: None))
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    assert [w.shape for w in mlp.weights] == [(4, 3), (3, 2)]


node = helper.make_node
CONSTANTS = {
    "half": np.float32(0.5),
    "halves": np.full((1, 1, 1), 0.5, np.float32),
    "row": np.float32([0.25, -1, 2, 0.5]),
    "ones": np.ones(4, np.float32),
}
FRONTS: dict[str, tuple[list[onnx.NodeProto], Callable[[np.ndarray], np.ndarray]]] = {
    "mean and std": (
        [node("Sub", ["x", "half"], ["a"]), node("Div", ["a", "row"], ["front"])],
        lambda x: (x - 0.5) / CONSTANTS["row"],
    ),
    "scale": ([node("Mul", ["row", "x"], ["front"])], lambda x: x * CONSTANTS["row"]),
    "turned round": ([node("Sub", ["half", "x"], ["front"])], lambda x: 0.5 - x),
    "batch normalisation": (
        [node("BatchNormalization", ["x", "row", "ones", "row", "ones"], ["front"], epsilon=0.0)],
        lambda x: (x - CONSTANTS["row"]) * CONSTANTS["row"] + 1,
    ),
}


def front(nodes: list[onnx.NodeProto], kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """The graph with nodes from `x` to `front` before its first layer, of floats of one kind."""

    def change(mine: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> None:
        rng = np.random.default_rng(0)
        for name, value in constants.items():
            constants[name] = rng.normal(size=value.shape).astype(np.float32)
        constants.update(CONSTANTS)
        mine[0].input[0] = "front"
        mine[:0] = nodes

    found = onnx.load_from_string(graph(change))
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    for tensor in found.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(dtype),
                                                tensor.name))  # fmt: skip
    for end in (*found.graph.input, *found.graph.output):
        end.type.tensor_type.elem_type = kind
    return found


@pytest.mark.parametrize("name", FRONTS)
def test_what_is_done_to_the_inputs_goes_into_the_first_layer(name: str, tmp_path: Path) -> None:
    nodes, function = FRONTS[name]
    file = tmp_path / "mlp.onnx"
    found = front(nodes)
    file.write_bytes(found.SerializeToString())
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    held = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in found.graph.initializer}
    inputs = np.random.default_rng(1).normal(size=(20, 4))
    hidden = np.maximum(function(inputs) @ held["w0"] + held["b0"], 0)
    expected = hidden @ held["w1"].T + held["b1"]
    np.testing.assert_allclose(mlp.activations(inputs)[-1], expected, rtol=1e-5, atol=1e-5)


def test_images_are_normalised_by_one_number(tmp_path: Path) -> None:
    """As torchvision's Normalize is exported: constants of shape (1, 1, 1) over (N, 1, 2, 2)."""
    nodes = [node("Sub", ["x", "halves"], ["a"]), node("Flatten", ["a"], ["front"])]
    found = front(nodes)
    found.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, 2, 2])
    )
    file = tmp_path / "mlp.onnx"
    file.write_bytes(found.SerializeToString())
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    held = {t.name: numpy_helper.to_array(t) for t in found.graph.initializer}
    expected = held["b0"] - 0.5 * held["w0"].sum(axis=0)
    np.testing.assert_allclose(mlp.biases[0], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_constants_that_spread_values_are_refused(kind: int, tmp_path: Path) -> None:
    """(N, 4, 1) and (4,) make (N, 4, 4); graphs of float16 are not run, so reading must see it."""
    nodes = [node("Unsqueeze", ["x", "axes"], ["a"]), node("Add", ["a", "row"], ["b"], "spread")]
    found = front([*nodes, node("Flatten", ["b"], ["front"])], kind)
    found.graph.initializer.append(numpy_helper.from_array(np.int64([2]), "axes"))
    file = tmp_path / "mlp.onnx"
    file.write_bytes(found.SerializeToString())
    with pytest.raises(NetworkFileError, match=r"node 'spread'.* must add one value per neuron"):
        load_float(file)


def _as_bound(operator: str, *inputs: str) -> Callable[[list[onnx.NodeProto], object], None]:
    def change(nodes: list[onnx.NodeProto], constants: object) -> None:
        assert isinstance(constants, dict)
        constants["zero"], constants["zeros"] = np.float32(0), np.float32([0, 1, 0])
        nodes[2] = node(operator, inputs, ["hidden"], "relu")

    return change


@pytest.mark.parametrize("inputs", [("sum", "zero"), ("zero", "sum")])
def test_a_maximum_with_0_is_a_relu(inputs: tuple[str, str], tmp_path: Path) -> None:
    """torch's exporter writes `clamp(min=0)` like this."""
    file = tmp_path / "mlp.onnx"
    file.write_bytes(graph(_as_bound("Max", *inputs)))
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    assert np.array_equal(mlp.activations(-np.ones((1, 4)))[-1], [[0, 0]])


@pytest.mark.parametrize("inputs", [("sum", "zeros"), ("sum", "zero", "zero"), ("sum", "sum")])
def test_another_maximum_is_refused(inputs: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "mlp.onnx"
    file.write_bytes(graph(_as_bound("Max", *inputs)))
    with pytest.raises(NetworkFileError, match="node 'relu'"):
        load_float(file)


def _operator(index: int, operator: str) -> Callable[[list[onnx.NodeProto], object], None]:
    return lambda nodes, _: setattr(nodes[index], "op_type", operator)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_operator(2, "Sigmoid"), "'relu' (Sigmoid): is not something a network can carry"),
        (_operator(2, "Identity"), "'second' (Gemm): must follow a Relu"),
        (
            lambda _, c: c.update(w0=np.full((4, 3), np.nan, np.float32)),
            "'first' (MatMul): must have finite weights",
        ),
        (
            lambda _, c: c.update(w1=np.ones((2, 5), np.float32)),
            "'second' (Gemm): must have weights for 3 values, found 5",
        ),
        (
            lambda _, c: c.update(b1=np.ones(7, np.float32)),
            "'second' (Gemm): must add one value per neuron",
        ),
        (lambda n, _: n[3].input.__setitem__(0, "x"), "'second' (Gemm): must take the chain's"),
        (
            lambda n, _: n.append(helper.make_node("Relu", ["classes"], ["z"], "late")),
            "'late' (Relu): must not follow a Softmax",
        ),
    ],
)
def test_a_graph_that_is_no_mlp_is_refused_by_node(
    change: Callable[[list[onnx.NodeProto], dict[str, np.ndarray]], None], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "mlp.onnx"
    file.write_bytes(graph(change))
    with pytest.raises(NetworkFileError) as error:
        load_float(file)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


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
def test_an_input_range_is_folded_exactly(name: str, model: torch.nn.Module) -> None:
    scale, mean, std = RANGES[name]
    tensors = {n: t.numpy() for n, t in trained_on(model, scale, mean, std).items()}
    inputs = np.random.default_rng(0).random((20, 64))
    mlp = from_state_dict(tensors)
    expected = mlp.activations((scale * inputs - mean) / std)[-1]
    folded = InputRange(scale, mean, std).fold(mlp)
    np.testing.assert_allclose(folded.activations(inputs)[-1], expected, rtol=1e-9, atol=1e-9)
    per_pixel = InputRange(np.full(64, scale), np.full(64, mean), np.full(64, std)).fold(mlp)
    np.testing.assert_allclose(per_pixel.weights[0], folded.weights[0], rtol=1e-12)
    np.testing.assert_allclose(per_pixel.biases[0], folded.biases[0], rtol=1e-9, atol=1e-9)


def test_a_model_of_another_range_is_found_out(
    model: torch.nn.Module, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0..16 instead of 0..1: nearly useless, and said so; as it should be once that is told."""
    file, record = tmp_path / "model.safetensors", tmp_path / "net.json"
    save_file(trained_on(model, 16.0, 0.0, 1.0), file)
    out = ("--out", tmp_path / "net.safetensors", "--json", record, "--overwrite")
    assert run("quantize", file, *out) == 0
    said, found = capsys.readouterr().err, json.loads(record.read_text())
    assert found["accuracy"] < 0.7
    assert said.startswith("warning: the MLP fed forward is right on")
    assert "with --input-scale 16; give the input range" in said
    assert found["warnings"][0] in said
    assert run("quantize", file, *out, "--input-scale", "16") == 0
    told = json.loads(record.read_text())
    assert capsys.readouterr().err == "".join(f"warning: {w}\n" for w in told["warnings"])
    assert not any("input range" in warning for warning in told["warnings"])
    assert told["input_range"] == {"scale": 16.0, "mean": 0.0, "std": 1.0}
    assert told["accuracy_fed_forward"] > 0.9
    assert told["accuracy"] > 0.8


def test_an_equilibrium_model_of_another_range_is_quantised_as_told(
    model: torch.nn.Module, tmp_path: Path
) -> None:
    """One of pixels over 0..16 gives the network of the one over 0..1 that it was made from."""
    mlp = from_state_dict({n: t.numpy() for n, t in model.state_dict().items()})
    plain = equilibrium_model(mlp, data.load("digits").train.images[:100] / 16)
    shrunk = replace(plain, weights=(plain.weights[0] / 16, *plain.weights[1:]))
    made = []
    for name, given, options in (("a", plain, ()), ("b", shrunk, ("--input-scale", "16"))):
        save_float(given, tmp_path / f"{name}.safetensors")
        out = tmp_path / f"{name}.net"
        assert run("quantize", tmp_path / f"{name}.safetensors", "--out", out, *options) == 0
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
def test_an_input_range_that_is_none_is_refused(value: object, model: torch.nn.Module) -> None:
    mlp = from_state_dict({n: t.numpy() for n, t in model.state_dict().items()})
    with pytest.raises(InputError, match="input std"):
        InputRange(std=value).fold(mlp)  # type: ignore[arg-type]


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
