"""Which nodes of an ONNX graph are understood at all: by domain, operator set and attributes.

What a node may do in which place, the readers decide; a node that is not listed here, or has an
attribute that is not, is refused by its name before anything is taken from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import AttributeProto, helper

from toreq_hw.errors import NetworkFileError

QUANT_DOMAINS = frozenset({"qonnx.custom_op.general", "onnx.brevitas"})
"""QONNX's domain, and the name that older Brevitas gave it."""

_OLDEST, _NEWEST = 7, onnx.defs.onnx_opset_version()
"""Operator sets of the standard; before 7 broadcasting and batch normalisation were others."""

_QUANT_NEWEST = 2

_FLOAT, _INT, _INTS = AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.INTS
_STRING, _TENSOR = AttributeProto.STRING, AttributeProto.TENSOR

_QUANT = {"signed": _INT, "narrow": _INT, "rounding_mode": _STRING}

_ATTRIBUTES: Mapping[str, Mapping[str, int]] = {
    "Add": {},
    "ArgMax": {"axis": _INT, "keepdims": _INT, "select_last_index": _INT},
    "BatchNormalization": {
        "epsilon": _FLOAT,
        "momentum": _FLOAT,
        "training_mode": _INT,
        "spatial": _INT,
    },
    "Cast": {"to": _INT, "saturate": _INT, "round_mode": _STRING},
    "Clip": {"min": _FLOAT, "max": _FLOAT},
    "Concat": {"axis": _INT},
    "Constant": {
        "value": _TENSOR,
        "value_float": _FLOAT,
        "value_floats": AttributeProto.FLOATS,
        "value_int": _INT,
        "value_ints": _INTS,
    },
    "DequantizeLinear": {"axis": _INT, "block_size": _INT, "output_dtype": _INT},
    "Div": {},
    "Dropout": {"ratio": _FLOAT, "seed": _INT},
    "Flatten": {"axis": _INT},
    "Gather": {"axis": _INT},
    "Gemm": {"alpha": _FLOAT, "beta": _FLOAT, "transA": _INT, "transB": _INT},
    "Identity": {},
    "IntQuant": _QUANT,
    "LogSoftmax": {"axis": _INT},
    "MatMul": {},
    "Max": {},
    "Min": {},
    "Mul": {},
    "Quant": _QUANT,
    "QuantizeLinear": {
        "axis": _INT,
        "block_size": _INT,
        "output_dtype": _INT,
        "precision": _INT,
        "saturate": _INT,
    },
    "Relu": {},
    "Reshape": {"allowzero": _INT},
    "Shape": {"start": _INT, "end": _INT},
    "Softmax": {"axis": _INT},
    "Squeeze": {"axes": _INTS},
    "Sub": {},
    "Transpose": {"perm": _INTS},
    "Unsqueeze": {"axes": _INTS},
}


class NodeError(NetworkFileError):
    """A node that cannot be carried, called by its name."""

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(f"node {node}: {reason}")


@dataclass(frozen=True)
class Node:
    """A node whose every part is understood.

    label: what errors call it. version: of the operator set it is taken from. given: its
    attributes by name. An input or output that is left out is the empty name.
    """

    label: str
    operator: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    given: Mapping[str, Any]

    def error(self, reason: str) -> NodeError:
        """The error that names this node."""
        return NodeError(self.label, reason)

    def flag(self, name: str, otherwise: int = 0) -> bool:
        """An attribute that is 0 or 1. Raises NodeError for any other number."""
        value = self.given.get(name, otherwise)
        if value not in (0, 1):
            raise self.error(f"{name} must be 0 or 1, not {value}")
        return bool(value)

    def only(self, name: str, *allowed: Any) -> None:
        """Refuses an attribute that is given and is none of the allowed values.

        Raises NodeError.
        """
        value = self.given.get(name, allowed[0])
        if value not in allowed:
            shown = " or ".join(str(a) for a in allowed)
            raise self.error(f"{name} must be {shown}, not {value!r:.40}")

    def input(self, index: int) -> str:
        """Name of an input; empty where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""


def operator_sets(model: onnx.ModelProto) -> dict[str, int]:
    """Version of each domain's operator set; '' is the standard's. Raises NetworkFileError."""
    found: dict[str, int] = {}
    for entry in model.opset_import:
        domain = _domain(entry.domain)
        if domain in found:
            raise NetworkFileError(f"operator set {domain!r:.60} must be stated once")
        found[domain] = entry.version
    version = found.get("", _OLDEST)
    if not _OLDEST <= version <= _NEWEST:
        raise NetworkFileError(f"operator set must be {_OLDEST}..{_NEWEST}, found {version}")
    return found


def understand(proto: onnx.NodeProto, sets: Mapping[str, int]) -> Node:
    """The node, if its domain, operator and attributes are known. Raises NodeError."""
    label = f"{proto.name or next(iter(proto.output), '?')!r:.80} ({proto.op_type!s:.40})"
    domain = _domain(proto.domain)
    quant = proto.op_type in ("Quant", "IntQuant")
    known = _ATTRIBUTES.get(proto.op_type)
    if domain != "" and not (quant and domain in QUANT_DOMAINS):
        raise NodeError(
            label, f"must be a standard operator or QONNX's Quant, found domain {domain!r:.60}"
        )
    if known is None or (quant and domain == ""):
        raise NodeError(label, "is not something a network can carry")
    version = sets.get(domain)
    if version is None or (quant and not 1 <= version <= _QUANT_NEWEST):
        raise NodeError(
            label, f"must be of an operator set that is understood, found {domain!r:.60} {version}"
        )
    if proto.overload:
        raise NodeError(label, f"must not be overloaded, found {proto.overload!r:.60}")
    given: dict[str, Any] = {}
    for attribute in proto.attribute:
        if attribute.name not in known or attribute.ref_attr_name:
            raise NodeError(label, f"has an unknown attribute {attribute.name!r:.60}")
        if attribute.type != known[attribute.name] or attribute.name in given:
            kind = AttributeProto.AttributeType.Name(known[attribute.name])
            raise NodeError(label, f"{attribute.name} must be one {kind}")
        given[attribute.name] = helper.get_attribute_value(attribute)
    return Node(
        label=label,
        operator=proto.op_type,
        version=version,
        inputs=tuple(proto.input),
        outputs=tuple(proto.output),
        given=given,
    )


def _domain(name: str) -> str:
    """The standard's domain has two names."""
    return "" if name == "ai.onnx" else name
