"""A network as a QONNX graph: `Quant` nodes, and a fixed number of sweeps unrolled.

QONNX's tools take straight-line graphs of known shape only, so this one carries one sample
and runs `sweeps` sweeps: its states are the equilibrium where `moved`, the number of states
that the last sweep changed, is 0. States are whole numbers in float32 and weights are
W / 2^f, so every value is a multiple of 2^-F; the export refuses a network whose accumulators
could need more than the 24 bits in which float32 holds those exactly.

Graph input: `inputs` float32 (1, n_input), whole numbers. Outputs: `class` int64 (1,),
`states.<name>` float32 (1, size) per relaxing population, `moved` float32 ().
"""

import json

import numpy as np
import onnx
from onnx import helper

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.errors import InputError
from toreq_hw.network import (
    Need,
    Network,
    Population,
    Projection,
    WeightFormat,
    require,
    require_plain,
)
from toreq_hw.network.file import header
from toreq_hw.quant.onnx_graph import IR_VERSION, OPSET, GraphWriter, value
from toreq_hw.versions import release

QUANT_DOMAIN = "qonnx.custom_op.general"
FLOAT32_EXACT = 1 << 24


@named_type_errors
def to_qonnx(network: Network, sweeps: int) -> onnx.ModelProto:
    """The graph described above. Raises InputError naming what QONNX cannot carry exactly."""
    _check(network, sweeps)
    model = helper.make_model(
        _graph(network, sweeps),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(QUANT_DOMAIN, 1)],
        ir_version=IR_VERSION,
        producer_name="toreq_hw",
        producer_version=release(),
    )
    properties = {"network": json.dumps(header(network)), "sweeps": str(sweeps)}
    helper.set_model_props(model, properties)
    return model


def _check(network: Network, sweeps: int) -> None:
    if not 1 <= sweeps <= 1000:
        raise InputError(f"sweeps must be in 1..1000 for QONNX, not {sweeps}")
    require_plain(network, "for QONNX", InputError)
    require(
        network.sweep,
        "for QONNX",
        Need.ALWAYS_SETTLES,
        Need.WHOLE_POPULATIONS,
        Need.STORED,
        error=InputError,
    )
    for projection in network.projections:
        if projection.is_self_projection:
            raise InputError(
                f"coupling {projection.coupling.name!r}: must join two populations for QONNX "
                "(an unrolled graph cannot update neuron by neuron), found a self-coupling"
            )
    for population in network.relaxing:
        largest_sum = _largest_sum(network, population)
        if largest_sum > FLOAT32_EXACT:
            raise InputError(
                f"population {population.name!r}: accumulators must stay within "
                f"{FLOAT32_EXACT} for QONNX (float32), worst case is {largest_sum}"
            )


def _largest_sum(network: Network, population: Population) -> int:
    """Largest magnitude of any partial sum of an accumulator, its rounding half included."""
    fraction_bits = network.accumulator_fraction_bits(population.name)
    total = np.abs(network.biases[population.name].astype(np.int64))
    for projection in network.into(population.name):
        largest = max(projection.source.state_max, -projection.source.state_min)
        sums = np.abs(projection.matrix.astype(np.int64)).sum(axis=0) * largest
        total = total + (sums << projection.shift)
    return int(total.max()) + rounding_half(fraction_bits)


def _graph(network: Network, sweeps: int) -> onnx.GraphProto:
    writer = GraphWriter()
    for projection in network.projections:
        _write_weight(writer, projection)
    for population in network.relaxing:
        _write_drive(writer, network, population)
    state = {}
    for population in network.relaxing:
        zeros = np.zeros((1, population.size), dtype=np.float32)
        state[population.name] = writer.constant(f"start.{population.name}", zeros)
    before = dict(state)
    for sweep in range(1, sweeps + 1):
        before = dict(state)
        for part in network.sweep.passes:
            new = {name: _update(writer, network, name, state, sweep) for name in part.populations}
            state |= new
    _write_moved(writer, network, before, state)
    for population in network.relaxing:
        writer.node("Identity", [state[population.name]], f"states.{population.name}")
    writer.node("ArgMax", [state[network.output.name]], "class", axis=1, keepdims=0)
    return writer.graph(
        "free_phase",
        [value("inputs", np.float32, [1, network.input.size])],
        [
            value("class", np.int64, [1]),
            *(value(f"states.{p.name}", np.float32, [1, p.size]) for p in network.relaxing),
            value("moved", np.float32, []),
        ],
    )


def _write_weight(writer: GraphWriter, projection: Projection) -> None:
    """The real weights through a Quant node of 8 bits (2 for ternary), scale 2^-f.

    The way back of a coupling is the transpose of what the way forward wrote before it, times 2^-s.
    """
    coupling = projection.dense
    name = f"{coupling.name}.weight"
    if projection.backward:
        shift = coupling.feedback_shift
        back = f"{name}.transposed" if shift else f"{name}.backward"
        writer.node("Transpose", [f"{name}.forward"], back, perm=[1, 0])
        if shift:
            factor = writer.constant(f"feedback.{shift}", np.asarray(2.0**-shift, dtype=np.float32))
            writer.node("Mul", [back, factor], f"{name}.backward")
        return
    lsb = 2.0**-coupling.fraction_bits
    real = writer.constant(name, coupling.weight.astype(np.float32) * np.float32(lsb))
    bits = 2 if coupling.weight_format is WeightFormat.TERNARY else 8
    _quant(writer, real, f"{name}.forward", lsb, bits, signed=1, rounding="ROUND")


def _write_drive(writer: GraphWriter, network: Network, population: Population) -> None:
    """`drive.<name>`: bias, the half that rounds, and the inputs' products."""
    name = population.name
    fraction_bits = network.accumulator_fraction_bits(name)
    half = rounding_half(fraction_bits)
    real = (network.biases[name].astype(np.float64) + half) * 2.0**-fraction_bits
    total = writer.constant(f"{name}.bias", real.astype(np.float32)[None])
    for projection in network.into(name):
        if projection.from_input:
            stem = f"{projection.coupling.name}.product"
            product = writer.node("MatMul", ["inputs", _weight(projection)], stem)
            total = writer.node("Add", [product, total], f"{name}.driven")
    writer.node("Identity", [total], f"drive.{name}")


def _update(
    writer: GraphWriter, network: Network, name: str, state: dict[str, str], sweep: int
) -> str:
    """New states of population `name`: one sum of products, one Quant node that floors."""
    population = network.population(name)
    total = f"drive.{name}"
    for projection in network.into(name):
        if projection.from_input:
            continue
        stem = f"sweep{sweep}.{projection.coupling.name}.into.{name}"
        operands = [state[projection.source.name], _weight(projection)]
        product = writer.node("MatMul", operands, stem)
        total = writer.node("Add", [product, total], f"{stem}.added")
    return _quant(
        writer,
        total,
        f"sweep{sweep}.{name}",
        1.0,
        population.state_bits,
        signed=int(population.signed),
        rounding="FLOOR",
    )


def _quant(
    writer: GraphWriter,
    real: str,
    name: str,
    scale: float,
    bits: int,
    *,
    signed: int,
    rounding: str,
) -> str:
    """A Quant node; a signed range is narrow, without its lowest value, as contracts have it."""
    constants = [
        writer.constant(f"scale.{scale}", np.asarray(scale, dtype=np.float32)),
        writer.constant("zero_point", np.asarray(0, dtype=np.float32)),
        writer.constant(f"bits.{bits}", np.asarray(bits, dtype=np.float32)),
    ]
    return writer.node(
        "Quant",
        [real, *constants],
        name,
        domain=QUANT_DOMAIN,
        signed=signed,
        narrow=signed,
        rounding_mode=rounding,
    )


def _write_moved(
    writer: GraphWriter, network: Network, before: dict[str, str], after: dict[str, str]
) -> None:
    total = ""
    for population in network.relaxing:
        name = population.name
        change = writer.node("Sub", [after[name], before[name]], f"{name}.change")
        sign = writer.node("Abs", [writer.node("Sign", [change], f"{name}.sign")], f"{name}.any")
        count = writer.node("ReduceSum", [sign], f"{name}.moved", keepdims=0)
        total = writer.node("Add", [total, count], f"{name}.moved.sum") if total else count
    writer.node("Identity", [total], "moved")


def _weight(projection: Projection) -> str:
    """Name of the tensor that holds its matrix (source, target)."""
    direction = "backward" if projection.backward else "forward"
    return f"{projection.coupling.name}.weight.{direction}"
