"""Nodes, attributes and element types: understood as the standard has them, or refused by name."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx import helper

from testbench.quant.qonnx_layer import (
    BIAS,
    FRONT,
    OUTPUT_SCALE,
    RELU,
    SUMS,
    import_nodes,
    model,
    outputs,
    quant,
    refusal,
    rounded,
)
from toreq_hw.errors import MissingDependencyError
from toreq_hw.quant import onnx_layers, onnx_mlp, onnx_quantisers, onnx_states
from toreq_hw.quant.onnx_import import read_onnx

node = helper.make_node


def test_a_relu_before_signed_states_leaves_the_states_above_0(file: Path) -> None:
    network = import_nodes(file, RELU, quant("r", "y", "scale_y"))
    assert (network.output.state_bits, network.output.signed) == (7, False)
    assert np.array_equal(outputs(network), rounded(np.maximum(SUMS, 0), 0, 127))


@pytest.mark.parametrize("factor", [np.float32([-1, 2, 1]), np.float32([1, 2, 1])])
def test_a_normalisation_behind_a_relu_is_refused_where_it_moves_the_bound(
    factor: npt.NDArray[np.float32], file: Path
) -> None:
    inputs = ["r", "factor", "shift", "zeros", "ones"]
    tail = [RELU, node("BatchNormalization", inputs, ["n"], "norm"), quant("n", "y", "scale_y")]
    more = {"factor": factor, "shift": np.float32([1, -1, 0.5])}
    more |= {"zeros": np.zeros(3, np.float32), "ones": np.ones(3, np.float32)}
    assert "node 'norm' (BatchNormalization): must bound all neurons" in refusal(
        file, model([*FRONT, *tail], more)
    )


def test_a_normalisation_behind_a_relu_is_carried_where_the_bound_is_below_all_states(
    file: Path,
) -> None:
    inputs = ["r", "factor", "shift", "mean", "variance"]
    tail = [
        RELU,
        node("BatchNormalization", inputs, ["n"], "norm", epsilon=0.0),
        quant("n", "y", "scale_y", signed=0),
    ]
    more = {"factor": [1.0, 0.5, 2.0], "shift": [0, -0.5, 0], "mean": [0.25, 0, 1]}
    network = import_nodes(file, *tail, variance=np.ones(3, np.float32), **more)
    factor, shift, mean = (np.array(part) for part in more.values())
    expected = (np.maximum(SUMS, 0) - mean) * factor + shift
    assert np.array_equal(outputs(network), rounded(expected, 0, 255))


def test_an_add_behind_a_relu_is_refused_by_name(file: Path) -> None:
    tail = [RELU, node("Add", ["r", "bias"], ["n"], "add"), quant("n", "y", "scale_y", signed=0)]
    assert "node 'add' (Add): must bound all" in refusal(
        file, model([*FRONT, *tail], {"bias": BIAS})
    )


def test_a_signalling_nan_is_refused_in_one_line(file: Path) -> None:
    bias = np.full(3, 0x7FA00000, np.uint32).view(np.float32)
    nodes = [*FRONT, node("Add", ["a", "bias"], ["n"], "add")]
    said = refusal(file, model([*nodes, quant("n", "y", "scale_y", signed=0)], {"bias": bias}))
    assert "add" in said


@pytest.mark.parametrize("shape", [(3,), (1, 3)])
@pytest.mark.parametrize("operator", ["Add", "Gemm"])
def test_a_bias_may_have_a_batch_of_one(operator: str, shape: tuple[int, ...], file: Path) -> None:
    bias = BIAS.reshape(shape)
    if operator == "Add":
        nodes = [*FRONT, node("Add", ["a", "bias"], ["n"], "add")]
    else:
        nodes = [*FRONT[:2], node("Gemm", ["xq", "Wq", "bias"], ["n"], "gemm")]
    found = model([*nodes, quant("n", "y", "scale_y", signed=0)], {"bias": bias})
    file.write_bytes(found.SerializeToString())
    assert np.array_equal(outputs(read_onnx(file)[0]), rounded(SUMS + BIAS, 0, 255))


@pytest.mark.parametrize("shape", [(3, 1), (1, 1, 3), (2,)])
def test_a_bias_that_is_not_one_value_per_neuron_is_refused(
    shape: tuple[int, ...], file: Path
) -> None:
    tail = [node("Add", ["a", "bias"], ["n"], "add"), quant("n", "y", "scale_y")]
    found = model([*FRONT, *tail], {"bias": np.ones(shape, np.float32)})
    assert "node 'add' (Add): must add one value per neuron" in refusal(file, found)


MODES = {
    "FLOOR": np.floor,
    "floor": np.floor,
    "CEIL": np.ceil,
    "DOWN": np.trunc,
    "UP": lambda v: np.sign(v) * np.ceil(np.abs(v)),
    "HALF_UP": lambda v: np.floor(v + 0.5),
    "HALF_DOWN": lambda v: np.floor(v + 0.5),
    "ROUND": lambda v: np.floor(v + 0.5),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signed", [0, 1])
def test_rounding_modes_are_carried_or_refused(mode: str, signed: int, file: Path) -> None:
    tail = [
        node("Add", ["a", "bias"], ["n"], "add"),
        quant("n", "y", "scale_y", signed=signed, rounding_mode=mode),
    ]
    bias = np.float32([0.3, -0.21, 1.07])  # between two LSBs of the accumulator
    if signed and mode in ("UP", "DOWN"):
        found = model([*FRONT, *tail], {"bias": bias})
        assert f"signed states must not be rounded {mode}" in refusal(file, found)
        return
    expected = MODES[mode]((SUMS + bias) / OUTPUT_SCALE)
    low, high = (-127, 127) if signed else (0, 255)
    assert np.array_equal(
        outputs(import_nodes(file, *tail, bias=bias)), np.clip(expected, low, high)
    )


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"rounding_mode": "STOCHASTIC"}, "rounding_mode must be"),
        ({"signed": 2}, "signed must be 0 or 1, not 2"),
        ({"signed": 0, "narrow": 1}, "found 0..254"),
        ({"per_channel": 1}, "unknown attribute 'per_channel'"),
        ({"signed": 1.0}, "signed must be one INT"),
    ],
)
def test_attributes_of_a_quantiser_are_understood_or_refused(
    attributes: dict[str, Any], said: str, file: Path
) -> None:
    found = model([*FRONT, quant("a", "y", "scale_y", **attributes)])
    message = refusal(file, found)
    assert "node 'y' (Quant)" in message
    assert said in message


def test_signed_states_lose_their_lowest_and_say_so(file: Path) -> None:
    nodes = [*FRONT, quant("a", "y", "scale_y", bits="four")]
    file.write_bytes(model(nodes).SerializeToString())
    network, (carried,) = read_onnx(file)
    assert (network.output.state_min, network.output.state_max) == (-7, 7)
    assert carried.lowest > 0
    narrow = [*FRONT, quant("a", "y", "scale_y", bits="four", narrow=1)]
    file.write_bytes(model(narrow).SerializeToString())
    other, (carried,) = read_onnx(file)
    assert other.sha256 == network.sha256
    assert carried.lowest == 0


@pytest.mark.parametrize(
    ("index", "domain"), [(2, "com.microsoft"), (3, "private"), (0, ""), (3, "ai.onnx.ml")]
)
def test_a_node_of_another_domain_is_refused_by_name(index: int, domain: str, file: Path) -> None:
    found = model([*FRONT, RELU, quant("r", "y", "scale_y")])
    found.graph.node[index].domain = domain
    if domain:
        found.opset_import.append(helper.make_opsetid(domain, 1))
    assert f"node {found.graph.node[index].name!r}" in refusal(file, found)


def test_a_clip_of_the_sums_is_an_upper_bound(file: Path) -> None:
    clip = node("Clip", ["a", "low", "high"], ["c"], "clip")
    more = {"low": np.float32(0), "high": np.float32(15 * OUTPUT_SCALE)}
    network = import_nodes(file, clip, quant("c", "y", "scale_y", signed=0), **more)
    assert network.output.state_bits == 4
    assert np.array_equal(outputs(network), rounded(SUMS, 0, 15))


def test_a_relu_read_wrongly_is_noticed_by_running_the_graph(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_layers.Layer, "clip", lambda *_: None)
    found = model([*FRONT, RELU, quant("r", "y", "scale_y")])
    assert "node 'linear' (MatMul): must compute what was read of it" in refusal(file, found)


def test_a_quantiser_read_wrongly_is_noticed_by_running_the_graph(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_states, "rounding_of", lambda _: onnx_quantisers.Rounding.HALF_EVEN)
    found = model([*FRONT, quant("a", "y", "scale_y", rounding_mode="FLOOR")])
    assert "node 'y' (Quant): must compute what was read of it" in refusal(file, found)


def test_wrong_integers_are_noticed_by_running_the_graph(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = onnx_mlp._bias
    monkeypatch.setattr(onnx_mlp, "_bias", lambda *arguments: honest(*arguments) + 64)
    found = model([*FRONT, quant("a", "y", "scale_y", signed=0)])
    assert "where the network has" in refusal(file, found)


def test_a_missing_qonnx_names_the_extra(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "qonnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "qonnx", None)
    file.write_bytes(model([*FRONT, quant("a", "y", "scale_y")]).SerializeToString())
    with pytest.raises(MissingDependencyError, match=r"qonnx.* installed; run: .*quant"):
        read_onnx(file)
