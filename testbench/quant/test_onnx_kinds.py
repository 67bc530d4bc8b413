"""Convolutions leave as Conv nodes, other kinds as the matrix of their edges, and come back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings

from testbench.clamped_networks import clamped_case
from testbench.networks import Case
from testbench.quant.chains import chain_case
from testbench.quant.test_onnx_loop import first_difference
from testbench.structured import structured_cases
from toreq_hw.network import (
    ConvolutionCoupling,
    Network,
    Schedule,
    WeightFormat,
    build,
)
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.onnx_products import conv_is_exact
from toreq_hw.quant.onnx_run import OnnxRunner


def all_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    bodies = [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    return [*graph.node, *(node for body in bodies for node in all_nodes(body))]


def operators(network: Network) -> set[str]:
    return {node.op_type for node in all_nodes(to_onnx(network).graph)}


@pytest.mark.parametrize("schedule", Schedule)
def test_onnxruntime_agrees_with_the_simulator(schedule: Schedule) -> None:
    @settings(max_examples=25, deadline=None)
    @given(case=structured_cases(schedule))
    def check(case: Case) -> None:
        onnx.checker.check_model(to_onnx(case.network), full_check=True)
        assert first_difference(case.network, case.inputs) is None

    check()


@pytest.mark.parametrize("seed", range(25))
def test_chains_of_kinds_agree_and_come_back(seed: int, tmp_path: Path) -> None:
    """Feedback shifts, shared biases and clamped readouts among them."""
    case = chain_case(seed)
    assert first_difference(case.network, case.inputs) is None
    file = tmp_path / "net.onnx"
    file.write_bytes(to_onnx(case.network).SerializeToString())
    assert read_onnx(file)[0].sha256 == case.network.sha256


@pytest.mark.parametrize("seed", range(12))
def test_a_clamped_readout_reads_the_same_accumulators(seed: int) -> None:
    case = clamped_case(seed)
    found = OnnxRunner(to_onnx(case.network), case.network, threads=1)(case.inputs)
    assert found.readout.shape == (len(case.inputs), case.network.output.size)
    assert first_difference(case.network, case.inputs) is None


def convolutions(fraction_bits: int = 6) -> Network:
    blank = build(
        "6x7x2",
        ["conv 3 3x2 stride 2 pad 1", "conv 4 2x2", "dense 5"],
        weight_format=WeightFormat.INT8,
        fraction_bits=(fraction_bits,) * 3,
    )
    rng = np.random.default_rng(1)
    drawn = (rng.integers(-99, 100, c.parameters.shape).astype(np.int8) for c in blank.couplings)
    couplings = tuple(c.with_parameters(w) for c, w in zip(blank.couplings, drawn, strict=True))
    return replace(blank, couplings=couplings)


def test_convolutions_are_conv_nodes_and_hold_their_kernel_once() -> None:
    network = convolutions()
    found = operators(network)
    assert {"Conv", "ConvTranspose"} <= found
    assert "ScatterElements" not in found
    stored = {t.name: t for t in to_onnx(network).graph.initializer}
    for coupling in network.couplings:
        tensor = stored[f"{coupling.name}.weight"]
        assert tuple(tensor.dims) == coupling.parameters.shape
    most = max(np.prod(t.dims) for t in stored.values())
    assert most == max(c.parameters.size for c in network.couplings)


@pytest.mark.parametrize("layer", ["average 2", "sum 3"])
def test_pooled_convolutions_send_back_to_every_input(layer: str) -> None:
    """Maps of 5 x 7 positions, so that some belong to no square."""
    blank = build(
        "5x7x1", ["conv 2 1x1", layer, "conv 3 2x2 pad 1", "dense 3"], fraction_bits=(1, 8, 8)
    )
    rng = np.random.default_rng(2)
    drawn = (rng.integers(-99, 100, c.parameters.shape).astype(np.int8) for c in blank.couplings)
    couplings = tuple(c.with_parameters(w) for c, w in zip(blank.couplings, drawn, strict=True))
    network = replace(blank, couplings=couplings)
    inputs = rng.integers(0, 256, (4, 35)).astype(np.int16)
    assert first_difference(network, inputs) is None


def wide_convolution(channels: int) -> Network:
    """Sums of `channels` times 127 times 255 and no more."""
    blank = build(f"1x{channels}", ["conv 2 1", "dense 2"], weight_format=WeightFormat.INT8)
    full = np.full((1, channels, 2), 127, np.int8)
    return replace(blank, couplings=(blank.couplings[0].with_parameters(full), blank.couplings[1]))


def test_a_convolution_whose_sums_leave_float32_is_a_matrix() -> None:
    """518 * 127 * 255 is the last below 2^24."""
    for channels, exact in ((518, True), (519, False)):
        network = wide_convolution(channels)
        coupling = network.couplings[0]
        assert isinstance(coupling, ConvolutionCoupling)
        assert conv_is_exact(network, coupling) == exact
        assert ("Conv" in operators(network)) == exact
        inputs = np.full((2, channels), 255, np.int16)
        inputs[1, ::3] -= 1
        assert first_difference(network, inputs) is None


def test_no_samples_give_no_classes() -> None:
    network = convolutions()
    found = OnnxRunner(to_onnx(network), network, threads=1)(np.zeros((0, 84), np.int16))
    assert found.classes.shape == (0,)
