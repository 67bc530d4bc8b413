"""Couplings that the project has never seen leave as ONNX and QONNX; torch takes dense ones."""

import pytest

from testbench.quant.test_onnx_loop import first_difference
from testbench.small_kinds import MAKERS, Maker
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.qonnx_export import to_qonnx
from toreq_hw.quant.starting import layers_of

CASES = [(f, s) for f in WeightFormat for s in Schedule]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("weight_format", "schedule"), CASES)
def test_onnxruntime_agrees_with_the_simulator(
    make: Maker, weight_format: WeightFormat, schedule: Schedule
) -> None:
    case = make(21, weight_format, schedule)
    assert first_difference(case.network, case.inputs) is None
    assert to_onnx(case.network).graph == to_onnx(case.dense).graph


@pytest.mark.parametrize("make", MAKERS)
def test_qonnx_holds_the_graph_of_the_dense_network(make: Maker) -> None:
    case = make(22)
    assert to_qonnx(case.network, 6).graph == to_qonnx(case.dense, 6).graph


@pytest.mark.parametrize("make", MAKERS)
def test_training_on_tensors_takes_dense_couplings_alone(make: Maker) -> None:
    with pytest.raises(InputError, match="must have dense couplings, found 'input-hidden' of kind"):
        layers_of(make(23).network)
