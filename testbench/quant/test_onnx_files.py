"""Tensors of ONNX files: inside the file or beside it, as large as they say, or refused."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from testbench.quant.qonnx_layer import FRONT, STATES, SUMS, model, outputs, quant
from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.mlp import Mlp
from toreq_hw.quant.onnx_import import read_onnx

DATA = "layer.onnx.data"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder / "layer.onnx"


def layer() -> onnx.ModelProto:
    return model([*FRONT, quant("a", "y", "scale_y", signed=0)])


def tensor(found: onnx.ModelProto, name: str) -> onnx.TensorProto:
    return next(t for t in found.graph.initializer if t.name == name)


def beside(file: Path) -> onnx.ModelProto:
    """The layer with its weights in a file beside it, as onnx itself writes them."""
    found = layer()
    external_data_helper.convert_model_to_external_data(
        found, all_tensors_to_one_file=True, location=DATA, size_threshold=0
    )
    onnx.save_model(found, file)
    return onnx.load_model(file, load_external_data=False)


def refusal(file: Path, found: onnx.ModelProto | bytes) -> str:
    content = found if isinstance(found, bytes) else found.SerializeToString()
    file.write_bytes(content)
    with pytest.raises(NetworkFileError) as error:
        read_onnx(file)
    message = str(error.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    return message


def test_data_beside_the_file_are_read(file: Path) -> None:
    beside(file)
    found = outputs(read_onnx(file)[0])
    file.write_bytes(layer().SerializeToString())
    assert np.array_equal(found, outputs(read_onnx(file)[0]))
    assert len(found) == len(STATES) == len(SUMS)


def test_a_link_within_the_folder_is_followed(file: Path) -> None:
    beside(file)
    (file.parent / DATA).rename(file.parent / "weights.bin")
    (file.parent / DATA).symlink_to("weights.bin")
    read_onnx(file)


@pytest.mark.parametrize(
    "location", ["../layer.onnx.data", "/etc/passwd", "..", ".", "", "sub/data", "a\\b", "a\0b"]
)
def test_data_elsewhere_are_not_opened(
    location: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = beside(file)
    entry = next(e for e in tensor(found, "W").external_data if e.key == "location")
    entry.value = location

    honest = os.open

    def only_here(path: object, *more: int) -> int:
        assert str(path) in (str(file), str(file.parent / DATA)), f"{path} was opened"
        return honest(str(path), *more)

    monkeypatch.setattr(os, "open", only_here)
    assert "tensor 'W': must have its data in the folder" in refusal(file, found)


def _outside(file: Path) -> None:
    elsewhere = file.parent.parent / "elsewhere"
    (file.parent / DATA).rename(elsewhere)
    (file.parent / DATA).symlink_to(elsewhere)


def _fifo(file: Path) -> None:
    (file.parent / DATA).unlink()
    os.mkfifo(file.parent / DATA)


def _loop(file: Path) -> None:
    (file.parent / DATA).unlink()
    (file.parent / DATA).symlink_to(DATA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f.parent / DATA).unlink(), "must lie beside the ONNX file, found no such file"),
        (_outside, "a link that leaves it"),
        (_loop, "must have its data in the folder"),
        (_fifo, "must be a regular file"),
        (lambda f: os.truncate(f.parent / DATA, 10), "of the 10 bytes"),
    ],
)
def test_what_is_no_file_beside_the_file_is_refused(
    change: Callable[[Path], None], said: str, file: Path
) -> None:
    found = beside(file)
    change(file)
    message = refusal(file, found)
    assert "tensor '" in message
    assert said in message


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("offset", "1000000", "of the"),
        ("offset", "-4", "offset of external data must be a number"),
        ("length", "4", "must hold 48 bytes"),
        ("length", "9" * 30, "length of external data must be a number"),
        ("checksum", "0" * 40, "must have the SHA-1"),
        ("basepath", "/etc", "found 'basepath'"),
    ],
)
def test_places_in_the_data_are_checked(key: str, value: str, said: str, file: Path) -> None:
    found = beside(file)
    entries = {e.key: e for e in tensor(found, "W").external_data}
    entry = entries[key] if key in entries else tensor(found, "W").external_data.add(key=key)
    entry.value = value
    message = refusal(file, found)
    assert "tensor 'W': " in message
    assert said in message


def _raw(values: bytes, *dims: int) -> Callable[[onnx.TensorProto], None]:
    def change(found: onnx.TensorProto) -> None:
        found.raw_data = values
        del found.dims[:]
        found.dims.extend(dims)

    return change


def _field(kind: int, field: str, values: list[int]) -> Callable[[onnx.TensorProto], None]:
    def change(found: onnx.TensorProto) -> None:
        found.ClearField("raw_data")
        found.data_type = kind
        getattr(found, field).extend(values)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_raw(b"x" * 47, 4, 3), "in 48 bytes, found 47 bytes"),
        (_raw(b"x" * 49, 4, 3), "in 48 bytes, found 49 bytes"),
        (_raw(b"x" * 48, 4, 4), "must hold 16 values"),
        (_raw(b"x" * 48, -4, -3), "sizes of at least 0"),
        (_raw(b"", 1 << 40, 1 << 40), f"must hold {1 << 80} values"),
        (_raw(b"", 0, 1 << 62), "must be an array"),
        (_raw(b"", 4, 0), "must have weights"),
        (_raw(b"x" * 4, *[1] * 80), "must be an array"),
        (_field(TensorProto.FLOAT, "int32_data", [0] * 12), "in float_data, found 0 entries"),
        (_field(TensorProto.INT8, "int32_data", [300] * 12), "must hold values in -128..127"),
        (_field(TensorProto.INT4, "int32_data", [0] * 12), "in int32_data, found 12 entries"),
        (_field(TensorProto.STRING, "int32_data", [0] * 12), "found STRING"),
        (_field(999, "int32_data", [0] * 12), "found ? (999)"),
    ],
)
def test_tensors_hold_what_their_shape_says(
    change: Callable[[onnx.TensorProto], None], said: str, file: Path
) -> None:
    found = layer()
    change(tensor(found, "W"))
    assert said in refusal(file, found)


def test_names_that_are_no_text_are_refused(file: Path) -> None:
    content = layer().SerializeToString().replace(b"linear", b"li\xff\xfear")
    assert "names must be UTF-8" in refusal(file, content)


def test_graphs_in_graphs_are_refused_however_deep(file: Path) -> None:
    found = layer()
    inner = found.graph
    for _ in range(12):
        node = inner.node.add(op_type="Loop", name="deep")
        attribute = node.attribute.add(name="body", type=onnx.AttributeProto.GRAPH)
        inner = attribute.g
        inner.node.add(op_type="Relu")
    assert "nest at most 8 deep" in refusal(file, found)


def test_thousands_of_graphs_in_graphs_are_refused(file: Path) -> None:
    content = b""
    for _ in range(5000):
        attribute = b"\x32" + _length(content) + content
        node = b"\x2a" + _length(attribute) + attribute
        content = b"\x0a" + _length(node) + node
    assert "must be a whole ONNX file" in refusal(file, b"\x3a" + _length(content) + content)


def _length(content: bytes) -> bytes:
    """Protobuf's number for a length."""
    size, found = len(content), bytearray()
    while size > 127:
        found.append(size & 127 | 128)
        size >>= 7
    return bytes([*found, size])


def test_functions_of_a_files_own_are_refused(file: Path) -> None:
    found = layer()
    found.functions.add(name="Relu", domain="private")
    assert "function 'Relu' of its own" in refusal(file, found)


def test_constants_that_grow_are_refused(file: Path) -> None:
    wide = np.ones((1000, 100), np.float32)
    nodes = [helper.make_node("Transpose", ["wide"], [f"t{k}"], f"turn{k}") for k in range(120)]
    found = model([*nodes, *FRONT, quant("a", "y", "scale_y")], {"wide": wide})
    assert "must not compute many times what the file holds" in refusal(file, found)
    column, row = np.ones((500, 1), np.float32), np.ones((1, 500), np.float32)
    outer = helper.make_node("Mul", ["column", "row"], ["m"], "outer")
    found = model([outer, *FRONT, quant("a", "y", "scale_y")], {"column": column, "row": row})
    assert "node 'outer' (Mul): must be computable" in refusal(file, found)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("scale_x", 1e38, "node 'xq' (Quant): scale must be"),
        ("scale_y", 1e-44, "node 'y' (Quant): scale must be"),
        ("bias", np.nan, "node 'add' (Add): must have finite weights"),
        ("bias", 3e38, "node 'add' (Add): must have finite weights"),
    ],
)
def test_numbers_at_the_ends_of_float32_are_refused_by_node(
    name: str, value: float, said: str, file: Path
) -> None:
    nodes = [
        *FRONT,
        helper.make_node("Relu", ["a"], ["r"], "relu"),
        helper.make_node("Add", ["r", "bias"], ["n"], "add"),
        helper.make_node("Add", ["n", "bias"], ["m"], "add"),
        quant("m", "y", "scale_y"),
    ]
    assert said in refusal(file, model(nodes, {"bias": 0.0, name: np.float32(value)}))


def test_a_batch_that_no_memory_holds_is_refused(file: Path) -> None:
    found = layer()
    found.graph.input[0].type.tensor_type.shape.dim[0].dim_value = (1 << 31) - 1
    assert "must take at most 4096 samples" in refusal(file, found)


@pytest.mark.parametrize("kind", [TensorProto.BFLOAT16, TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_float_models_may_hold_other_floats(kind: int, tmp_path: Path) -> None:
    weight = (np.arange(12).reshape(4, 3) - 6) / 4
    bias = np.array([[0.25, -0.5, 1.0]])
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], "only")],
        "mlp",
        [helper.make_tensor_value_info("x", kind, ["batch", 4])],
        [helper.make_tensor_value_info("y", kind, ["batch", 3])],
        [numpy_helper.from_array(v.astype(dtype), n) for n, v in (("w", weight), ("b", bias))],
    )
    sets = [helper.make_opsetid("", 17)]
    file = tmp_path / "mlp.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=sets).SerializeToString())
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    assert np.array_equal(mlp.weights[0], weight)
    assert np.array_equal(mlp.biases[0], bias[0])
