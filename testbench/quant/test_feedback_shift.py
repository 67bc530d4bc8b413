"""Feedback shifts leave as ONNX, and test_interchange has QONNX; torch refuses them."""

import pytest

from testbench.quant.test_onnx_loop import first_difference
from testbench.shifted_networks import narrow_case
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.quant.starting import layers_of


@pytest.mark.parametrize("schedule", [Schedule.PARITY, Schedule.SYNCHRONOUS])
def test_onnxruntime_agrees_with_the_simulator(schedule: Schedule) -> None:
    case = narrow_case(1, schedule)
    assert first_difference(case.network, case.inputs) is None


def test_training_in_torch_refuses_shifts() -> None:
    with pytest.raises(InputError, match="starting network must have no feedback shift, found"):
        layers_of(narrow_case(3).network)
