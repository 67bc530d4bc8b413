"""Feedback shifts leave as ONNX and are trained by torch; test_interchange has QONNX."""

import numpy as np
import pytest
import torch

from testbench.quant.test_onnx_loop import first_difference
from testbench.shifted_networks import narrow_case
from toreq_hw import sim
from toreq_hw.network import Schedule
from toreq_hw.quant import relaxation_batch
from toreq_hw.quant.equilibrium import drive, links
from toreq_hw.quant.evaluation import free_states
from toreq_hw.quant.starting import parameters_from


@pytest.mark.parametrize("schedule", [Schedule.PARITY, Schedule.SYNCHRONOUS])
def test_onnxruntime_agrees_with_the_simulator(schedule: Schedule) -> None:
    case = narrow_case(1, schedule)
    assert first_difference(case.network, case.inputs) is None


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_compiled_loops_and_torch_operations_settle_where_the_simulator_does(hidden: int) -> None:
    """Training on tensors has both; the latter run on other devices."""
    case = narrow_case(4, hidden=hidden)
    parameters = parameters_from(case.network, 0.5, torch.device("cpu"))
    expected = sim.free_phase(case.network, case.inputs)
    found = free_states(parameters, case.inputs)
    layers, (weights, biases) = parameters.layers, parameters.quantise()
    between = links(layers, weights, torch.float64)
    clamped = drive(layers, torch.from_numpy(case.inputs).double(), weights[0], biases)
    others, _ = relaxation_batch.free_phase(layers, between, clamped)
    for other, (name, states) in zip(others, expected.states.items(), strict=True):
        assert np.array_equal(found[name], states)
        assert np.array_equal(other.numpy(), states)
