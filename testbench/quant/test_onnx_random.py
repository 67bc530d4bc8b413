"""Random small graphs are imported to equal integers, or refused by name."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from testbench.quant.random_graphs import QUANT_DOMAIN, Quantised, RandomGraph, random_graph
from toreq_hw import sim
from toreq_hw.errors import ToreqError
from toreq_hw.network import Network
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.records.exchange import Carried

Integers = npt.NDArray[np.int64]

NEAREST = ("ROUND", "HALF_EVEN", "HALF_UP", "HALF_DOWN")


class Quant(OpRun):
    """QONNX's quantiser for onnx's reference evaluator, another runtime than the import's."""

    op_domain = QUANT_DOMAIN

    def _run(
        self,
        values: Any,
        scale: Any,
        zero: Any,
        bits: Any,
        signed: int = 1,
        narrow: int = 1,
        rounding_mode: str = "ROUND",
    ) -> tuple[Any]:
        from qonnx.custom_op.general.quant import quant

        found = quant(values, scale, zero, np.asarray(bits), signed, narrow, rounding_mode)
        return (np.asarray(found, dtype=np.float32),)


def evaluated(graph: RandomGraph, inputs: npt.NDArray[np.float32]) -> dict[str, Any]:
    """What onnx's reference evaluator computes of each quantiser's two values."""
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    names = [name for q in graph.quantisers for name in (q.real, q.value) if name != "x"]
    del model.graph.output[:]
    for name in dict.fromkeys(names):
        model.graph.output.append(helper.make_tensor_value_info(name, 1, None))
    session = ReferenceEvaluator(model, new_ops=[Quant])
    parts = [
        dict(zip(dict.fromkeys(names), session.run(None, {"x": one[None]}), strict=True))
        for one in inputs
    ]
    return {name: np.stack([np.reshape(part[name], -1) for part in parts]) for name in parts[0]} | {
        "x": inputs.reshape(len(inputs), -1)
    }


def steps(values: dict[str, Any], quantiser: Quantised) -> Integers:
    return np.round(values[quantiser.value].astype(np.float64) / quantiser.scale).astype(np.int64)


def fed_forward(network: Network, index: int, states: Integers) -> Integers:
    """One layer by the contract, in Python's integers; what comes back is left out."""
    coupling = network.couplings[index]
    post = network.population(coupling.post)
    deepest = network.accumulator_fraction_bits(post.name)
    half = (1 << deepest) >> 1
    found = np.empty((len(states), post.size), dtype=np.int64)
    for sample, row in enumerate(states.tolist()):
        for neuron in range(post.size):
            column = coupling.parameters[:, neuron].tolist()
            total = sum(w * s for w, s in zip(column, row, strict=True))
            total = (total << (deepest - coupling.fraction_bits)) + int(
                network.biases[post.name][neuron]
            )
            found[sample, neuron] = min(
                max((total + half) >> deepest, post.state_min), post.state_max
            )
    return found


def check_layer(
    network: Network,
    index: int,
    carried: Carried,
    values: dict[str, Any],
    quantisers: tuple[Quantised, Quantised],
) -> None:
    before, after = (steps(values, q) for q in quantisers)
    post = network.population(network.couplings[index].post)
    got, wanted = fed_forward(network, index, before), np.maximum(after, post.state_min)
    assert wanted.max(initial=0) <= post.state_max
    off = np.abs(got - wanted)
    if not carried.exact:
        assert off.max(initial=0) <= max(1, (post.state_max - post.state_min + 2) // 8) + 1
        return
    last = quantisers[1]
    real = values[last.real].astype(np.float64) / last.scale
    place = real * 2 if last.mode in NEAREST else real
    to_boundary = np.abs(place - np.round(place))
    assert off.max(initial=0) <= 1
    assert (to_boundary[off > 0] < 1e-4 * np.maximum(1, np.abs(real[off > 0]))).all()
    if last.mode in NEAREST:
        assert (np.round(place[off > 0]) % 2 == 1).all(), "half-way between two states"


def import_graph(graph: RandomGraph, file: Path) -> tuple[Network, tuple[Carried, ...]] | str:
    file.write_bytes(graph.model.SerializeToString())
    try:
        return read_onnx(file)
    except ToreqError as error:
        message = str(error)
        assert "\n" not in message
        return message.removeprefix(f"{file}: ")


def check_graph(seed: int, file: Path) -> tuple[RandomGraph, str]:
    """Imports one random graph; returns it with the reason for which it was refused, if it was."""
    graph = random_graph(seed)
    found = import_graph(graph, file)
    if isinstance(found, str):
        return graph, found
    network, carried = found
    rng = np.random.default_rng(seed)
    low, high = graph.ends
    size = int(np.prod(graph.sizes))
    states = rng.integers(low - 1, high + 2, (24, size))
    inputs = (states * np.float32(graph.quantisers[0].scale)).astype(np.float32)
    values = evaluated(graph, inputs.reshape(-1, *graph.sizes))
    if len(graph.quantisers) == len(carried) + 1:
        for index, one in enumerate(carried):
            pair = (graph.quantisers[index], graph.quantisers[index + 1])
            check_layer(network, index, one, values, pair)
    first = steps(values, graph.quantisers[0])
    if len(carried) == 1:
        given = np.clip(first, network.input.state_min, network.input.state_max)
        relaxed = sim.relax(network, given.astype(np.int16), engine="reference")
        assert np.array_equal(relaxed.states["output"], fed_forward(network, 0, given))
    return graph, ""


def test_random_graphs_are_imported_to_equal_integers_or_refused(tmp_path: Path) -> None:
    reached: Counter[str] = Counter()

    @settings(max_examples=150, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        _, refused = check_graph(seed, tmp_path / "random.onnx")
        reached["refused" if refused else "imported"] += 1
        assert not refused or refused.startswith("node ")

    check()
    assert reached["imported"] > 20
