"""Runs a graph as others run it: in onnxruntime, and its `Quant` nodes by QONNX's own code.

The graph's optimisations are off, so each node computes what the standard says of it.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper

from toreq_hw.errors import NetworkFileError, ToreqError
from toreq_hw.extras import missing
from toreq_hw.quant.onnx_chain import Chain
from toreq_hw.quant.onnx_nodes import QUANT_DOMAINS
from toreq_hw.quant.onnx_tensor import array

Array = npt.NDArray[Any]

_IR_VERSION = 10
"""At most, of graphs that are run here: every onnxruntime since 1.18 reads it, and newer ones are
about things that these graphs have not.
"""

_SILENT = 4


class ReferenceRun:
    """Computes values of a model for one batch at a time.

    wanted: names of the values. Raises NetworkFileError where onnxruntime refuses the graph,
    MissingDependencyError where it holds QONNX nodes and qonnx is absent.
    """

    def __init__(self, model: onnx.ModelProto, wanted: Sequence[str]) -> None:
        self._wanted = list(dict.fromkeys(wanted))
        custom = any(node.domain in QUANT_DOMAINS for node in model.graph.node)
        try:
            self._run = _NodeByNode(model) if custom else _WholeGraph(model, self._wanted)
        except ToreqError:
            raise
        except Exception as error:
            raise _error(error) from error

    def __call__(self, name: str, value: Array) -> dict[str, Array]:
        """The wanted values for one value of the input `name`."""
        try:
            found = self._run({name: value})
            return {name: np.asarray(found[name]) for name in self._wanted}
        except Exception as error:
            raise _error(error) from error


def graph_values(
    model: onnx.ModelProto, chain: Chain, inputs: Array, wanted: Sequence[str]
) -> dict[str, Array]:
    """What a graph computes of the wanted values, and its input, (samples, n) each.

    inputs: (samples, n), a multiple of the graph's batch size. Raises NetworkFileError.
    """
    run = ReferenceRun(model, wanted)
    sizes = _sample_sizes(chain, inputs.shape[1])
    parts: dict[str, list[Array]] = {}
    for start in range(0, len(inputs), chain.batch):
        given = inputs[start : start + chain.batch].reshape(chain.batch, *sizes)
        for name, value in (run(chain.input_name, given) | {chain.input_name: given}).items():
            if value.size % chain.batch or value.size == 0:
                raise NetworkFileError(
                    f"value {name!r:.80}: must hold {chain.batch} samples, "
                    f"found shape {value.shape}"
                )
            parts.setdefault(name, []).append(value.reshape(chain.batch, -1))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _sample_sizes(chain: Chain, width: int) -> list[int]:
    """Sizes of one sample at the graph's input, which must hold `width` values."""
    sizes = [size or 0 for size in chain.input_sizes or (0,)]
    if sizes.count(0) == 1:
        sizes[sizes.index(0)] = width // max(1, math.prod(size for size in sizes if size))
    if math.prod(sizes) != width:
        raise NetworkFileError(
            f"input {chain.input_name!r:.80}: must state a shape of {width} values a sample"
        )
    return sizes


def _error(error: Exception) -> NetworkFileError:
    """Each kind of fault is a class of its own in onnxruntime, all below Exception."""
    reason = " ".join(str(error).split())
    return NetworkFileError(f"graph must run in onnxruntime, found: {reason:.200}")


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = _SILENT
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


class _WholeGraph:
    def __init__(self, model: onnx.ModelProto, wanted: list[str]) -> None:
        probed = onnx.ModelProto()
        probed.CopyFrom(model)
        probed.ir_version = min(model.ir_version, _IR_VERSION)
        stated = {output.name for output in model.graph.output}
        for name in wanted:
            if name not in stated:
                kind = onnx.TensorProto.FLOAT
                probed.graph.output.append(helper.make_tensor_value_info(name, kind, None))
        self._session = _session(probed)
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, inputs: dict[str, Array]) -> dict[str, Array]:
        return dict(zip(self._names, self._session.run(self._names, inputs), strict=True))


class _NodeByNode:
    """What QONNX's executor does: its nodes by its own code, all others by onnxruntime.

    Nodes that do not depend on the input are computed once.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        try:
            from qonnx.core.execute_custom_node import execute_custom_node
        except ModuleNotFoundError as error:
            raise missing("a QONNX graph", error.name, "quant") from error
        self._quantise = execute_custom_node
        self._graph = model.graph
        self._sets = list(model.opset_import)
        self._version = {entry.domain: entry.version for entry in model.opset_import}
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._constants: dict[str, Array] = {k: array(t) for k, t in self._tensors.items()}
        self._later: list[int] = []
        for index, node in enumerate(self._graph.node):
            if all(name in self._constants for name in node.input if name):
                self._execute(index, self._constants)
            else:
                self._later.append(index)

    def __call__(self, inputs: dict[str, Array]) -> dict[str, Array]:
        values = {**self._constants, **inputs}
        for index in self._later:
            self._execute(index, values)
        return values

    def _execute(self, index: int, values: dict[str, Array]) -> None:
        node = self._graph.node[index]
        if node.domain in QUANT_DOMAINS:
            self._quantise(node, values, self._graph, self._version[node.domain])
            return
        names = [name for name in dict.fromkeys(node.input) if name and name not in self._tensors]
        if index not in self._sessions:
            self._sessions[index] = _session(self._alone(node, names, values))
        session = self._sessions[index]
        outputs = [output.name for output in session.get_outputs()]
        found = session.run(outputs, {name: values[name] for name in names})
        values.update(zip(outputs, found, strict=True))

    def _alone(
        self, node: onnx.NodeProto, names: list[str], values: dict[str, Array]
    ) -> onnx.ModelProto:
        """A model of one node, its constants within."""
        inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(values[name].dtype), None
            )
            for name in names
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        constants = [self._tensors[k] for k in dict.fromkeys(node.input) if k in self._tensors]
        graph = helper.make_graph([node], "node", inputs, outputs, constants)
        return helper.make_model(graph, opset_imports=self._sets, ir_version=_IR_VERSION)
