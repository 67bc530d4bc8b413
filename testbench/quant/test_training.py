"""The torch trainer works in the contract's integers, learns, and says what it did."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from toreq_hw import data, sim
from toreq_hw import network as network_file
from toreq_hw.contract.arithmetic import to_state
from toreq_hw.data import Dataset
from toreq_hw.network import Network, Population, Role, WeightFormat
from toreq_hw.quant import relaxation, relaxation_batch
from toreq_hw.quant.batches import mirror_images, shift_images
from toreq_hw.quant.equilibrium import Layers, drive, links
from toreq_hw.quant.evaluation import free_states
from toreq_hw.quant.options import Rule, TrainingOptions, populations
from toreq_hw.quant.parameters import Parameters, bias_lsbs_per_unit, initial
from toreq_hw.quant.quantisers import state_quantiser, weight_quantiser
from toreq_hw.quant.rules import (
    LOGIT_AT_MAXIMUM,
    backprop_gradients,
    eqprop_gradients,
    forward,
)
from toreq_hw.quant.training import Training, train

SHORT = TrainingOptions(hidden=(48,), epochs=6, batch_size=16)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits")


def random_parameters(
    hidden: tuple[int, ...], kind: WeightFormat, fraction_bits: tuple[int, ...], bits: int = 8
) -> Parameters:
    options = TrainingOptions(hidden=hidden, weight_format=kind, state_bits=bits)
    layers = Layers(populations(options, 20, 5), fraction_bits)
    generator = torch.Generator().manual_seed(7)
    parameters = initial(layers, kind, weight_quantiser(kind, 0.5), generator, "cpu")
    for weight in parameters.weights:
        weight.copy_(torch.rand(weight.shape, generator=generator) * 2 * kind.limit - kind.limit)
    for layer, bias in enumerate(parameters.biases, start=1):
        scale = bias_lsbs_per_unit(layers, layer)
        bias.copy_((torch.rand(bias.shape, generator=generator) - 0.5) * scale)
    return parameters


def random_batch(batch: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (batch, 20), dtype=np.int16), rng.integers(0, 5, batch)


CASES = [
    ((12,), WeightFormat.INT8, (9, 8), 8),
    ((12,), WeightFormat.INT8, (3, 15), 8),
    ((12,), WeightFormat.TERNARY, (6, 2), 4),
    ((10, 9, 8), WeightFormat.INT8, (9, 9, 8, 9), 5),
    ((10, 9), WeightFormat.TERNARY, (0, 2, 1), 8),
    ((4, 11), WeightFormat.INT8, (8, 9, 8), 6),
]


@pytest.mark.parametrize(("hidden", "kind", "fraction_bits", "bits"), CASES)
def test_its_free_phase_is_the_simulators(
    hidden: tuple[int, ...], kind: WeightFormat, fraction_bits: tuple[int, ...], bits: int
) -> None:
    parameters = random_parameters(hidden, kind, fraction_bits, bits)
    inputs, _ = random_batch()
    expected = sim.free_phase(parameters.network(beta_shift=0), inputs, engine="reference")
    for name, states in free_states(parameters, inputs).items():
        assert np.array_equal(states, expected.states[name])


def estimator(network: Network, inputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Docs/numerics.md, section 1, by the simulator, one matrix per coupling."""
    free = sim.free_phase(network, inputs)
    phases = [sim.nudged_phase(network, inputs, free, labels, sign).states for sign in (1, -1)]
    found = []
    for coupling in network.couplings:
        products = []
        for states in phases:
            known = {network.input.name: inputs, **states}
            pre, post = known[coupling.pre].astype(int), known[coupling.post].astype(int)
            products.append(pre.T @ post)
        found.append(products[0] - products[1])
    return found


@pytest.mark.parametrize(("hidden", "kind", "fraction_bits", "bits"), CASES)
@pytest.mark.parametrize("beta_shift", [0, 2])
def test_its_gradient_is_the_contracts_estimator(
    hidden: tuple[int, ...],
    kind: WeightFormat,
    fraction_bits: tuple[int, ...],
    bits: int,
    beta_shift: int,
) -> None:
    parameters = random_parameters(hidden, kind, fraction_bits, bits)
    inputs, labels = random_batch()
    network = parameters.network(beta_shift)
    classes, _ = eqprop_gradients(
        parameters, torch.from_numpy(inputs), torch.from_numpy(labels), beta_shift
    )
    assert np.array_equal(classes.numpy(), sim.free_phase(network, inputs).classes)
    expected = estimator(network, inputs, labels)
    assert any(np.any(e) for e in expected)
    for weight, change in zip(parameters.weights, expected, strict=True):
        np.testing.assert_allclose(weight.grad.numpy() * -len(inputs), change, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize(("hidden", "kind", "fraction_bits", "bits"), CASES)
def test_compiled_loops_and_torch_operations_find_the_same_equilibria(
    hidden: tuple[int, ...], kind: WeightFormat, fraction_bits: tuple[int, ...], bits: int
) -> None:
    """The latter is what runs on other devices."""
    parameters = random_parameters(hidden, kind, fraction_bits, bits)
    layers, (weights, biases) = parameters.layers, parameters.quantise()
    inputs, labels = (torch.from_numpy(part) for part in random_batch(60))
    between = links(layers, weights, torch.float64)
    clamped = drive(layers, inputs.double(), weights[0], biases)
    free, sweeps = relaxation.free_phase(layers, between, clamped)
    expected, slowest = relaxation_batch.free_phase(layers, between, clamped)
    assert sweeps == slowest
    assert all(torch.equal(*pair) for pair in zip(free, expected, strict=True))
    labels[:20] = free[-1][:20].argmax(dim=1)
    mine = relaxation.all_phases(layers, between, clamped, labels, 1)
    theirs = relaxation_batch.all_phases(layers, between, clamped, labels, 1)
    assert mine.sweeps == sweeps
    for name in ("outputs", "rows"):
        assert torch.equal(getattr(mine, name), getattr(theirs, name))
    for name in ("plus", "minus"):
        pairs = zip(getattr(mine, name), getattr(theirs, name), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
    assert any(not torch.equal(*pair) for pair in zip(mine.plus, mine.minus, strict=True))


def test_samples_at_their_target_are_not_nudged() -> None:
    parameters = random_parameters((12,), WeightFormat.INT8, (9, 8))
    labels = torch.zeros(2, dtype=torch.int64)
    parameters.weights[1].zero_()
    parameters.biases[1].fill_(-1e6)
    parameters.biases[1][0] = 1e6
    inputs, labels = torch.from_numpy(random_batch(2)[0]), torch.tensor([0, 1])
    eqprop_gradients(parameters, inputs[:1], labels[:1], 0)
    assert not any(bool(p.grad.any()) for p in (*parameters.weights, *parameters.biases))
    weights, biases = parameters.quantise()
    clamped = drive(parameters.layers, inputs.float(), weights[0], biases)
    between = links(parameters.layers, weights, torch.float32)
    found = relaxation.all_phases(parameters.layers, between, clamped, labels, 0)
    assert found.rows.tolist() == [1]


def test_sums_beyond_float32_are_taken_in_float64() -> None:
    kind = WeightFormat.INT8
    ends = (
        Population("input", 600, Role.INPUT),
        Population("hidden", 8, Role.HIDDEN),
        Population("output", 3, Role.OUTPUT),
    )
    generator = torch.Generator().manual_seed(0)
    layers = Layers(ends, (7, 7))
    parameters = initial(layers, kind, weight_quantiser(kind, 0.5), generator, "cpu")
    signs = torch.sign(torch.rand((600, 8), generator=generator) - 0.5)
    parameters.weights[0].copy_(signs * 127)
    parameters.biases[0].fill_(1.0)
    inputs = np.random.default_rng(0).integers(230, 256, (20, 600), dtype=np.int16)
    quantised = parameters.quantise()
    assert parameters.exact(torch.from_numpy(inputs), *quantised).dtype is torch.float64
    dim = torch.from_numpy(inputs // 4)
    assert parameters.exact(dim, *quantised).dtype is torch.float32, "as 600 * 64 * 127 < 2^24"
    expected = sim.free_phase(parameters.network(0), inputs)
    for name, states in free_states(parameters, inputs).items():
        assert np.array_equal(states, expected.states[name])


@pytest.fixture(scope="module", params=list(WeightFormat))
def trained(request: pytest.FixtureRequest, digits: Dataset) -> Training:
    return train(replace(SHORT, weight_format=request.param, state_bits=4), digits)


def test_the_written_network_gives_the_trainers_states_on_every_test_image(
    trained: Training, digits: Dataset, tmp_path: Path
) -> None:
    network_file.save(trained.network, tmp_path / "net.safetensors")
    network = network_file.load(tmp_path / "net.safetensors")
    inputs = data.encode(digits.test.images, digits.pixel_max, network.input)
    expected = sim.free_phase(network, inputs)
    assert expected.unsettled == 0
    for name, states in free_states(trained.parameters, inputs).items():
        assert np.array_equal(states, expected.states[name])
    assert trained.accuracy == np.mean(expected.classes == digits.test.labels)


def test_it_learns_on_real_images(trained: Training) -> None:
    assert trained.accuracy > 0.9
    assert len(trained.epochs) == SHORT.epochs
    if trained.options.weight_format is WeightFormat.TERNARY:
        assert trained.network.sparsity > 0.3


def test_the_baseline_learns_the_same_shape(digits: Dataset) -> None:
    assert train(replace(SHORT, rule=Rule.BACKPROP), digits).accuracy > 0.9


def test_the_same_seed_gives_the_same_network(digits: Dataset) -> None:
    short = replace(SHORT, epochs=1)
    networks = [train(replace(short, seed=s), digits).network.sha256 for s in (5, 5, 6)]
    assert networks[0] == networks[1]
    assert networks[0] != networks[2]


def test_images_move_by_whole_pixels_and_nothing_wraps_round() -> None:
    image = torch.arange(1, 13, dtype=torch.int16)
    shown = shift_images(image.expand(400, -1), (3, 4), 1, torch.Generator().manual_seed(0))
    padded = np.pad(image.numpy().reshape(3, 4), 1)
    expected = {padded[r : r + 3, c : c + 4].tobytes() for r in range(3) for c in range(3)}
    assert {row.numpy().tobytes() for row in shown} == expected
    assert shift_images(shown, (3, 4), 0, torch.Generator()) is shown


def test_half_of_the_images_are_mirrored() -> None:
    image = torch.arange(24).view(1, 24)
    shown = mirror_images(image.expand(400, -1), (3, 4), torch.Generator().manual_seed(0))
    turned = image.view(3, 4, 2).flip(1).reshape(24)
    kinds = [int((row == image[0]).all()) + 2 * int((row == turned).all()) for row in shown]
    assert set(kinds) == {1, 2}
    assert 150 < kinds.count(2) < 250


def test_a_spectral_limit_holds(digits: Dataset) -> None:
    free = train(replace(SHORT, epochs=2), digits)
    limited = train(replace(SHORT, epochs=2, spectral_limit=0.5), digits)
    assert max(free.spectral_norms_after) > 0.7
    assert max(limited.spectral_norms_after) < 0.55, "0.5, and what rounding to INT8 adds"


def test_backprop_gradients_are_those_of_the_loss() -> None:
    """Of the output coupling, where nothing is quantised between weight and loss."""
    parameters = random_parameters((12,), WeightFormat.INT8, (9, 9))
    inputs, labels = (torch.from_numpy(part) for part in random_batch())
    backprop_gradients(parameters, inputs, labels)
    gradient = parameters.weights[1].grad.clone()

    def loss(step: float) -> float:
        weights, biases = parameters.quantise()
        weights[1][3, 2] += step
        logits = forward(parameters.layers, inputs, weights, biases).double()
        return float(torch.nn.functional.cross_entropy(logits, labels))

    assert loss(1.0) - loss(-1.0) == pytest.approx(2 * float(gradient[3, 2]), rel=0.05, abs=1e-4)


def test_quantisers_are_the_contracts() -> None:
    latent = torch.tensor([-200.0, -127.6, -0.5, -0.49, 0.0, 0.51, 1.5, 126.6, 300.0])
    int8 = weight_quantiser(WeightFormat.INT8, 0.5)(latent)
    assert int8.tolist() == [-127, -127, 0, 0, 0, 1, 2, 127, 127]
    ternary = weight_quantiser(WeightFormat.TERNARY, 0.7)(torch.tensor([-3, -0.71, -0.69, 0.8]))
    assert ternary.tolist() == [-1, -1, 0, 1]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("fraction_bits", [0, 1, 5])
def test_the_state_quantiser_rounds_as_the_simulator_does(signed: bool, fraction_bits: int) -> None:
    population = Population("p", 1, Role.HIDDEN, 4, signed)
    accumulators = np.arange(-700, 700)
    found = state_quantiser(population, fraction_bits)(torch.from_numpy(accumulators).float())
    expected = to_state(accumulators, fraction_bits, population.state_min, population.state_max)
    assert np.array_equal(found.numpy(), expected)


def test_noise_in_the_forward_pass_is_of_the_range_and_repeats() -> None:
    parameters = random_parameters((12,), WeightFormat.INT8, (9, 9))
    weights, biases = ([torch.zeros_like(x) for x in part] for part in parameters.quantise())
    inputs = torch.zeros((500, parameters.layers.populations[0].size))

    def logits(noise: float, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        layers = parameters.layers
        return forward(layers, inputs, tuple(weights), tuple(biases), noise, generator)

    assert not logits(0.0, 1).any()
    assert torch.equal(logits(0.1, 1), logits(0.1, 1))
    assert not torch.equal(logits(0.1, 1), logits(0.1, 2))
    assert float(logits(0.1, 1).std()) == pytest.approx(0.1 * LOGIT_AT_MAXIMUM, rel=0.05)


def test_a_training_under_noise_is_another_one(digits: Dataset) -> None:
    short = replace(SHORT, rule=Rule.BACKPROP, epochs=1)
    found = [train(replace(short, update_noise=noise), digits) for noise in (0.0, 0.2, 0.2)]
    assert found[1].network.sha256 == found[2].network.sha256
    assert found[0].network.sha256 != found[1].network.sha256
