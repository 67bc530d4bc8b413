"""Writes ONNX graphs node by node; every value is called what it is, so errors can name it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

OPSET = 17
"""The oldest operator set with everything used here; IR 8 goes with it."""
IR_VERSION = 8


class GraphWriter:
    """Collects the nodes and constants of one graph (or of a Loop's body)."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        name: str,
        outputs: Sequence[str] | None = None,
        **attributes: Any,
    ) -> str:
        """Appends a node called `name`; returns its (first) output, `name` unless given."""
        found = list(outputs or [name])
        self._nodes.append(helper.make_node(operator, list(inputs), found, name, **attributes))
        return found[0]

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """An initialiser; the same name may be asked for again.

        value: any shape and dtype that ONNX has. Returns the initialiser's name.
        """
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def number(self, value: int, dtype: type[np.generic] = np.int32) -> str:
        """A scalar constant, named after its value."""
        return self.constant(f"{np.dtype(dtype).name}.{value}", np.asarray(value, dtype=dtype))

    def cast(self, value: str, dtype: type[np.generic], name: str) -> str:
        """`value` as another type."""
        to = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.node("Cast", [value], name, to=to)

    def graph(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.GraphProto:
        """The finished graph."""
        constants = list(self._constants.values())
        return helper.make_graph(self._nodes, name, list(inputs), list(outputs), constants)


def value(
    name: str, dtype: type[np.generic], shape: Sequence[str | int] | None
) -> onnx.ValueInfoProto:
    """The type of a graph's input or output; None leaves the shape open."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, None if shape is None else list(shape))
