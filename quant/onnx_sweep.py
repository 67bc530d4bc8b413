"""One sweep of a network as the body of an ONNX `Loop`: ticks, the one rounding, who goes on."""

import numpy as np
import onnx

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.network import Network, Pass, Population
from toreq_hw.quant.onnx_graph import GraphWriter, value
from toreq_hw.quant.onnx_products import product_of, shifted


def sweep_body(network: Network) -> onnx.GraphProto:
    """The body of the Loop: one sweep for the whole batch.

    A settled sample stays as it is by itself. One that cycles has to be held at the sweep
    where it was caught, while the others go on.
    """
    writer = GraphWriter()
    state = {p.name: f"before.{p.name}" for p in network.updating}
    for part in network.sweep.passes:
        state |= {name: _update(writer, network, part, name, state) for name in part.populations}
    unequal = _any_difference(writer, network, state, "before", "changed")
    going = writer.node("And", ["active", unequal], "active.unsettled")
    cycled = "cycled"
    cycles = not network.sweep.always_settles
    if cycles:
        away = _any_difference(writer, network, state, "two_before", "away")
        back = writer.node("Not", [away], "back")
        caught = writer.node("And", [going, back], "caught")
        cycled = writer.node("Or", ["cycled", caught], "cycled.or_caught")
        going = writer.node("And", [going, away], "active.uncaught")
    counted = writer.cast("active", np.int32, "active.int32")
    sweeps = writer.node("Add", ["sweeps.before", counted], "sweeps.counted")
    _write_after(writer, network, state, hold=cycles)
    left = writer.cast(going, np.int32, "going.int32")
    count = writer.node("ReduceSum", [left], "going.count", keepdims=0)
    writer.node("Greater", [count, writer.number(0)], "again")
    writer.node("Identity", [going], "active.after")
    writer.node("Identity", [cycled], "cycled.after")
    writer.node("Identity", [sweeps], "sweeps.after")
    return _sweep_graph(writer, network, cycles)


def _write_after(
    writer: GraphWriter, network: Network, state: dict[str, str], *, hold: bool
) -> None:
    """`after.<name>`: the new states, of samples still active only where others must hold."""
    held = ""
    if hold:
        column = writer.constant("int64.column", np.array([1]))
        held = writer.node("Unsqueeze", ["active", column], "active.column")
    for population in network.updating:
        name = population.name
        if hold:
            writer.node("Where", [held, state[name], f"before.{name}"], f"after.{name}")
        else:
            writer.node("Identity", [state[name]], f"after.{name}")


def _sweep_graph(writer: GraphWriter, network: Network, cycles: bool) -> onnx.GraphProto:
    sizes: dict[str, list[str | int]] = {p.name: ["batch", p.size] for p in network.updating}
    inputs = [
        value("sweep", np.int64, []),
        value("go", np.bool_, []),
        value("active", np.bool_, ["batch"]),
        value("cycled", np.bool_, ["batch"]),
        value("sweeps.before", np.int32, ["batch"]),
        *(value(f"before.{name}", np.int32, shape) for name, shape in sizes.items()),
    ]
    outputs = [
        value("again", np.bool_, []),
        value("active.after", np.bool_, ["batch"]),
        value("cycled.after", np.bool_, ["batch"]),
        value("sweeps.after", np.int32, ["batch"]),
        *(value(f"after.{name}", np.int32, shape) for name, shape in sizes.items()),
    ]
    if cycles:
        for name, shape in sizes.items():
            inputs.append(value(f"two_before.{name}", np.int32, shape))
            writer.node("Identity", [f"before.{name}"], f"two_before.{name}.after")
            outputs.append(value(f"two_before.{name}.after", np.int32, shape))
    return writer.graph("sweep", inputs, outputs)


def _update(
    writer: GraphWriter, network: Network, part: Pass, name: str, state: dict[str, str]
) -> str:
    """New states of a population from the present states of its neighbours."""
    population = network.population(name)
    one_by_one = False
    total = f"drive.{name}"
    for projection in network.into(name):
        if projection.source.name not in state:
            continue  # the input, which the drive has, or a clamped output, whose states are 0
        if projection.is_self_projection and part.neuron_by_neuron:
            one_by_one = True
            continue
        product = product_of(writer, network, projection, state[projection.source.name])
        added = f"{projection.coupling.name}.added.{name}"
        total = writer.node("Add", [total, product], added)
    if one_by_one:
        body = _neuron(network, population, total)
        size = writer.number(population.size, np.int64)
        go = writer.number(True, np.bool_)
        return writer.node("Loop", [size, go, state[name]], f"{name}.neuron_by_neuron", body=body)
    return _to_state(writer, network, population, total, f"new.{name}")


def _neuron(network: Network, population: Population, total: str) -> onnx.GraphProto:
    """Body of the inner Loop: updates neuron `neuron` of a self-coupled population.

    total: accumulators without the self-coupling, a value of the surrounding graph.
    """
    writer = GraphWriter()
    name = population.name
    projection = next(p for p in network.into(name) if p.is_self_projection)
    weight = f"{projection.coupling.name}.weight.forward"
    column = writer.node("Gather", [weight, "neuron"], "column", axis=1)
    product = writer.node("MatMul", ["states", column], "self")
    product = shifted(writer, projection, product, "self")
    outside = writer.node("Gather", [total, "neuron"], "outside", axis=1)
    accumulator = writer.node("Add", [outside, product], "accumulator")
    new = _to_state(writer, network, population, accumulator, "new")
    axis = writer.constant("int64.column", np.array([1]))
    new = writer.node("Unsqueeze", [new, axis], "new.column")
    indices = writer.constant("indices", np.arange(population.size))
    chosen = writer.node("Equal", [indices, "neuron"], "chosen")
    writer.node("Where", [chosen, new, "states"], "states.after")
    writer.node("Identity", ["go"], "go.after")
    shape: list[str | int] = ["batch", population.size]
    return writer.graph(
        "neuron",
        [
            value("neuron", np.int64, []),
            value("go", np.bool_, []),
            value("states", np.int32, shape),
        ],
        [value("go.after", np.bool_, []), value("states.after", np.int32, shape)],
    )


def _to_state(
    writer: GraphWriter, network: Network, population: Population, accumulator: str, name: str
) -> str:
    """The one rounding; see the top of this file."""
    fraction_bits = network.accumulator_fraction_bits(population.name)
    half = rounding_half(fraction_bits)
    lowest = (population.state_min << fraction_bits) - half
    highest = (population.state_max << fraction_bits) - half
    bounds = [writer.number(lowest), writer.number(highest)]
    clipped = writer.node("Clip", [accumulator, *bounds], f"{name}.clipped")
    positive = writer.node("Add", [clipped, writer.number(-lowest)], f"{name}.positive")
    unsigned = writer.cast(positive, np.uint32, f"{name}.uint32")
    places = writer.number(fraction_bits, np.uint32)
    shifted = writer.node("BitShift", [unsigned, places], f"{name}.shifted", direction="RIGHT")
    signed = writer.cast(shifted, np.int32, f"{name}.int32")
    return writer.node("Add", [signed, writer.number(population.state_min)], name)


def _any_difference(
    writer: GraphWriter, network: Network, state: dict[str, str], than: str, name: str
) -> str:
    """Whether any state of a sample differs from `<than>.<population>`, bool (batch,)."""
    largest = []
    for population in network.updating:
        part = f"{name}.{population.name}"
        other = f"{than}.{population.name}"
        difference = writer.node("Sub", [state[population.name], other], f"{part}.difference")
        size = writer.node("Abs", [difference], f"{part}.size")
        largest.append(writer.node("ReduceMax", [size], f"{part}.largest", axes=[1], keepdims=0))
    total = largest[0]
    for index, other in enumerate(largest[1:]):
        total = writer.node("Max", [total, other], f"{name}.largest.{index}")
    return writer.node("Greater", [total, writer.number(0)], name)
