"""Training on tensors takes chains of any kind of coupling; its states are the simulator's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from testbench.networks import Case
from testbench.quant.chains import chain_case
from toreq_hw import data, sim
from toreq_hw.contract.readout import output_errors
from toreq_hw.data import Dataset
from toreq_hw.network import ClampedReadout, Network, SparseCoupling, WeightFormat, build
from toreq_hw.quant import forms
from toreq_hw.quant.convolution_form import ConvolutionForm
from toreq_hw.quant.evaluation import free_phase_of
from toreq_hw.quant.options import Rule, TrainingOptions
from toreq_hw.quant.parameters import Parameters
from toreq_hw.quant.rules import backprop_gradients, eqprop_gradients, forward
from toreq_hw.quant.starting import layers_of, parameters_from, shape_options
from toreq_hw.quant.training import Training, train

CPU = torch.device("cpu")
SEEDS = range(40)


def parameters_of(network: Network) -> Parameters:
    return parameters_from(network, 0.5, CPU)


@pytest.mark.parametrize("seed", SEEDS)
def test_its_free_phase_is_the_simulators(seed: int) -> None:
    case = chain_case(seed)
    expected = sim.free_phase(case.network, case.inputs, engine="event")
    states, sums = free_phase_of(parameters_of(case.network), case.inputs)
    for name, own in expected.states.items():
        assert np.array_equal(states[name], own), name
    assert np.array_equal(sums, expected.readout)


def products_of(network: Network, case: Case) -> list[np.ndarray]:
    """The contract's contrast of every parameter, edge by edge, from the simulator's phases."""
    free = sim.free_phase(network, case.inputs)
    phases = [sim.nudged_phase(network, case.inputs, free, case.labels, s).states for s in (1, -1)]
    if network.readout is not None:
        sent = output_errors(network, free.readout, case.labels)
        phases = [{**p, "output": s * sent} for p, s in zip(phases, (1, -1), strict=True)]
    found = []
    for coupling in network.couplings:
        pre, post, parameter = coupling.edges()
        total = np.zeros(coupling.parameters.size, dtype=np.int64)
        for sign, states in zip((1, -1), phases, strict=True):
            known = {network.input.name: case.inputs, **states}
            left, right = (known[n].astype(np.int64) for n in (coupling.pre, coupling.post))
            np.add.at(total, parameter, sign * (left[:, pre] * right[:, post]).sum(axis=0))
        found.append(total.reshape(coupling.parameters.shape))
    for population in network.relaxing:
        change = (phases[0][population.name].astype(np.int64) - phases[1][population.name]).sum(0)
        found.append(change.reshape(-1, population.biases).sum(0) * population.state_max)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_its_gradient_is_the_contracts_contrast(seed: int) -> None:
    case = chain_case(seed)
    parameters = parameters_of(case.network)
    classes, _ = eqprop_gradients(
        parameters,
        torch.from_numpy(case.inputs),
        torch.from_numpy(case.labels),
        case.network.beta_shift,
    )
    assert np.array_equal(classes.numpy(), sim.free_phase(case.network, case.inputs).classes)
    expected = products_of(case.network, case)
    latents = (*parameters.weights, *parameters.biases)
    for latent, contrast in zip(latents, expected, strict=True):
        found = latent.grad.double().numpy() * -len(case.inputs)
        np.testing.assert_allclose(found, contrast, rtol=1e-5, atol=0.05)


def test_gradients_of_most_cases_are_not_zero() -> None:
    found = [products_of(c.network, c) for c in (chain_case(seed) for seed in SEEDS)]
    assert sum(all(np.any(part) for part in parts) for parts in found) > len(SEEDS) // 4


def test_a_coupling_without_synapses_is_trained() -> None:
    """Nothing is there to learn but biases, and nothing falls over."""
    case = chain_case(0)
    last = case.network.couplings[-1]
    rows, columns = last.shape
    nothing = np.zeros(0, dtype=np.int64)
    empty = SparseCoupling.of_pairs(
        last.pre,
        last.post,
        (nothing, nothing),
        (rows, columns),
        fraction_bits=last.fraction_bits,
        weight_format=last.weight_format,
    )
    network = replace(case.network, couplings=(*case.network.couplings[:-1], empty))
    parameters = parameters_of(network)
    assert parameters.network(network.beta_shift).sha256 == network.sha256
    labels = torch.from_numpy(case.labels)
    eqprop_gradients(parameters, torch.from_numpy(case.inputs), labels, network.beta_shift)
    assert parameters.weights[-1].grad.shape == (0,)


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_latents_of_a_network_stand_for_it(seed: int) -> None:
    network = chain_case(seed).network
    assert parameters_of(network).network(network.beta_shift).sha256 == network.sha256


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_forms_are_the_matrix_and_its_transpose(seed: int) -> None:
    """Sums both ways, products, bounds and norms, beside the dense lowering."""
    network = chain_case(seed).network
    generator = torch.Generator().manual_seed(seed)
    for coupling, form in zip(network.couplings, layers_of(network).forms, strict=True):
        weight = torch.tensor(coupling.parameters, dtype=torch.float64)
        matrix = torch.from_numpy(coupling.matrix_of(coupling.parameters)).double()
        link = form.link(weight, 0.5, 0.25)
        pre = torch.randint(-9, 10, (4, len(matrix)), generator=generator).double()
        post = torch.randint(-9, 10, (4, matrix.shape[1]), generator=generator).double()
        assert torch.equal(link.forward(pre), pre @ matrix * 0.5)
        assert torch.equal(link.backward(post), post @ matrix.T * 0.125)
        one, other, parameter = (torch.from_numpy(part) for part in coupling.edges())
        expected = torch.zeros(weight.numel(), dtype=torch.float64)
        expected.index_add_(0, parameter, (pre.T @ post)[one, other])
        assert torch.equal(form.products(pre, post), expected.view(weight.shape))
        into_post, into_pre = form.largest_sums(weight)
        assert into_post >= float(matrix.abs().sum(0).max())
        assert into_pre >= float(matrix.abs().sum(1).max())
        assert form.post_degree >= coupling.degrees(backward=True).max(initial=0)
        assert form.pre_degree >= coupling.degrees(backward=False).max(initial=0)
        norm = float(torch.linalg.matrix_norm(matrix, ord=2))
        assert 0.9 * norm <= form.norm(weight) <= norm * (1 + 1e-9)


def test_convolutions_and_shifts_have_forms_of_their_own() -> None:
    found = [layers_of(chain_case(seed).network) for seed in SEEDS]
    kinds = [[type(form) for form in layers.forms] for layers in found]
    assert all(one[0] is ConvolutionForm for one in kinds)
    assert any(ConvolutionForm in one[1:] for one in kinds)
    assert any(forms.EdgeForm in one for one in kinds)
    assert any(forms.MatrixForm in one for one in kinds)
    assert any(layers.back_fraction_bits != layers.fraction_bits for layers in found)


def test_the_baselines_loss_falls_along_its_gradient() -> None:
    """Of the clamped readout, whose logits are the accumulators over U."""
    case = chain_case(4, clamped=True)
    parameters = parameters_of(case.network)
    inputs, labels = torch.from_numpy(case.inputs), torch.from_numpy(case.labels)
    backprop_gradients(parameters, inputs, labels)
    weights, biases = parameters.quantise()
    logits = forward(parameters.layers, inputs, weights, biases)
    assert case.network.readout is not None
    scale = case.network.readout.temperature[0] * case.network.populations[-2].state_max
    bits = case.network.accumulator_fraction_bits("output")
    assert torch.allclose(
        parameters.biases[-1].grad * (scale << bits),
        (torch.softmax(logits, 1) - torch.eye(logits.shape[1])[labels]).mean(0),
        atol=1e-5,
    )


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits")


def conv_net(kind: WeightFormat = WeightFormat.INT8, *, clamped: bool = False) -> Network:
    shifts = (0, 1, -2) if clamped else (0, 1, 1)
    return build(
        "8x8x1",
        ["conv 8 3x3 pad 1", "average 2", "conv 16 3x3", "dense 10"],
        weight_format=kind,
        fraction_bits=(7, 9, 7) if kind is WeightFormat.INT8 else (1, 4, 3),
        feedback_shifts=shifts,
        readout=ClampedReadout((1, 4)) if clamped else None,
    )


def train_network(blank: Network, dataset: Dataset, **options: object) -> Training:
    shape = shape_options(blank) | {"epochs": 2, "batch_size": 16, "learning_rate": 3e-3}
    return train(TrainingOptions(**(shape | options)), dataset, blank=blank)


@pytest.mark.parametrize("clamped", [False, True])
@pytest.mark.parametrize("kind", WeightFormat)
def test_convolutions_learn_and_the_simulator_settles_where_they_did(
    kind: WeightFormat, clamped: bool, digits: Dataset
) -> None:
    found = train_network(conv_net(kind, clamped=clamped), digits)
    assert found.accuracy > (0.85 if kind is WeightFormat.INT8 else 0.6)
    inputs = data.encode(digits.test.images, digits.pixel_max, found.network.input)
    expected = sim.free_phase(found.network, inputs)
    states, sums = free_phase_of(found.parameters, inputs)
    for name, own in expected.states.items():
        assert np.array_equal(states[name], own)
    assert np.array_equal(sums, expected.readout)
    assert found.accuracy == np.mean(expected.classes == digits.test.labels)


@pytest.mark.parametrize("clamped", [False, True])
def test_the_baseline_learns_the_same_shape(clamped: bool, digits: Dataset) -> None:
    assert train_network(conv_net(clamped=clamped), digits, rule=Rule.BACKPROP).accuracy > 0.85


def test_a_blank_network_gives_its_shape_alone(digits: Dataset) -> None:
    blank = conv_net()
    one, other = (train_network(blank, digits, epochs=1, seed=s).network for s in (1, 2))
    assert one.sha256 != other.sha256
    assert one.populations == blank.populations
    assert [c.describe() for c in one.couplings] == [c.describe() for c in blank.couplings]
