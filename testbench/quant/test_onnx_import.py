"""What is read from ONNX files: ours to the bit, MLPs as a start, everything else refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from onnx import TensorProto, helper, numpy_helper

from testbench.networks import Case, cases, random_case
from toreq_hw.commands import main
from toreq_hw.errors import NetworkFileError
from toreq_hw.network import Schedule
from toreq_hw.quant.onnx_file import write_model
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.qonnx_export import to_qonnx


def refusal(file: Path) -> str:
    with pytest.raises(NetworkFileError) as error:
        read_onnx(file)
    message = str(error.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("schedule", Schedule)
def test_an_export_comes_back_to_the_same_bits(
    schedule: Schedule, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("onnx") / "network.onnx"

    @settings(max_examples=15, deadline=None)
    @given(case=cases(schedule))
    def check(case: Case) -> None:
        write_model(to_onnx(case.network), file)
        network, carried = read_onnx(file)
        assert network.sha256 == case.network.sha256
        assert carried == ()

    check()


def test_a_qonnx_export_comes_back_to_the_same_bits(file: Path) -> None:
    case = random_case(11, schedule=Schedule.PARITY)
    write_model(to_qonnx(case.network, 7), file)
    assert read_onnx(file)[0].sha256 == case.network.sha256


def test_a_file_cut_anywhere_is_refused_in_one_line(file: Path) -> None:
    content = to_onnx(random_case(5).network).SerializeToString()
    for length in range(0, len(content), max(1, len(content) // 60)):
        file.write_bytes(content[:length])
        refusal(file)


def test_noise_is_refused(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(4096))
    assert "whole ONNX file" in refusal(file)


def test_an_absent_file_is_refused(file: Path) -> None:
    assert "readable" in refusal(file)


def test_external_data_is_never_opened(file: Path) -> None:
    model = to_onnx(random_case(5).network)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    file.write_bytes(model.SerializeToString())
    message = refusal(file)
    assert "external data '../../etc/passwd'" in message
    assert tensor.name in message


def test_external_data_inside_a_loop_is_never_opened(file: Path) -> None:
    model = to_onnx(random_case(5).network)
    loop = next(n for n in model.graph.node if n.op_type == "Loop")
    tensor = helper.get_attribute_value(loop.attribute[0]).initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="elsewhere")
    file.write_bytes(model.SerializeToString())
    assert "external data 'elsewhere'" in refusal(file)


def test_absurd_sizes_are_refused_before_anything_is_allocated(file: Path) -> None:
    model = to_onnx(random_case(5).network)
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([1 << 40, 1 << 20])
    file.write_bytes(model.SerializeToString())
    assert f"must hold {1 << 60} values" in refusal(file)


def test_a_changed_node_is_refused_by_name(file: Path) -> None:
    model = to_onnx(random_case(5).network)
    node = next(n for n in model.graph.node if n.op_type == "MatMul")
    node.op_type = "Mul"
    file.write_bytes(model.SerializeToString())
    assert repr(node.name) in refusal(file)


def test_a_changed_weight_is_refused(file: Path) -> None:
    model = to_onnx(random_case(5).network)
    tensor = next(t for t in model.graph.initializer if t.name.endswith(".weight"))
    weight = numpy_helper.to_array(tensor).copy()
    weight.flat[0] = 1 if weight.flat[0] <= 0 else 0
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))
    file.write_bytes(model.SerializeToString())
    assert "SHA-256" in refusal(file)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", json.dumps({"format": "toreq-hw network", "version": 1})]
)
def test_a_broken_description_is_refused(text: str, file: Path) -> None:
    model = to_onnx(random_case(5).network)
    next(p for p in model.metadata_props if p.key == "network").value = text
    file.write_bytes(model.SerializeToString())
    refusal(file)


def qonnx_mlp(change: Callable[[list[onnx.NodeProto]], None] = lambda _: None) -> bytes:
    """Input 4 x 8 bits of scale 1, weights W / 16 of 8 bits, states of 4 bits and scale 1/2."""
    weight = np.arange(-6, 6, dtype=np.float32).reshape(4, 3) / 16
    constants = {
        "w": weight,
        "bias": np.array([0.25, -0.5, 1.0], dtype=np.float32),
        "one": np.float32(1),
        "half": np.float32(0.5),
        "lsb": np.float32(1 / 16),
        "zero": np.float32(0),
        "four": np.float32(4),
        "eight": np.float32(8),
    }
    domain = "qonnx.custom_op.general"
    unsigned = {"domain": domain, "signed": 0, "narrow": 0, "rounding_mode": "ROUND"}
    signed = {"domain": domain, "signed": 1, "narrow": 1, "rounding_mode": "ROUND"}
    nodes = [
        helper.make_node("Quant", ["x", "one", "zero", "eight"], ["xq"], "quant_x", **unsigned),
        helper.make_node("Quant", ["w", "lsb", "zero", "eight"], ["wq"], "quant_w", **signed),
        helper.make_node("MatMul", ["xq", "wq"], ["product"], "linear"),
        helper.make_node("Add", ["product", "bias"], ["sum"], "add"),
        helper.make_node("Relu", ["sum"], ["relu"], "relu"),
        helper.make_node("Quant", ["relu", "half", "zero", "four"], ["y"], "quant_y", **unsigned),
    ]
    change(nodes)
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def test_power_of_two_scales_carry_the_integers_of_an_mlp(file: Path) -> None:
    file.write_bytes(qonnx_mlp())
    network, carried = read_onnx(file)
    (coupling,) = network.couplings
    assert carried[0].exact
    assert coupling.fraction_bits == 3, "W / 16 over states of scale 1/2"
    assert np.array_equal(coupling.parameters, np.arange(-6, 6).reshape(4, 3))
    assert network.biases["output"].tolist() == [4, -8, 16], "0.25, -0.5, 1 over 1/2, in 1/8"
    assert (network.input.state_bits, network.output.state_bits) == (8, 4)


def _rename(index: int, operator: str) -> Callable[[list[onnx.NodeProto]], None]:
    def change(nodes: list[onnx.NodeProto]) -> None:
        nodes[index].op_type = operator

    return change


def _rewire(index: int, position: int, name: str) -> Callable[[list[onnx.NodeProto]], None]:
    def change(nodes: list[onnx.NodeProto]) -> None:
        nodes[index].input[position] = name

    return change


def _drop(index: int) -> Callable[[list[onnx.NodeProto]], None]:
    def change(nodes: list[onnx.NodeProto]) -> None:
        nodes[index + 2].input[0] = nodes[index].input[0]
        del nodes[index]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_rename(4, "Sigmoid"), "node 'relu' (Sigmoid)"),
        (_rename(1, "Sqrt"), "node 'quant_w'"),
        (_rewire(5, 2, "one"), "node 'quant_y' (Quant): states must run over 0..2^b - 1"),
        (_rewire(5, 3, "half"), "node 'quant_y' (Quant): states must have 1..8 whole bits"),
        (_rewire(5, 1, "zero"), "node 'quant_y' (Quant): scale must be above 0"),
        (_rewire(3, 1, "w"), "node 'add' (Add)"),
        (_rename(0, "Identity"), "node 'quant_x' (Identity): must be a standard operator"),
        (_drop(0), "node 'linear' (MatMul): must take quantised values"),
    ],
)
def test_what_an_mlp_cannot_carry_is_refused_by_node(
    change: Callable[[list[onnx.NodeProto]], None], said: str, file: Path
) -> None:
    file.write_bytes(qonnx_mlp(change))
    assert said in refusal(file)


def test_weights_that_are_not_numbers_are_refused_by_node(file: Path) -> None:
    model = onnx.ModelProto.FromString(qonnx_mlp())
    weight = np.full((4, 3), np.nan, dtype=np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w"))
    file.write_bytes(model.SerializeToString())
    assert "node 'linear' (MatMul): must have finite weights" in refusal(file)


def test_the_command_says_one_line_and_status_2(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"no graph")
    with pytest.raises(SystemExit) as end:
        main(["import", str(file)])
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
