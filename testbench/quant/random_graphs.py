"""Random small ONNX graphs of quantised MLPs: every order of their nodes, every attribute value."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from toreq_hw.quant.onnx_nodes import QUANT_DOMAINS

QUANT_DOMAIN = "qonnx.custom_op.general"
MODES = (
    *("ROUND", "HALF_EVEN", "HALF_UP", "HALF_DOWN", "FLOOR", "CEIL", "UP", "DOWN"),
    *("round", "STOCHASTIC"),
)
TYPES = ("UINT8", "INT8", "UINT4", "INT4", "UINT16", "INT16", "FLOAT8E4M3FN")

Array = npt.NDArray[Any]


@dataclass
class Quantised:
    """One quantiser of a graph: the names of what it takes and gives, and how it rounds."""

    real: str
    value: str
    scale: float
    mode: str


@dataclass
class RandomGraph:
    """A model, its quantisers from input to output, and the size of one sample.

    ends: the integers at which the input's quantiser stops.
    """

    model: onnx.ModelProto
    quantisers: list[Quantised]
    sizes: list[int]
    ends: tuple[int, int]
    features: set[str]


@dataclass
class _Builder:
    rng: np.random.Generator
    qonnx: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)
    quantisers: list[Quantised] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    ends: tuple[int, int] = (0, 255)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.asarray(values, dtype=dtype), name)
        return name

    def typed(self, kind: str, values: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = helper.make_tensor(
            name, TensorProto.DataType.Value(kind), values.shape, values.reshape(-1).tolist()
        )
        return name

    def node(self, operator: str, inputs: list[str], domain: str = "", **given: Any) -> str:
        name = f"{operator.lower()}{len(self.nodes)}"
        if self.chance(0.004):
            domain = self.pick("com.microsoft", "ai.onnx.ml", "private")
            self.features.add("domain")
        self.nodes.append(
            helper.make_node(operator, inputs, [f"{name}.y"], name, domain=domain, **given)
        )
        return f"{name}.y"

    def scale(self, low: int, high: int) -> float:
        exponent = int(self.rng.integers(low, high + 1))
        factor = 1.0 if self.chance(0.8) else float(self.rng.uniform(1, 2))
        return float(np.float32(factor * 2.0**exponent))

    def quantiser(self, value: str, scale: float) -> str:
        return self._quant(value, scale) if self.qonnx else self._qcdq(value, scale)

    def _quant(self, value: str, scale: float) -> str:
        mode = self.pick(*MODES) if self.chance(0.5) else "ROUND"
        given = {"signed": int(self.chance(0.5)), "narrow": int(self.chance(0.3))}
        bits = self.pick(1, 9) if self.chance(0.05) else self.pick(2, 3, 4, 8, 8, 8)
        zero = self.pick(1.0, 0.5, 8.0) if self.chance(0.05) else 0.0
        if bits in range(2, 9):
            top = (1 << (bits - given["signed"])) - 1
            low = -top - 1 + given["narrow"] if given["signed"] else 0
            self._ends(low, top)
        found = self.node(
            "Quant",
            [value, self.constant(scale), self.constant(zero), self.constant(float(bits))],
            QUANT_DOMAIN,
            rounding_mode=mode,
            **given,
        )
        self.quantisers.append(Quantised(value, found, scale, mode.upper()))
        self.features.add(f"{mode} signed={given['signed']}")
        return found

    def _ends(self, low: int, high: int) -> None:
        if not self.quantisers:
            self.ends = (low, high)

    def _qcdq(self, value: str, scale: float) -> str:
        kind = self.pick(*TYPES) if self.chance(0.25) else self.pick("UINT8", "INT8")
        given: dict[str, Any] = {}
        if self.chance(0.2):
            given["saturate"] = self.pick(0, 1)
        if self.chance(0.2):
            given["axis"] = self.pick(0, 1, -1)
        if self.chance(0.02):
            given["block_size"] = 2
        zero = self.pick(128, 1, 8) if self.chance(0.08) and kind in ("UINT8", "INT8") else 0
        if kind == "INT8" and zero:
            zero = self.pick(-128, 1)
        parameters = [self.constant(scale)]
        stated = self.chance(0.6) or zero != 0
        if stated:
            parameters.append(self.typed(kind, np.array(zero)))
        if not stated or self.chance(0.2):
            given["output_dtype"] = TensorProto.DataType.Value(kind)
        found = self.node("QuantizeLinear", [value, *parameters], **given)
        bits = 4 if kind.endswith("4") else 8
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind[0] == "I" else (0, 255)
        if kind == "UINT4":
            high = 15
        if self.chance(0.4) and kind in ("UINT8", "INT8") and not zero:
            top = 100 if self.chance(0.1) else self.pick(7, 15, 127)
            low = self.pick(0, -top, -top - 1) if kind == "INT8" else 0
            high = top
            bounds = [self.typed(kind, np.array(low)), self.typed(kind, np.array(high))]
            found = self.node("Clip", [found, *bounds])
        self._ends(low - zero, high - zero)
        back = list(parameters)
        if self.chance(0.04):
            back[0] = self.constant(scale * 2)
        found = self.node("DequantizeLinear", [found, *back])
        self.quantisers.append(Quantised(value, found, scale, "ROUND"))
        self.features.add(f"{kind} zero={zero} stated={stated}")
        return found

    def weights(self, stored: Array, scale: float) -> str:
        """Constant weights of `stored` steps of `scale`, in one of the ways that exporters have."""
        way = self.pick("float", "quantised", "stored", "packed", "per_row")
        self.features.add(f"weights {way}")
        real = (stored * np.float32(scale)).astype(np.float32)
        if way == "float":
            return self.constant(real)
        if way == "per_row" and not self.qonnx:
            scales = np.full(len(stored), scale)
            stored_name = self.constant(stored, np.int8)
            return self.node("DequantizeLinear", [stored_name, self.constant(scales)], axis=0)
        if way in ("quantised", "per_row") and self.qonnx:
            parts = [self.constant(scale), self.constant(0.0), self.constant(8.0)]
            given = {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}
            return self.node("Quant", [self.constant(real), *parts], QUANT_DOMAIN, **given)
        zero = self.pick("UINT8", "INT8")
        offset = 128 if zero == "UINT8" else 0
        parameters = [self.constant(scale), self.typed(zero, np.array(offset))]
        if way == "quantised":
            stored_name = self.node("QuantizeLinear", [self.constant(real), *parameters])
        elif way == "packed":
            small = np.clip(stored, -8, 7)
            return self.node("DequantizeLinear", [self.typed("INT4", small), self.constant(scale)])
        else:
            stored_name = self.typed(zero, stored + offset)
        return self.node("DequantizeLinear", [stored_name, *parameters])

    def linear(self, value: str, n_in: int, n_out: int) -> str:
        limit = self.pick(1, 7, 60, 127)
        stored = self.rng.integers(-limit, limit + 1, (n_in, n_out))
        scale = self.scale(-9, -5)
        if self.chance(0.5):
            return self.node("MatMul", [value, self.weights(stored, scale)])
        given: dict[str, Any] = {}
        if self.chance(0.5):
            given["transB"] = 1
            stored = stored.T
        if self.chance(0.3):
            given["alpha"] = self.pick(0.5, -1.0, 2.0, 0.0)
        if self.chance(0.03):
            given["transA"] = 1
        inputs = [value, self.weights(stored, scale)]
        if self.chance(0.6):
            inputs.append(self.bias(n_out))
            if self.chance(0.3):
                given["beta"] = self.pick(0.5, -2.0, 0.0)
        return self.node("Gemm", inputs, **given)

    def bias(self, size: int) -> str:
        shape = self.pick((size,), (1, size), (1,), ())
        self.features.add(f"bias {len(shape)}-D")
        values = self.rng.integers(-64, 65, shape) / 32
        return self.constant(values if self.chance(0.8) else values + self.rng.uniform(0, 1, shape))

    def between(self, value: str, size: int) -> str:
        """Any order of what may stand between a linear map and its quantiser."""
        order = ["Add", "Relu", "BatchNormalization", "Mul", "Sub", "Div", "Clip", "Identity"]
        chosen = [o for o in order if self.chance(0.25)]
        self.rng.shuffle(chosen)
        self.features.add(">".join(o for o in chosen if o in ("Add", "Relu", "BatchNormalization")))
        for operator in chosen:
            if operator in ("Relu", "Identity"):
                value = self.node(operator, [value])
            elif operator == "Clip":
                bounds = [self.constant(self.pick(0.0, -1.0)), self.constant(self.pick(6.0, 200.0))]
                value = self.node("Clip", [value, *bounds])
            elif operator == "BatchNormalization":
                value = self.node(operator, [value, *self.normalisation(size)], epsilon=0.0)
            else:
                powers = 2.0 ** self.rng.integers(-1, 2, size) * self.pick(1, 1, 1, -1)
                other = self.constant(powers) if operator in ("Mul", "Div") else self.bias(size)
                turned = self.chance(0.02 if operator == "Div" else 0.2)
                value = self.node(operator, [other, value] if turned else [value, other])
        return value

    def normalisation(self, size: int) -> list[str]:
        rng = self.rng
        factor = 2.0 ** rng.integers(-1, 2, size) * (
            rng.choice([1, -1], size) if self.chance(0.2) else 1
        )
        if self.chance(0.2):
            factor = factor * rng.uniform(0.8, 1.2, size)
        shift = rng.integers(-8, 9, size) / 8 if self.chance(0.6) else np.zeros(size)
        mean = rng.integers(-8, 9, size) / 8 if self.chance(0.6) else np.zeros(size)
        variance = 4.0 ** rng.integers(-1, 2, size)
        return [self.constant(part) for part in (factor, shift, mean, variance)]


def random_graph(seed: int) -> RandomGraph:
    """One graph, of QONNX's or ONNX's quantisers, with one or two layers."""
    rng = np.random.default_rng(seed)
    build = _Builder(rng, qonnx=bool(rng.random() < 0.5))
    size, layers = int(rng.integers(1, 6)), int(rng.integers(1, 3))
    value, sizes, batch = "x", [size], build.pick("N", 1)
    if build.chance(0.3):
        sizes = [1, size]
        shape = build.constant([-1, size] if batch == "N" else [1, size], np.int64)
        value = (
            build.node("Flatten", [value])
            if build.chance(0.5)
            else build.node("Reshape", [value, shape])
        )
    value = build.quantiser(value, build.scale(-8, -4))
    for layer in range(layers):
        width = int(rng.integers(1, 5))
        value = build.between(build.linear(value, size, width), width)
        if layer < layers - 1 or build.chance(0.8):
            value = build.quantiser(value, build.scale(-6, -2))
            if build.chance(0.1):
                value = build.node("Relu", [value])
                build.quantisers[-1].value = value
        size = width
    kind = TensorProto.FLOAT
    if build.chance(0.2):
        value = build.node("Softmax", [value], axis=0 if build.chance(0.1) else build.pick(1, -1))
    graph = helper.make_graph(
        build.nodes,
        "random",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *sizes])],
        [helper.make_tensor_value_info(value, kind, ["rows", "columns"])],
        list(build.constants.values()),
    )
    domains = sorted({n.domain for n in build.nodes if n.domain} | QUANT_DOMAINS)
    sets = [helper.make_opsetid("", 21), *(helper.make_opsetid(d, 1) for d in domains)]
    model = helper.make_model(graph, opset_imports=sets, ir_version=10)
    return RandomGraph(model, build.quantisers, sizes, build.ends, build.features)
