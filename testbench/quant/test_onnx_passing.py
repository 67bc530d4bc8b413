"""Nodes that move no value, between layers or at the end, are passed; others are refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from testbench.quant.qonnx_layer import (
    FRONT,
    SUMS,
    model,
    outputs,
    quant,
    refusal,
    rounded,
)
from toreq_hw.quant.onnx_import import read_onnx

node = helper.make_node


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
