"""Nodes, attributes and element types: understood as the standard has them, or refused by name."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper

from testbench.quant.qonnx_layer import (
    FRONT,
    INPUT_SCALE,
    OUTPUT_SCALE,
    STATES,
    SUMS,
    WEIGHT,
    WEIGHT_SCALE,
    model,
    outputs,
    quant,
)
from toreq_hw.errors import MissingDependencyError, NetworkFileError
from toreq_hw.network import Network
from toreq_hw.quant import onnx_layers, onnx_mlp, onnx_quantisers, onnx_states
from toreq_hw.quant.onnx_import import read_onnx

node = helper.make_node
RELU = node("Relu", ["a"], ["r"], "relu")
BIAS = np.float32([0.5, -0.25, 2.0])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "layer.onnx"


def imported(file: Path, *nodes: onnx.NodeProto, **constants: Any) -> Network:
    file.write_bytes(model([*FRONT, *nodes], constants).SerializeToString())
    return read_onnx(file)[0]


def refusal(file: Path, found: onnx.ModelProto) -> str:
    file.write_bytes(found.SerializeToString())
    with pytest.raises(NetworkFileError) as error:
        read_onnx(file)
    assert "\n" not in str(error.value)
    return str(error.value)


def rounded(sums: npt.NDArray[np.float64], low: int, high: int) -> npt.NDArray[np.int64]:
    """States as the contract rounds them, halves up."""
    return np.clip(np.floor(sums / OUTPUT_SCALE + 0.5), low, high).astype(np.int64)


def test_a_relu_before_signed_states_leaves_the_states_above_0(file: Path) -> None:
    network = imported(file, RELU, quant("r", "y", "scale_y"))
    assert (network.output.state_bits, network.output.signed) == (7, False)
    assert np.array_equal(outputs(network), rounded(np.maximum(SUMS, 0), 0, 127))


@pytest.mark.parametrize("factor", [np.float32([-1, 2, 1]), np.float32([1, 2, 1])])
def test_a_normalisation_behind_a_relu_is_refused_where_it_moves_the_bound(
    factor: npt.NDArray[np.float32], file: Path
) -> None:
    inputs = ["r", "factor", "shift", "zeros", "ones"]
    tail = [RELU, node("BatchNormalization", inputs, ["n"], "norm"), quant("n", "y", "scale_y")]
    more = {"factor": factor, "shift": np.float32([1, -1, 0.5])}
    more |= {"zeros": np.zeros(3, np.float32), "ones": np.ones(3, np.float32)}
    assert "node 'norm' (BatchNormalization): must bound all neurons" in refusal(
        file, model([*FRONT, *tail], more)
    )


def test_a_normalisation_behind_a_relu_is_carried_where_the_bound_is_below_all_states(
    file: Path,
) -> None:
    inputs = ["r", "factor", "shift", "mean", "variance"]
    tail = [
        RELU,
        node("BatchNormalization", inputs, ["n"], "norm", epsilon=0.0),
        quant("n", "y", "scale_y", signed=0),
    ]
    more = {"factor": [1.0, 0.5, 2.0], "shift": [0, -0.5, 0], "mean": [0.25, 0, 1]}
    network = imported(file, *tail, variance=np.ones(3, np.float32), **more)
    factor, shift, mean = (np.array(part) for part in more.values())
    expected = (np.maximum(SUMS, 0) - mean) * factor + shift
    assert np.array_equal(outputs(network), rounded(expected, 0, 255))


def test_an_add_behind_a_relu_is_refused_by_name(file: Path) -> None:
    tail = [RELU, node("Add", ["r", "bias"], ["n"], "add"), quant("n", "y", "scale_y", signed=0)]
    assert "node 'add' (Add): must bound all" in refusal(
        file, model([*FRONT, *tail], {"bias": BIAS})
    )


@pytest.mark.parametrize("shape", [(3,), (1, 3)])
@pytest.mark.parametrize("operator", ["Add", "Gemm"])
def test_a_bias_may_have_a_batch_of_one(operator: str, shape: tuple[int, ...], file: Path) -> None:
    bias = BIAS.reshape(shape)
    if operator == "Add":
        nodes = [*FRONT, node("Add", ["a", "bias"], ["n"], "add")]
    else:
        nodes = [*FRONT[:2], node("Gemm", ["xq", "Wq", "bias"], ["n"], "gemm")]
    found = model([*nodes, quant("n", "y", "scale_y", signed=0)], {"bias": bias})
    file.write_bytes(found.SerializeToString())
    assert np.array_equal(outputs(read_onnx(file)[0]), rounded(SUMS + BIAS, 0, 255))


@pytest.mark.parametrize("shape", [(3, 1), (1, 1, 3), (2,)])
def test_a_bias_that_is_not_one_value_per_neuron_is_refused(
    shape: tuple[int, ...], file: Path
) -> None:
    tail = [node("Add", ["a", "bias"], ["n"], "add"), quant("n", "y", "scale_y")]
    found = model([*FRONT, *tail], {"bias": np.ones(shape, np.float32)})
    assert "node 'add' (Add): must add one value per neuron" in refusal(file, found)


MODES = {
    "FLOOR": np.floor,
    "floor": np.floor,
    "CEIL": np.ceil,
    "DOWN": np.trunc,
    "UP": lambda v: np.sign(v) * np.ceil(np.abs(v)),
    "HALF_UP": lambda v: np.floor(v + 0.5),
    "HALF_DOWN": lambda v: np.floor(v + 0.5),
    "ROUND": lambda v: np.floor(v + 0.5),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signed", [0, 1])
def test_rounding_modes_are_carried_or_refused(mode: str, signed: int, file: Path) -> None:
    tail = [
        node("Add", ["a", "bias"], ["n"], "add"),
        quant("n", "y", "scale_y", signed=signed, rounding_mode=mode),
    ]
    bias = np.float32([0.3, -0.21, 1.07])  # between two LSBs of the accumulator
    if signed and mode in ("UP", "DOWN"):
        found = model([*FRONT, *tail], {"bias": bias})
        assert f"signed states must not be rounded {mode}" in refusal(file, found)
        return
    expected = MODES[mode]((SUMS + bias) / OUTPUT_SCALE)
    low, high = (-127, 127) if signed else (0, 255)
    assert np.array_equal(outputs(imported(file, *tail, bias=bias)), np.clip(expected, low, high))


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"rounding_mode": "STOCHASTIC"}, "rounding_mode must be"),
        ({"signed": 2}, "signed must be 0 or 1, not 2"),
        ({"signed": 0, "narrow": 1}, "found 0..254"),
        ({"per_channel": 1}, "unknown attribute 'per_channel'"),
        ({"signed": 1.0}, "signed must be one INT"),
    ],
)
def test_attributes_of_a_quantiser_are_understood_or_refused(
    attributes: dict[str, Any], said: str, file: Path
) -> None:
    found = model([*FRONT, quant("a", "y", "scale_y", **attributes)])
    message = refusal(file, found)
    assert "node 'y' (Quant)" in message
    assert said in message


def test_signed_states_lose_their_lowest_and_say_so(file: Path) -> None:
    nodes = [*FRONT, quant("a", "y", "scale_y", bits="four")]
    file.write_bytes(model(nodes).SerializeToString())
    network, (carried,) = read_onnx(file)
    assert (network.output.state_min, network.output.state_max) == (-7, 7)
    assert carried.lowest > 0
    narrow = [*FRONT, quant("a", "y", "scale_y", bits="four", narrow=1)]
    file.write_bytes(model(narrow).SerializeToString())
    other, (carried,) = read_onnx(file)
    assert other.sha256 == network.sha256
    assert carried.lowest == 0


@pytest.mark.parametrize(
    ("index", "domain"), [(2, "com.microsoft"), (3, "private"), (0, ""), (3, "ai.onnx.ml")]
)
def test_a_node_of_another_domain_is_refused_by_name(index: int, domain: str, file: Path) -> None:
    found = model([*FRONT, RELU, quant("r", "y", "scale_y")])
    found.graph.node[index].domain = domain
    if domain:
        found.opset_import.append(helper.make_opsetid(domain, 1))
    assert f"node {found.graph.node[index].name!r}" in refusal(file, found)


def qcdq(
    kind: int | None, output_dtype: int = 0, clip: Sequence[int] = (), **given: Any
) -> onnx.ModelProto:
    """The layer between QuantizeLinear and DequantizeLinear; kind: of the zero points."""
    zero = [] if kind is None else [helper.make_tensor("z", kind, [], [0])]
    names = ["z"] if zero else []
    if output_dtype:
        given["output_dtype"] = output_dtype
    tail = "ai"
    between = []
    if clip:
        assert kind is not None
        zero += [helper.make_tensor(f"b{k}", kind, [], [b]) for k, b in enumerate(clip)]
        between = [node("Clip", ["ai", "b0", "b1"], ["ac"], "clip")]
        tail = "ac"
    nodes = [
        node("QuantizeLinear", ["x", "scale_x", *names], ["xi"], "quantise_x", **given),
        node("DequantizeLinear", ["xi", "scale_x", *names], ["xd"], "dequantise_x"),
        node("DequantizeLinear", ["Wi", "scale_w"], ["wd"], "dequantise_w"),
        node("MatMul", ["xd", "wd"], ["a"], "linear"),
        node("QuantizeLinear", ["a", "scale_y", *names], ["ai"], "quantise_y", **given),
        *between,
        node("DequantizeLinear", [tail, "scale_y", *names], ["y"], "dequantise_y"),
    ]
    return model(nodes, {"Wi": WEIGHT.astype(np.int8)}, zero)


@pytest.mark.parametrize(
    ("found", "bits", "signed"),
    [
        (qcdq(TensorProto.UINT8), 8, False),
        (qcdq(TensorProto.INT8), 8, True),
        (qcdq(TensorProto.UINT4), 4, False),
        (qcdq(TensorProto.INT4), 4, True),
        (qcdq(None), 8, False),
        (qcdq(None, TensorProto.INT8), 8, True),
        (qcdq(TensorProto.INT8, TensorProto.INT8, saturate=0, axis=0), 8, True),
    ],
)
def test_element_types_of_states(
    found: onnx.ModelProto, bits: int, signed: bool, file: Path
) -> None:
    file.write_bytes(found.SerializeToString())
    network, _ = read_onnx(file)
    assert {(p.state_bits, p.signed) for p in network.populations} == {(bits, signed)}


@pytest.mark.parametrize("bits", [16, 32])
def test_a_bias_may_be_quantised_to_more_bits_than_a_state(bits: int, file: Path) -> None:
    """Brevitas' Int32Bias, in steps of the products."""
    step = np.float32(INPUT_SCALE * WEIGHT_SCALE)
    stored = np.float32([4000.25, -2000, 1])
    bias = quant("bias", "qb", "step", bits="bits", signed=1)
    more = {"bias": stored * step, "step": step, "bits": np.float32(bits)}
    nodes = [bias, node("Add", ["a", "qb"], ["s"], "add"), quant("s", "y", "scale_y", signed=0)]
    network = imported(file, *nodes, **more)
    sums = SUMS + np.round(stored) * step
    assert np.array_equal(outputs(network), rounded(sums, 0, 255))


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT8])
def test_outputs_may_stay_stored(kind: int, file: Path) -> None:
    """A last QuantizeLinear is the outputs' quantiser, with a DequantizeLinear behind it or not."""
    found = qcdq(kind)
    file.write_bytes(found.SerializeToString())
    expected, _ = read_onnx(file)
    assert found.graph.node.pop().name == "dequantise_y"
    found.graph.output[0].name = "ai"
    found.graph.output[0].type.tensor_type.elem_type = kind
    file.write_bytes(found.SerializeToString())
    network, carried = read_onnx(file)
    assert carried[-1].post_scale == OUTPUT_SCALE
    assert network.sha256 == expected.sha256


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (qcdq(TensorProto.UINT16), "found UINT16"),
        (qcdq(TensorProto.INT16), "found INT16"),
        (qcdq(TensorProto.FLOAT8E4M3FN), "found FLOAT8E4M3FN"),
        (qcdq(None, TensorProto.UINT16), "found UINT16"),
        (qcdq(None, TensorProto.FLOAT8E5M2), "found FLOAT8E5M2"),
        (qcdq(TensorProto.UINT8, TensorProto.INT8), "output_dtype must be"),
        (qcdq(TensorProto.UINT8, block_size=2), "block_size must be 0"),
    ],
)
def test_element_types_that_no_state_has_are_refused_by_node(
    found: onnx.ModelProto, said: str, file: Path
) -> None:
    message = refusal(file, found)
    assert "node 'quantise_x' (QuantizeLinear)" in message
    assert said in message


@pytest.mark.parametrize(
    ("bounds", "state_range"), [((0, 15), (0, 15)), ((-7, 7), (-7, 7)), ((-128, 127), (-127, 127))]
)
def test_a_clip_of_stored_states_gives_the_bits(
    bounds: tuple[int, int], state_range: tuple[int, int], file: Path
) -> None:
    file.write_bytes(qcdq(TensorProto.INT8, clip=bounds).SerializeToString())
    output = read_onnx(file)[0].output
    assert (output.state_min, output.state_max) == state_range


def test_a_clip_to_states_that_no_population_has_is_refused(file: Path) -> None:
    assert "found -3..7" in refusal(file, qcdq(TensorProto.INT8, clip=(-3, 7)))


def weights(kind: int, stored: npt.NDArray[np.int64], zero: int) -> onnx.ModelProto:
    """The layer with weights that are stored as integers."""
    raw = helper.make_tensor("Wi", kind, stored.shape, (stored + zero).reshape(-1).tolist())
    offset = helper.make_tensor("Wz", kind, [], [zero])
    nodes = [
        FRONT[0],
        node("DequantizeLinear", ["Wi", "scale_w", "Wz"], ["Wq"], "dequantise_w"),
        FRONT[2],
        quant("a", "y", "scale_y", signed=0),
    ]
    return model(nodes, tensors=[raw, offset])


@pytest.mark.parametrize(
    ("kind", "zero"),
    [(TensorProto.UINT8, 128), (TensorProto.INT8, 0), (TensorProto.INT4, 0), (TensorProto.INT4, 2)],
)
def test_weights_may_be_stored_in_other_types_with_zero_points(
    kind: int, zero: int, file: Path
) -> None:
    stored = np.clip(WEIGHT, -5, 5) if kind == TensorProto.INT4 else WEIGHT
    found = weights(kind, stored, zero)
    if kind == TensorProto.INT4:
        assert len(found.graph.initializer[-2].raw_data or b"") in (0, 6)
    file.write_bytes(found.SerializeToString())
    network, (carried,) = read_onnx(file)
    sums = (STATES * INPUT_SCALE) @ (stored * WEIGHT_SCALE)
    assert carried.exact
    assert np.array_equal(outputs(network), rounded(sums, 0, 255))


@pytest.mark.parametrize(
    "ends",
    [
        [node("Softmax", ["q"], ["y"], "end")],
        [node("LogSoftmax", ["q"], ["y"], "end", axis=1)],
        [node("ArgMax", ["q"], ["y"], "end", axis=-1)],
        [node("Softmax", ["q"], ["p"], "soft"), node("ArgMax", ["p"], ["y"], "end", axis=1)],
    ],
)
def test_what_moves_no_class_may_stand_at_the_end(ends: list[onnx.NodeProto], file: Path) -> None:
    kind = TensorProto.INT64 if ends[-1].op_type == "ArgMax" else TensorProto.FLOAT
    found = model([*FRONT, quant("a", "q", "scale_y", signed=0), *ends], output=kind)
    file.write_bytes(found.SerializeToString())
    assert np.array_equal(outputs(read_onnx(file)[0]), rounded(SUMS, 0, 255))


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (node("Softmax", ["q"], ["y"], "end", axis=0), "over the outputs"),
        (node("ArgMax", ["q"], ["y"], "end"), "over the outputs"),
        (node("ArgMax", ["q"], ["y"], "end", axis=1, select_last_index=1), "select_last_index"),
    ],
)
def test_what_would_move_a_class_is_refused(end: onnx.NodeProto, said: str, file: Path) -> None:
    message = refusal(file, model([*FRONT, quant("a", "q", "scale_y"), end]))
    assert "node 'end'" in message
    assert said in message


SHAPES: Mapping[str, tuple[list[onnx.NodeProto], list[int]]] = {
    "flatten": ([node("Flatten", ["x"], ["f"], "move")], []),
    "reshape": ([node("Reshape", ["x", "to"], ["f"], "move")], [-1, 4]),
    "copied": ([node("Reshape", ["x", "to"], ["f"], "move")], [0, -1]),
    "squeeze": ([node("Squeeze", ["x", "to"], ["f"], "move")], [1]),
    "view": (
        [
            node("Shape", ["x"], ["shape"], "shape"),
            node("Gather", ["shape", "index"], ["batch"], "gather"),
            node("Concat", ["batch", "to"], ["target"], "concat", axis=0),
            node("Reshape", ["x", "target"], ["f"], "move"),
        ],
        [-1],
    ),
}


def shaped(nodes: Sequence[onnx.NodeProto], to: list[int], sizes: Sequence[int]) -> onnx.ModelProto:
    """The layer behind nodes that give `f` from an input of other sizes."""
    front = [*nodes, quant("f", "xq", "scale_x", signed=0), *FRONT[1:]]
    more = {"to": np.array(to, dtype=np.int64), "index": np.array([0], dtype=np.int64)}
    found = model([*front, quant("a", "y", "scale_y", signed=0)], more)
    kind = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *sizes])
    found.graph.input[0].CopyFrom(kind)
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_nodes_that_move_no_value_are_passed(name: str, file: Path) -> None:
    nodes, to = SHAPES[name]
    sizes = [1, 4] if name == "squeeze" else [2, 2]
    file.write_bytes(shaped(nodes, to, sizes).SerializeToString())
    assert np.array_equal(outputs(read_onnx(file)[0]), rounded(SUMS, 0, 255))


@pytest.mark.parametrize(
    ("operator", "to", "sizes"),
    [("Reshape", [-1, 4], [2, 4]), ("Reshape", [4, -1], [2, 2]), ("Squeeze", [0], [1, 4])],
)
def test_nodes_that_would_mix_samples_are_refused(
    operator: str, to: list[int], sizes: list[int], file: Path
) -> None:
    found = shaped([node(operator, ["x", "to"], ["f"], "move")], to, sizes)
    assert "node 'move'" in refusal(file, found)


def test_a_clip_of_the_sums_is_an_upper_bound(file: Path) -> None:
    clip = node("Clip", ["a", "low", "high"], ["c"], "clip")
    more = {"low": np.float32(0), "high": np.float32(15 * OUTPUT_SCALE)}
    network = imported(file, clip, quant("c", "y", "scale_y", signed=0), **more)
    assert network.output.state_bits == 4
    assert np.array_equal(outputs(network), rounded(SUMS, 0, 15))


def test_a_misread_relu_is_noticed_by_running_the_graph(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_layers.Layer, "clip", lambda *_: None)
    found = model([*FRONT, RELU, quant("r", "y", "scale_y")])
    assert "node 'linear' (MatMul): must compute what was read of it" in refusal(file, found)


def test_a_misread_quantiser_is_noticed_by_running_the_graph(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_states, "rounding_of", lambda _: onnx_quantisers.Rounding.HALF_EVEN)
    found = model([*FRONT, quant("a", "y", "scale_y", rounding_mode="FLOOR")])
    assert "node 'y' (Quant): must compute what was read of it" in refusal(file, found)


def test_wrong_integers_are_noticed_by_running_the_graph(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = onnx_mlp._bias
    monkeypatch.setattr(onnx_mlp, "_bias", lambda *arguments: honest(*arguments) + 64)
    found = model([*FRONT, quant("a", "y", "scale_y", signed=0)])
    assert "where the network has" in refusal(file, found)


def test_a_missing_qonnx_names_the_extra(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "qonnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "qonnx", None)
    file.write_bytes(model([*FRONT, quant("a", "y", "scale_y")]).SerializeToString())
    with pytest.raises(MissingDependencyError, match=r"qonnx.* installed; run: .*quant"):
        read_onnx(file)
