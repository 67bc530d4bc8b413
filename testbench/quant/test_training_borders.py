"""What training by torch refuses at its borders: devices, starts, bits, and what diverged."""

import numpy as np
import pytest
import torch

from toreq_hw import data
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.quant import cloning
from toreq_hw.quant.evaluation import free_states
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.onnx_run import OnnxRunner
from toreq_hw.quant.options import TrainingOptions
from toreq_hw.quant.starting import parameters_from
from toreq_hw.quant.training import train


@pytest.mark.parametrize(
    "name", ["meta", "meta:0", "cuda:99", "mps", "xla", "hpu", "ideep", "", "x"]
)
def test_a_device_that_holds_no_numbers_is_one_line(name: str) -> None:
    options = TrainingOptions(hidden=(4,), epochs=1, device=name)
    with pytest.raises(
        InputError, match="device must be one that torch can calculate on"
    ) as caught:
        train(options, data.load("digits"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("which", ["weights", "biases"])
@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -1e30, float(1 << 31)])
def test_diverged_training_gives_no_network(which: str, value: float) -> None:
    net = layered((4, 3, 2), WeightFormat.INT8, (4, 4))
    parameters = parameters_from(net, 0.5, torch.device("cpu"))
    getattr(parameters, which)[0].view(-1)[0] = value
    if which == "weights" and not np.isnan(value):
        assert abs(int(parameters.network(1).couplings[0].parameters[0, 0])) == 127, "clipped"
        return
    with pytest.raises(InputError, match=f"trained {which} must stay within"):
        parameters.network(1)


def test_a_start_has_the_outputs_of_the_data() -> None:
    """Labels beyond them would be looked up outside the states."""
    start = layered((64, 8, 9), WeightFormat.INT8, (4, 4))
    with pytest.raises(InputError, match="starting network must have 10 outputs for digits"):
        train(TrainingOptions(epochs=1), data.load("digits"), start=start)


def test_fraction_bits_are_bounded() -> None:
    for bits in (-1, 16, 10**9, 2.0):
        with pytest.raises(InputError, match="fraction_bits must be integers in 0"):
            TrainingOptions(hidden=(4,), fraction_bits=(4, bits))  # type: ignore[arg-type]


BAD_INPUTS = [
    (np.full((2, 4), 256), "must be in 0..255"),
    (np.full((2, 4), -1), "must be in 0..255"),
    (np.full((2, 4), 0.5), "must be integers"),
    (np.zeros((2, 3), int), "must have shape"),
]


@pytest.mark.parametrize(("inputs", "said"), BAD_INPUTS)
def test_states_are_checked_before_torch_and_onnxruntime(inputs: np.ndarray, said: str) -> None:
    net = layered((4, 3, 2), WeightFormat.INT8, (4, 4))
    parameters = parameters_from(net, 0.5, torch.device("cpu"))
    runner = OnnxRunner(to_onnx(net), net)
    for run in (lambda: free_states(parameters, inputs), lambda: runner(inputs)):
        with pytest.raises(InputError, match=said):
            run()


def test_observations_are_finite() -> None:
    task = cloning.task("cartpole")
    for wrong in (np.nan, np.inf):
        with pytest.raises(InputError, match="observations: must be finite"):
            cloning.code(task, np.full((1, 4), wrong))
