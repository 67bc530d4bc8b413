"""A network as a torch module settles where the simulator does, in every state."""

import io

import numpy as np
import pytest
import torch

from examples.torch_module import run as run_example
from testbench.clamped_networks import clamped_case
from testbench.colourings import chequered_case
from testbench.networks import Case, random_case
from testbench.structured import structured_case
from toreq_hw import data, sim
from toreq_hw.errors import InputError
from toreq_hw.network import Encoding, FeedbackKind, Schedule, WeightFormat, build, layered
from toreq_hw.quant import EquilibriumModule


def cases(seed: int) -> list[Case]:
    return [
        random_case(seed, schedule=Schedule.PARITY, skips=True),
        random_case(seed, schedule=Schedule.SEQUENTIAL),
        structured_case(seed, schedule=Schedule.PARITY),
        structured_case(seed, schedule=Schedule.SEQUENTIAL),
        clamped_case(seed, schedule=Schedule.PARITY),
        chequered_case(seed),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_it_settles_where_the_simulator_does(seed: int) -> None:
    for case in cases(seed):
        expected = sim.relax(case.network, case.inputs)
        module = EquilibriumModule(case.network)
        found = module.relax(torch.from_numpy(case.inputs))
        for name, states in expected.states.items():
            assert np.array_equal(found.states[name].numpy(), states), (seed, case.network)
        assert np.array_equal(found.sweeps.numpy(), expected.sweeps)
        assert bool(found.settled.all())
        assert np.array_equal(found.scores.argmax(dim=1).numpy(), expected.classes)
        if case.network.readout is not None:
            assert np.array_equal(found.scores.numpy(), expected.readout)
        assert torch.equal(module(torch.from_numpy(case.inputs)), found.scores)


def test_a_limit_on_sweeps_is_the_simulators() -> None:
    case = random_case(3, schedule=Schedule.PARITY)
    expected = sim.relax(case.network, case.inputs, max_sweeps=1)
    found = EquilibriumModule(case.network, max_sweeps=1).relax(torch.from_numpy(case.inputs))
    assert found.settled.tolist() == (expected.status == sim.Status.SETTLED).tolist()
    for name, states in expected.states.items():
        assert np.array_equal(found.states[name].numpy(), states)


def test_weights_are_buffers_that_can_be_carried() -> None:
    case = random_case(1, schedule=Schedule.PARITY)
    module = EquilibriumModule(case.network)
    assert list(module.parameters()) == []
    kept = io.BytesIO()
    torch.save(module.state_dict(), kept)
    kept.seek(0)
    blank = EquilibriumModule(case.network)
    for buffer in blank.buffers():
        buffer.zero_()
    blank.load_state_dict(torch.load(kept))
    inputs = torch.from_numpy(case.inputs)
    assert torch.equal(blank(inputs), module(inputs))


def test_an_empty_batch_is_one() -> None:
    net = random_case(1, schedule=Schedule.PARITY).network
    found = EquilibriumModule(net).relax(torch.zeros((0, net.input.size), dtype=torch.int16))
    assert found.scores.shape == (0, net.output.size)


def test_what_it_cannot_do_is_refused() -> None:
    net = layered((4, 3, 2), WeightFormat.INT8, (7, 7))
    module = EquilibriumModule(net)
    with pytest.raises(InputError, match=r"inputs must be integers \(batch, 4\)"):
        module(torch.zeros(2, 4))
    with pytest.raises(InputError, match=r"inputs must be integers \(batch, 4\)"):
        module(torch.zeros((2, 3), dtype=torch.int16))
    with pytest.raises(InputError, match=r"inputs must be in 0\.\.255, found 0\.\.256"):
        module(torch.tensor([[0, 1, 2, 256]]))
    with pytest.raises(InputError, match="for a torch module"):
        EquilibriumModule(build("4x3", ["attention 2", "dense 2"]))
    learned = layered((4, 3, 2), WeightFormat.INT8, (7, 7), feedback=FeedbackKind.LEARNED)
    with pytest.raises(InputError, match="for a torch module"):
        EquilibriumModule(learned)
    with pytest.raises(InputError, match="for a torch module"):
        EquilibriumModule(random_case(0, schedule=Schedule.SYNCHRONOUS).network)


def test_floats_are_features_or_pixels() -> None:
    encoding = Encoding((0.0, -1.0), (10.0, 1.0), centred=True)
    net = layered((2, 3, 2), WeightFormat.INT8, (7, 7), encoding=encoding)
    values = np.array([[0.0, 1.0], [5.0, 0.25], [99.0, -9.0]])
    inputs = data.input_states(net, encoding.pixels(values), 255)
    found = EquilibriumModule(net).relax(torch.from_numpy(values).float()).states["input"]
    assert np.array_equal(found.numpy(), inputs)
    assert np.array_equal(
        EquilibriumModule(net).relax(torch.from_numpy(inputs)).states["input"], found
    )
    plain = layered((4, 3, 2), WeightFormat.INT8, (7, 7))
    white = torch.rand(2, 2, 2, generator=torch.Generator().manual_seed(1))
    module = EquilibriumModule(plain, inputs="pixels")
    flat = white.reshape(2, 4).double().numpy()
    expected = data.encode(flat, 255, plain.input)
    assert np.array_equal(module.relax(white.flatten(1)).states["input"].numpy(), expected)
    assert torch.nn.Sequential(torch.nn.Flatten(), module)(white).shape == (2, 2)
    halves = torch.full((1, 2), 0.5)
    centre = EquilibriumModule(net, inputs="pixels").relax(halves).states["input"]
    assert centre.tolist() == data.input_states(net, np.full((1, 2), 128), 255).tolist()


def test_floats_that_are_neither_are_refused_in_one_line() -> None:
    plain = layered((4, 3, 2), WeightFormat.INT8, (7, 7))
    cases = [
        (
            lambda: EquilibriumModule(plain)(torch.zeros(2, 4)),
            "make the module with inputs='pixels'",
        ),
        (lambda: EquilibriumModule(plain, inputs="features"), "without an encoding"),
        (
            lambda: EquilibriumModule(plain, inputs="floats"),
            "inputs must be one of states, features",
        ),
        (lambda: EquilibriumModule(plain, inputs="pixels")(torch.full((1, 4), 3.0)), "in 0..1"),
        (
            lambda: EquilibriumModule(plain, inputs="pixels")(torch.zeros(1, 3)),
            "must be floats (batch",
        ),
        (lambda: EquilibriumModule(plain).half(), "must keep its float64"),
        (lambda: EquilibriumModule(plain).float(), "move it by .to(device) alone"),
    ]
    for call, said in cases:
        with pytest.raises(InputError) as caught:
            call()
        assert said in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    assert EquilibriumModule(plain).to("cpu").double().get_buffer("bias0").dtype == torch.int64


def test_its_repr_says_what_it_is() -> None:
    module = EquilibriumModule(layered((4, 3, 2), WeightFormat.INT8, (7, 7)), 100, inputs="pixels")
    said = "EquilibriumModule(4-3-2 int8, readout relaxing, inputs=pixels, max_sweeps=100)"
    assert repr(module) == said


def test_the_example_runs() -> None:
    reported, found = run_example(samples=200, epochs=3)
    assert reported == found > 0.25
