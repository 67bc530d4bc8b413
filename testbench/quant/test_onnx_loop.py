"""The exported Loop is the simulator's function: same states, classes, sweeps and endings."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings

from testbench.colourings import chequered_case
from testbench.networks import Case, cases, random_case
from toreq_hw import data, sim
from toreq_hw import network as network_file
from toreq_hw.contract.difference import Difference
from toreq_hw.errors import NetworkError
from toreq_hw.network import Network, Schedule, WeightFormat, split_by_colour
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.onnx_run import OnnxRunner
from toreq_hw.quant.options import TrainingOptions
from toreq_hw.quant.training import train


def first_difference(network: Network, inputs: np.ndarray) -> Difference | None:
    found = OnnxRunner(to_onnx(network), network, threads=1)(inputs)
    assert len(found.sweeps) == len(found.status) == len(found.own_classes) == len(inputs)
    return sim.first_difference(sim.free_phase(network, inputs), found)


@pytest.mark.parametrize("schedule", Schedule)
def test_onnxruntime_agrees_with_the_simulator(schedule: Schedule) -> None:
    @settings(max_examples=25, deadline=None)
    @given(case=cases(schedule))
    def check(case: Case) -> None:
        onnx.checker.check_model(to_onnx(case.network), full_check=True)
        assert first_difference(case.network, case.inputs) is None

    check()


def test_two_cycles_are_held_where_the_simulator_ends_them() -> None:
    seeds = range(40)
    drawn = [random_case(s, schedule=Schedule.SYNCHRONOUS, batch=8) for s in seeds]
    cycling = [c for c in drawn if (sim.free_phase(c.network, c.inputs).status == 1).any()]
    assert cycling, "the drawn networks must show two-cycles, or this tests nothing"
    for case in cycling:
        assert first_difference(case.network, case.inputs) is None


def test_a_chequered_lattice_split_by_colour_has_the_same_states() -> None:
    for seed in range(3):
        case = chequered_case(seed)
        with pytest.raises(NetworkError, match=r"for ONNX, found a colouring .*split_by_colour"):
            to_onnx(case.network)
        split = split_by_colour(case.network)
        found = OnnxRunner(to_onnx(split.network), split.network, threads=1)(case.inputs)
        expected = sim.free_phase(case.network, case.inputs)
        states = split.to_original(found.states)
        assert all(np.array_equal(expected.states[name], states[name]) for name in states)
        assert np.array_equal(expected.sweeps, found.sweeps)


def test_no_samples_give_no_classes() -> None:
    case = random_case(3)
    found = OnnxRunner(to_onnx(case.network), case.network, threads=1)(case.inputs[:0])
    assert found.classes.shape == (0,)


@pytest.mark.parametrize("weight_format", WeightFormat)
def test_a_thousand_images_have_no_differing_state(
    weight_format: WeightFormat, tmp_path: Path
) -> None:
    """Digits always; MNIST where its files are at hand (TOREQ_HW_DATA)."""
    names = ["digits", *(["mnist"] if os.environ.get("TOREQ_HW_DATA") else [])]
    for name in names:
        dataset = data.load(name)
        short = data.Dataset(
            name,
            dataset.shape,
            dataset.pixel_max,
            dataset.classes,
            "the first 2,000 training images train",
            dataset.train.take(slice(0, 2000)),
            dataset.test,
        )
        options = TrainingOptions(hidden=(64,), weight_format=weight_format, epochs=2)
        network = train(options, short).network
        images = np.concatenate([dataset.test.images, dataset.train.images])[:1000]
        inputs = data.encode(images, dataset.pixel_max, network.input)
        assert len(inputs) == 1000
        assert first_difference(network, inputs) is None
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(to_onnx(network).SerializeToString())
        assert read_onnx(file)[0].sha256 == network.sha256
        network_file.save(network, tmp_path / f"{name}.safetensors")
