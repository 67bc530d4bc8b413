"""One quantised layer, 4 inputs and 3 outputs, with nodes of a test's choice at its end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from toreq_hw import sim
from toreq_hw.errors import NetworkFileError
from toreq_hw.network import Network
from toreq_hw.quant.onnx_import import read_onnx

DOMAIN = "qonnx.custom_op.general"
INPUT_SCALE, WEIGHT_SCALE, OUTPUT_SCALE = 2.0**-8, 2.0**-5, 2.0**-4
WEIGHT = np.random.default_rng(0).integers(-20, 20, (4, 3))
STATES = np.random.default_rng(1).integers(0, 256, (200, 4))
SUMS = (STATES * INPUT_SCALE) @ (WEIGHT * WEIGHT_SCALE)
"""Exact, for STATES, before anything is added."""

CONSTANTS: Mapping[str, Any] = {
    "zero": 0.0,
    "four": 4.0,
    "eight": 8.0,
    "scale_x": INPUT_SCALE,
    "scale_w": WEIGHT_SCALE,
    "scale_y": OUTPUT_SCALE,
    "W": WEIGHT * WEIGHT_SCALE,
}


def quant(value: str, found: str, scale: str, bits: str = "eight", **given: Any) -> onnx.NodeProto:
    """A `Quant` node called after its output."""
    attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **given}
    inputs = [value, scale, "zero", bits]
    return helper.make_node("Quant", inputs, [found], found, domain=DOMAIN, **attributes)


RELU = helper.make_node("Relu", ["a"], ["r"], "relu")
BIAS = np.float32([0.5, -0.25, 2.0])

FRONT = (
    quant("x", "xq", "scale_x", signed=0),
    quant("W", "Wq", "scale_w", narrow=1),
    helper.make_node("MatMul", ["xq", "Wq"], ["a"], "linear"),
)
"""From the input `x` to the sums `a`."""


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, Any] | None = None,
    tensors: Sequence[onnx.TensorProto] = (),
    opset: int = 21,
    output: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A graph from `x` (batch, 4) to `y`; constants become float32 unless they are arrays."""
    values = {
        name: v if isinstance(v, np.ndarray) and v.dtype != np.float64 else np.float32(v)
        for name, v in {**CONSTANTS, **(constants or {})}.items()
    }
    graph = helper.make_graph(
        list(nodes),
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", output, ["rows", "columns"])],
        [*(numpy_helper.from_array(np.asarray(v), k) for k, v in values.items()), *tensors],
    )
    sets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=sets, ir_version=10)


def outputs(network: Network) -> npt.NDArray[np.int64]:
    """Output states for STATES; nothing flows back in one layer, so they are the graph's."""
    found = sim.relax(network, STATES.astype(np.int16), engine="reference").states["output"]
    return found.astype(np.int64)


def import_nodes(file: Path, *nodes: onnx.NodeProto, **constants: Any) -> Network:
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
