"""Float MLPs in ONNX: what goes into a layer, and what is refused, each by its node."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.mlp import Mlp


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
