"""Couplings that the project has never seen leave as ONNX and QONNX, and are trained by torch."""

import numpy as np
import pytest
import torch

from testbench.quant.test_onnx_loop import first_difference
from testbench.small_kinds import MAKERS, Maker
from toreq_hw import sim
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.quant.evaluation import free_states
from toreq_hw.quant.qonnx_export import to_qonnx
from toreq_hw.quant.starting import layers_of, parameters_from

CASES = [(f, s) for f in WeightFormat for s in Schedule]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("weight_format", "schedule"), CASES)
def test_onnxruntime_agrees_with_the_simulator(
    make: Maker, weight_format: WeightFormat, schedule: Schedule
) -> None:
    case = make(21, weight_format, schedule)
    assert first_difference(case.network, case.inputs) is None


@pytest.mark.parametrize("make", MAKERS)
def test_qonnx_holds_the_graph_of_the_dense_network(make: Maker) -> None:
    case = make(22)
    assert to_qonnx(case.network, 6).graph == to_qonnx(case.dense, 6).graph


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("weight_format", WeightFormat)
def test_training_on_tensors_settles_where_the_simulator_does(
    make: Maker, weight_format: WeightFormat
) -> None:
    case = make(23, weight_format)
    parameters = parameters_from(case.network, 0.5, torch.device("cpu"))
    expected = sim.free_phase(case.network, case.inputs).states
    found = free_states(parameters, case.inputs)
    assert all(np.array_equal(found[name], states) for name, states in expected.items())
    assert parameters.network(case.network.beta_shift).sha256 == case.network.sha256


@pytest.mark.parametrize("make", MAKERS)
def test_products_of_shared_weights_are_added_up(make: Maker) -> None:
    network = make(24).network
    generator = torch.Generator().manual_seed(1)
    for coupling, form in zip(network.couplings, layers_of(network).forms, strict=True):
        pre, post = (torch.randint(0, 9, (5, n), generator=generator) for n in coupling.shape)
        one, other, parameter = coupling.edges()
        expected = np.zeros(coupling.parameters.size)
        np.add.at(expected, parameter, (pre.T @ post).numpy()[one, other])
        found = form.products(pre.double(), post.double())
        assert np.array_equal(found.numpy().ravel(), expected)
