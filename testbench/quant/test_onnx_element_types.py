"""Element types of stored states and weights: read as the standard has them, or refused by node."""

from collections.abc import Sequence
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
    import_nodes,
    model,
    outputs,
    quant,
    refusal,
    rounded,
)
from toreq_hw.quant.onnx_import import read_onnx

node = helper.make_node


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
    network = import_nodes(file, *nodes, **more)
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
