"""Convolutions in NIR, node by node, and on the mapper's cores, which store equal lists once."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.structured import random_convolution, sparse_equivalent, structured_case
from toreq_hw.lava_backend import nir_export
from toreq_hw.lava_backend.mapper import load_chip, map_network
from toreq_hw.lava_backend.nir_nodes import shapes_of
from toreq_hw.network import (
    ConvolutionCoupling,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    build,
)
from toreq_hw.records.chip import Chip
from toreq_hw.targets.chip_report import _shared_lines

nir = pytest.importorskip("nir")


def passed(node: Any, value: np.ndarray) -> np.ndarray:
    """What a NIR node puts out, written from NIR's own definitions."""
    if isinstance(node, nir.Linear):
        return node.weight.astype(int) @ value
    if isinstance(node, nir.SumPool2d):
        q = int(node.kernel_size[0])
        rows, columns = value.shape[1] // q, value.shape[2] // q
        whole = value[:, : rows * q, : columns * q]
        return whole.reshape(len(value), rows, q, columns, q).sum(axis=(2, 4))
    assert isinstance(node, nir.Conv1d | nir.Conv2d)
    axes = node.weight.ndim - 2
    stride, padding = (np.broadcast_to(part, axes) for part in (node.stride, node.padding))
    padded = np.pad(value, [(0, 0), *((int(p), int(p)) for p in padding)])
    taps = node.weight.shape[2:]
    sizes = [(n - k) // s + 1 for n, k, s in zip(padded.shape[1:], taps, stride, strict=True)]
    found = np.zeros((len(node.weight), *sizes), dtype=int)
    for place in product(*map(range, sizes)):
        window = tuple(slice(o * s, o * s + k) for o, s, k in zip(place, stride, taps, strict=True))
        seen = padded[(slice(None), *window)]
        products = node.weight.astype(int) * seen
        found[(slice(None), *place)] = products.reshape(len(found), -1).sum(axis=1)
    return found


def check_graph(network: Network, graph: Any) -> list[str]:
    """Every projection's nodes give its sums; the types of the nodes that were met."""
    shapes, rng, kinds = shapes_of(network), np.random.default_rng(0), []
    for projection in network.projections:
        name = f"{projection.source.name}-{projection.target.name}"
        states = rng.integers(-9, 10, projection.source.size)
        value = states[shapes.order(projection.source)]
        value = value.reshape(shapes.by_name[projection.source.name])
        for node in (f"{name}-pool", name, f"{name}-places"):
            if node in graph.nodes:
                value = passed(graph.nodes[node], value)
                kinds.append(type(graph.nodes[node]).__name__)
        expected = (states @ projection.matrix.astype(int))[shapes.order(projection.target)]
        assert np.array_equal(value.reshape(-1), expected), name
    return kinds


@pytest.mark.parametrize("seed", range(20))
def test_nir_nodes_give_the_sums_of_their_projections(seed: int, tmp_path: Path) -> None:
    network = structured_case(seed, schedule=Schedule.PARITY).network
    nir_export.export(network, tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    kinds = check_graph(network, graph)
    assert any(kind in kinds for kind in ("Conv1d", "Conv2d", "Linear"))
    shapes = shapes_of(network)
    for population in network.relaxing:
        bias = graph.nodes[population.name].metadata["bias"]
        assert bias.shape == shapes.by_name[population.name]
        assert np.array_equal(
            bias.reshape(-1), network.biases[population.name][shapes.order(population)]
        )


def draw_network(words: str, layers: list[str]) -> Network:
    blank = build(words, layers)
    rng = np.random.default_rng(1)
    weights = (rng.integers(-99, 100, c.parameters.shape).astype(np.int8) for c in blank.couplings)
    couplings = tuple(c.with_parameters(w) for c, w in zip(blank.couplings, weights, strict=True))
    return replace(blank, couplings=couplings)


CONVOLUTIONS = [
    ("5x5x2", ["conv 3 2x2", "conv 2 3x3 pad 1", "dense 3"], "Conv2d", 1),
    ("7x2", ["conv 3 3", "conv 2 2 pad 1", "dense 3"], "Conv1d", 1),
    ("7x2", ["conv 3 2", "sum 2", "conv 2 2 pad 1", "dense 3"], "Conv1d", 2),
    ("9x9x1", ["conv 2 2x2", "sum 2", "conv 2 2x2", "dense 3"], "Conv2d", 2),
    ("9x9x1", ["conv 2 2x2", "conv 2 2x2 stride 2", "dense 3"], "Conv2d", 2),
    ("5x6x2", ["conv 3 2x2", "conv 2 2x2", "dense 3"], "Linear", 1),
    ("6x6x2", ["conv 3 2x1", "conv 2 2x2", "dense 3"], "Linear", 1),
]


@pytest.mark.parametrize(("words", "layers", "kind", "nodes_back"), CONVOLUTIONS)
def test_a_network_of_convolutions_is_one_in_nir(
    words: str, layers: list[str], kind: str, nodes_back: int, tmp_path: Path
) -> None:
    """A stride or pooling costs the way back a second node; what is not square is all Linear."""
    network = draw_network(words, layers)
    nir_export.export(network, tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    assert set(check_graph(network, graph)) <= {kind, "SumPool2d"}
    back = [name for name in graph.nodes if name.startswith("hidden2-hidden1")]
    assert len(back) == nodes_back
    pooled = "sum 2" in layers and kind == "Conv2d"
    assert ("hidden1-hidden2-pool" in graph.nodes) == pooled


def without_sharing(chip: Chip) -> Chip:
    return replace(chip, counts={**chip.counts, "axons_per_list": 1})


def of_sparse(network: Network) -> Network:
    """The same network with a weight for each synapse of its convolutions."""
    couplings = tuple(
        sparse_equivalent(c) if isinstance(c, ConvolutionCoupling) else c for c in network.couplings
    )
    return replace(network, couplings=couplings)


def test_a_convolution_counted_by_hand() -> None:
    """Five places in a row, a kernel of two taps, no padding: inner inputs have two synapses with
    the same parameters, the first and the last one have one each. So there are three lists.
    """
    ends = Population("input", 5, Role.INPUT), Population("output", 4, Role.OUTPUT)
    kernel = np.array([[[3]], [[-5]]], np.int8)
    coupling = ConvolutionCoupling(
        "input", "output", kernel, 3, WeightFormat.INT8, input_shape=(5, 1)
    )
    network = Network(ends, (coupling,), {})
    chip = load_chip("loihi2")
    shared, apart = map_network(network, chip), map_network(network, without_sharing(chip))
    assert [m.cores[0].used["synapse_bits"] for m in (shared, apart)] == [3 * 64, 5 * 64]
    assert [m.cores[0].used["axons_in"] for m in (shared, apart)] == [5, 5]
    (found,) = shared.record().shared
    assert (found.weights, found.synapses, found.bits, found.bits_unshared) == (2, 8, 192, 320)
    (line,) = _shared_lines(shared)
    assert line == (
        "input->output: 8 synapses share 2 weights; equal lists stored once take 192 bits instead "
        "of 320 bits"
    )
    (line,) = _shared_lines(apart)
    assert line.endswith("no list is stored for several axons: 320 bits")
    pairs = replace(chip, counts={**chip.counts, "axons_per_list": 2})
    assert map_network(network, pairs).cores[0].used["synapse_bits"] == 4 * 64


@pytest.mark.parametrize("seed", range(12))
def test_lists_are_those_that_differ(seed: int) -> None:
    """Beside a plain count of distinct lists on every core."""
    rng = np.random.default_rng(seed)
    coupling = random_convolution(rng, post="output")
    ends = (
        Population("input", coupling.shape[0], Role.INPUT),
        Population("output", coupling.shape[1], Role.OUTPUT),
    )
    network = Network(ends, (coupling,), {})
    chip = load_chip("loihi2")
    split = replace(chip, counts={**chip.counts, "neurons_per_core": 5})
    mapping = map_network(network, split)
    pre, post, parameter = coupling.edges()
    values = coupling.parameters.reshape(-1)[parameter]
    for core in mapping.cores:
        lists: dict[int, set[tuple[int, int]]] = {}
        for i, j, k, value in zip(pre, post, parameter, values, strict=True):
            if core.first <= j < core.last and value:
                lists.setdefault(int(i), set()).add((int(j), int(k)))
        kept = {
            frozenset((j - min(one for one, _ in own), k) for j, k in own) for own in lists.values()
        }
        assert core.used["axons_in"] == len(lists)
        shortest = core.used["synapse_bits"] / max(len(kept), 1)
        assert len(kept) * 64 <= core.used["synapse_bits"] or not kept
        assert core.used["synapse_bits"] % 64 == 0
        assert shortest <= 64 * 3


@pytest.mark.parametrize("seed", range(8))
def test_without_sharing_it_is_the_map_of_single_synapses(seed: int) -> None:
    network = structured_case(seed, schedule=Schedule.PARITY).network
    chip = load_chip("loihi2")
    apart = map_network(network, without_sharing(chip))
    assert apart.cores == map_network(of_sparse(network), chip).cores
    shared = map_network(network, chip)
    assert sum(c.used["synapse_bits"] for c in shared.cores) <= sum(
        c.used["synapse_bits"] for c in apart.cores
    )
    for found in apart.record().shared:
        assert found.bits == found.bits_unshared


def test_dense_weights_share_nothing() -> None:
    coupling = DenseCoupling("input", "output", np.ones((6, 3), np.int8), 2, WeightFormat.INT8)
    ends = Population("input", 6, Role.INPUT), Population("output", 3, Role.OUTPUT)
    mapping = map_network(Network(ends, (coupling,), {}), load_chip("loihi2"))
    assert mapping.record().shared == ()
    assert mapping.cores[0].used["synapse_bits"] == 6 * 64


def test_a_chip_that_says_nothing_shares_nothing(tmp_path: Path) -> None:
    from toreq_hw.lava_backend.mapper import chip as chip_module

    text = (Path(chip_module.__file__).parent.parent / "chips/loihi2.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("axons_per_list")]
    path = tmp_path / "old.toml"
    path.write_text("\n".join(lines))
    assert load_chip(str(path)).counts["axons_per_list"] == 1
