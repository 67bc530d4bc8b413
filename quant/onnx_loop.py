"""A network as a standard ONNX graph: the free phase as a `Loop` that runs to quiescence.

Everything is int32 (docs/numerics.md bounds accumulators to it), so any runtime that follows
the standard computes the same bits; the 8-bit `MatMulInteger` is not used, because some
runtimes saturate its 16-bit intermediate sums. Convolutions are float32 where that is exact (see
`onnx_products`). The arithmetic shift, which ONNX has for unsigned integers only, is taken of an
accumulator clipped first:

    clip((a + half) >> F, s_min, s_max)
      = ((clip(a, (s_min << F) - half, (s_max << F) - half) + half - (s_min << F)) >> F) + s_min

Graph input: `inputs` int16 (batch, n_input). Outputs: `class` int64 (batch,), `states.<name>`
int16 (batch, size) per relaxing population, `sweeps` int32 (batch,) and `status` uint8
(batch,): 0 settled, 1 two-cycle (synchronous only), 2 sweep limit. A clamped output has states 0;
its accumulators are one output more, `readout` int32 (batch, size), and the class is theirs.
"""

import json

import numpy as np
import onnx
from onnx import helper

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.network import Need, Network, Population, require, require_pairs
from toreq_hw.network.file import header
from toreq_hw.quant.onnx_graph import IR_VERSION, OPSET, GraphWriter, value
from toreq_hw.quant.onnx_products import product_of, write_weights
from toreq_hw.quant.onnx_sweep import sweep_body
from toreq_hw.versions import release

_NEVER = -(1 << 15)
"""A value no state has: what a first sweep compares with."""


@named_type_errors
def to_onnx(network: Network) -> onnx.ModelProto:
    """The graph described above, under any schedule; its metadata holds the description.

    A population coupled to itself is updated neuron by neuron in an inner `Loop` under
    `sequential`, in one product under `synchronous`. Raises NetworkError for a colouring (its
    split by colour can be exported) and for what `require_pairs` names.
    """
    require_pairs(network, "for ONNX")
    require(network.sweep, "for ONNX", Need.WHOLE_POPULATIONS, Need.STORED)
    model = helper.make_model(
        _main_graph(network),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="toreq_hw",
        producer_version=release(),
    )
    helper.set_model_props(model, {"network": json.dumps(header(network))})
    return model


def _main_graph(network: Network) -> onnx.GraphProto:
    writer = GraphWriter()
    inputs = writer.cast("inputs", np.int32, "inputs.int32")
    write_weights(writer, network)
    samples = writer.node(
        "Slice",
        [
            writer.node("Shape", ["inputs"], "inputs.shape"),
            writer.constant("int64.first", np.array([0])),
            writer.constant("int64.end", np.array([1])),
        ],
        "batch",
    )
    for population in network.relaxing:
        _write_drive(writer, network, population, inputs, samples)
    _write_loop(writer, network, samples)
    ranked = _write_readout(writer, network)
    writer.node("ArgMax", [ranked], "class", axis=1, keepdims=0)
    for population in network.relaxing:
        writer.cast(f"end.{population.name}", np.int16, f"states.{population.name}")
    _write_status(writer)
    sums = [value(ranked, np.int32, ["batch", network.output.size])]
    return writer.graph(
        "free_phase",
        [value("inputs", np.int16, ["batch", network.input.size])],
        [
            value("class", np.int64, ["batch"]),
            *(value(f"states.{p.name}", np.int16, ["batch", p.size]) for p in network.relaxing),
            value("sweeps", np.int32, ["batch"]),
            value("status", np.uint8, ["batch"]),
            *(sums if network.readout is not None else []),
        ],
    )


def _write_readout(writer: GraphWriter, network: Network) -> str:
    """What ranks the classes: `output`, the output's states, or `readout`, its accumulators."""
    name = network.output.name
    if network.readout is None:
        return writer.cast(f"end.{name}", np.int32, "output")
    writer.node("Identity", [f"start.{name}"], f"end.{name}")
    total = f"drive.{name}"
    for projection in network.into(name):
        if not projection.from_input:
            product = product_of(writer, network, projection, f"end.{projection.source.name}")
            total = writer.node("Add", [total, product], f"{projection.coupling.name}.read")
    return writer.node("Identity", [total], "readout")


def _write_drive(
    writer: GraphWriter, network: Network, population: Population, inputs: str, samples: str
) -> None:
    """`start.<name>`, all zero, and `drive.<name>`, bias plus inputs, both int32 (batch, size)."""
    name = population.name
    size = writer.constant(f"{name}.size", np.array([population.size]))
    shape = writer.node("Concat", [samples, size], f"{name}.shape", axis=0)
    start = writer.node("Expand", [writer.number(0), shape], f"start.{name}")
    bias = writer.constant(f"{name}.bias", network.biases[name][: population.biases])
    if population.biases < population.size:
        times = writer.constant(f"{name}.places", np.array([population.size // population.biases]))
        bias = writer.node("Tile", [bias, times], f"{name}.bias.each")
    total = writer.node("Add", [start, bias], f"{name}.biased")
    for projection in network.into(name):
        if projection.from_input:
            product = product_of(writer, network, projection, inputs)
            total = writer.node("Add", [total, product], f"{name}.driven")
    writer.node("Identity", [total], f"drive.{name}")


def _write_loop(writer: GraphWriter, network: Network, samples: str) -> None:
    """The sweeps; `end.<name>` are the states, with `sweeps`, `active.end` and `cycled.end`."""
    active = writer.node("Expand", [writer.number(True, np.bool_), samples], "active.start")
    cycled = writer.node("Expand", [writer.number(False, np.bool_), samples], "cycled.start")
    sweeps = writer.node("Expand", [writer.number(0), samples], "sweeps.start")
    starts = [f"start.{p.name}" for p in network.updating]
    carried = [active, cycled, sweeps, *starts]
    ends = ["active.end", "cycled.end", "sweeps", *(f"end.{p.name}" for p in network.updating)]
    if not network.sweep.always_settles:
        never = writer.number(_NEVER)
        for population in network.updating:
            name = f"never.{population.name}"
            carried.append(writer.node("Add", [f"start.{population.name}", never], name))
            ends.append(f"unused.{population.name}")
    limit = writer.number(MAX_SWEEPS, np.int64)
    go = writer.number(True, np.bool_)
    writer.node("Loop", [limit, go, *carried], "relaxation", ends, body=sweep_body(network))


def _write_status(writer: GraphWriter) -> None:
    settled, cycle, limit = (writer.number(k, np.uint8) for k in (0, 1, 2))
    ended = writer.node("Where", ["cycled.end", cycle, settled], "status.ended")
    writer.node("Where", ["active.end", limit, ended], "status")
