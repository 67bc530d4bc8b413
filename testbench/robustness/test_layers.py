"""What each layer does to words and weights, by hand and by law."""

import json
from dataclasses import replace

import numpy as np
import pytest

from testbench.networks import random_case, with_random_weights
from toreq_hw import sim
from toreq_hw.contract.faults import FREE
from toreq_hw.errors import InputError
from toreq_hw.network import (
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    layered,
)
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.perturbation import pcm
from toreq_hw.sim.perturbation.random_values import noise_int, pick
from toreq_hw.sim.perturbation.reprogram import through_converter
from toreq_hw.sim.perturbation.state_damage import flip_states
from toreq_hw.sim.perturbation.weight_damage import flip_words


def network_of(kind: WeightFormat, rows: int = 40, columns: int = 30) -> Network:
    """rows-columns-10 with random weights and biases."""
    rng = np.random.default_rng(0)
    blank = layered((rows, columns, 10), kind, (3, 4))
    return with_random_weights(blank, rng)


def test_int8_bit_flips_by_hand() -> None:
    weight = np.array([1, -1, 0, 127, -127, 5], np.int8)
    sign = np.full(6, 0x80, np.uint8)
    # 0x01 -> 0x81 = -127; 0xFF -> 0x7F; 0x00 -> 0x80 = -128, read as -127; 0x7F -> 0xFF;
    # 0x81 -> 0x01; 0x05 -> 0x85 = -123.
    assert flip_words(weight, sign, WeightFormat.INT8).tolist() == [-127, 127, -127, -1, 1, -123]
    low = np.ones(6, np.uint8)
    assert flip_words(weight, low, WeightFormat.INT8).tolist() == [0, -2, 1, 126, -127, 4]


def test_ternary_bit_flips_by_hand() -> None:
    weight = np.array([0, 1, -1], np.int8)
    masks = {1: [1, 0, 0], 2: [0, -1, 1], 3: [-1, 0, 0]}  # 00 -> 01, 01 -> 00, 11 -> 10 = 0 ..
    for mask, expected in masks.items():
        found = flip_words(weight, np.full(3, mask, np.uint8), WeightFormat.TERNARY)
        assert found.tolist() == expected


def test_state_flips_by_hand() -> None:
    unsigned = Population("h", 2, Role.HIDDEN, 3)
    signed = Population("h", 2, Role.HIDDEN, 3, signed=True)
    mask = np.array([4, 4], np.int16)
    assert flip_states(np.array([1, 7], np.int16), mask, unsigned).tolist() == [5, 3]
    # 001 -> 101 = -3; 000 -> 100 = -4, below the range, read as -3.
    assert flip_states(np.array([1, 0], np.int16), mask, signed).tolist() == [-3, -3]


@pytest.mark.parametrize("kind", WeightFormat)
def test_bit_flip_rate_is_the_level(kind: WeightFormat) -> None:
    network = network_of(kind, 400, 200)
    # One bit that always shows: bit 0 of a ternary word; bit 0 of INT8 unless it makes -128.
    layer = p.WeightBitFlip(0.01, seed=3, bit=0)
    damaged = layer.program(network)
    cells = sum(c.parameters.size for c in network.couplings)
    changed = sum(
        int(np.count_nonzero(a.parameters != b.parameters))
        for a, b in zip(network.couplings, damaged.couplings, strict=True)
    )
    assert abs(changed - 0.01 * cells) < 5 * (0.01 * cells) ** 0.5


def test_picks_are_bernoulli_below_and_above_the_dense_rate() -> None:
    for rate in (0.001, 0.019, 0.02, 0.5):
        rng = np.random.default_rng(1)
        hits = pick(rng, 2_000_000, rate)
        assert len(np.unique(hits)) == len(hits)
        assert hits.min() >= 0
        assert hits.max() < 2_000_000
        assert abs(len(hits) - 2e6 * rate) < 5 * (2e6 * rate) ** 0.5
    assert len(pick(np.random.default_rng(1), 10, 1.0)) == 10
    assert len(pick(np.random.default_rng(1), 0, 0.5)) == 0


@pytest.mark.parametrize("value", ["zero", "plus", "minus", "extreme"])
def test_stuck_weights_are_as_many_as_asked_for_and_read_what_is_said(value: str) -> None:
    network = network_of(WeightFormat.INT8)
    layer = p.StuckWeights(0.25, seed=2, value=value)
    damaged = layer.program(network)
    for coupling, where, words in layer.stuck_cells(network):
        after = next(c for c in damaged.couplings if c.name == coupling.name).parameters
        assert len(where) == round(0.25 * coupling.parameters.size)
        assert np.array_equal(after.ravel()[where], words)
        others = np.setdiff1d(np.arange(after.size), where)
        assert np.array_equal(after.ravel()[others], coupling.parameters.ravel()[others])


def test_weight_damage_keeps_self_couplings_symmetric() -> None:
    kinds = [k for k, t in p.KINDS.items() if issubclass(t, p.WeightLayer)]
    for seed in range(10):
        case = random_case(seed, schedule=Schedule.SEQUENTIAL)
        for kind in kinds:
            p.make_layer(kind, level=0.3, seed=seed).program(case.network)  # type: ignore[attr-defined]


def test_dead_lines() -> None:
    network = network_of(WeightFormat.TERNARY)
    rows = p.DeadRows(0.5, seed=1).program(network).couplings[0].parameters
    assert np.count_nonzero(~rows.any(axis=1)) == 20
    columns = p.DeadColumns(0.5, seed=1).program(network).couplings[0].parameters
    assert np.count_nonzero(~columns.any(axis=0)) == 15


def test_dead_neurons_stay_what_they_are() -> None:
    network = network_of(WeightFormat.TERNARY)
    inputs = np.random.default_rng(0).integers(0, 256, (6, 40))
    layer = p.DeadNeurons(0.5, seed=4, value=77)
    dead = p.disturbance(network, 6, [layer]).stuck != FREE
    assert np.count_nonzero(dead) == 15  # hidden only
    result = p.relax_with(network, inputs, [layer], trace=True)
    assert result.trace is not None
    for sample in range(6):
        states = result.trace.states(sample)["hidden"]
        assert (states[:, dead[:30]] == 77).all()
    everything = p.relax_with(network, inputs, [p.DeadNeurons(1.0)])
    assert len(np.unique(everything.states["output"], axis=0)) == 1


def test_the_converter_of_exact_weights_changes_no_tick() -> None:
    for seed in range(30):
        case = random_case(seed, schedule=Schedule.PARITY)
        read = through_converter(case.network, {})
        plain = sim.relax(case.network, case.inputs, trace=True)
        assert sim.first_difference(plain, sim.relax(read, case.inputs, trace=True)) is None


def test_analog_noise_has_the_spread_it_says() -> None:
    network = network_of(WeightFormat.TERNARY, 300, 300)
    noisy = p.ProgrammingNoise(0.2, seed=1).program(network).couplings[0]
    error = noisy.parameters / 64 - network.couplings[0].parameters
    assert noisy.weight_format is WeightFormat.INT8
    assert abs(error.std() - 0.2) < 0.005
    assert abs(error.mean()) < 0.005
    relative = p.RelativeNoise(0.2, seed=1).program(network).couplings[0]
    assert not relative.parameters[network.couplings[0].parameters == 0].any()


def test_ir_drop_by_hand() -> None:
    weight = np.array([[100, 100], [100, 100]], np.int8)
    network = replace(
        layered((2, 2), WeightFormat.INT8, (3,)),
        couplings=(DenseCoupling("input", "output", weight, 3, WeightFormat.INT8),),
    )
    dropped = p.IRDrop(0.4).program(network).couplings[0].parameters
    assert dropped.tolist() == [[100, 80], [80, 60]]


def plain_noise(scale: int, octaves: int, seed: int, sample: int, tick: int, neuron: int) -> int:
    """docs/robustness.md in Python integers, independent of the compiled code."""

    def mixed(word: int, other: int) -> int:
        x = (word + other * 0x9E3779B9 + 1) & 0xFFFFFFFF
        x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        return x ^ (x >> 16)

    total = 0
    for octave in range(octaves):
        word = mixed(mixed(mixed(mixed(seed, sample), neuron), octave), tick >> octave)
        for _ in range(6):
            word = mixed(word, 0x51ED270B)
            total += (word & 0xFFFF) + (word >> 16) - 65535
    if octaves > 1:
        total = int(total / octaves**0.5)
    return (scale * total + (1 << 23)) >> 24


def test_noise_is_the_documented_integer_arithmetic() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        scale, seed, sample = (int(v) for v in rng.integers(0, (1 << 24, 1 << 32, 10_000)))
        tick, neuron = (int(v) for v in rng.integers(1, (500, 900)))
        for octaves in (1, 6):
            arguments = (scale, octaves, seed, sample, tick, neuron)
            assert int(noise_int(*arguments)) == plain_noise(*arguments)


def test_noise_has_the_spread_it_says_and_flicker_is_slow() -> None:
    ticks = range(1, 4001)
    for octaves in (1, 6):
        values = np.array([int(noise_int(256_000, octaves, 9, 0, t, 3)) for t in ticks])
        assert abs(values.std() / 1000 - 1) < (0.05 if octaves == 1 else 0.25)
        neighbours = np.corrcoef(values[1:], values[:-1])[0, 1]
        assert (neighbours < 0.1) if octaves == 1 else (neighbours > 0.5)


def test_pcm_follows_the_published_formulas() -> None:
    # Values by hand from the coefficients of Nandakumar et al. 2019 at G_max = 25 uS.
    assert pcm.programming_sigma(np.array([0.0, 25.0])) == pytest.approx([0.26348, 1.05538])
    # ln 1 = 0: mean 0.0244 is clipped to 0.049, sd -0.0059 to 0.008.
    assert pcm.drift_exponent(np.array([25.0]), np.array([1.0])) == pytest.approx([0.057])
    sigma = pcm.read_sigma(np.array([25.0]), 20.0)
    assert sigma == pytest.approx([0.0088 * np.sqrt(np.log((20 + 250e-9) / 500e-9))])
    still = np.zeros((3, 1))
    aged = pcm.conductance_after(np.array([25.0]), 1e6, still)
    assert aged == pytest.approx([25 * ((1e6 + 20) / 20) ** -0.049])
    network = network_of(WeightFormat.TERNARY, 300, 300)
    for seconds in (0.0, 1e7):
        read = p.Pcm(1.0, seed=1, seconds=seconds).program(network).couplings[0].parameters / 64
        signs = np.sign(network.couplings[0].parameters)
        assert abs((read * signs).sum() / np.abs(signs).sum() - 1) < 0.02


def test_pcm_agrees_with_aihwkit() -> None:
    reason = "aihwkit has no wheel for this Python; its formulas are checked by hand above"
    noise = pytest.importorskip("aihwkit.inference.noise.pcm", reason=reason)
    torch = pytest.importorskip("torch", reason=reason)
    model = noise.PCMLikeNoiseModel(g_max=25.0)
    target = np.full(200_000, 12.0)
    theirs = model.apply_programming_noise_to_conductance(torch.tensor(target)).numpy()
    normals = np.random.default_rng(0).standard_normal((3, 200_000))
    ours = target + pcm.programming_sigma(target) * normals[0]
    assert theirs.std() == pytest.approx(ours.std(), rel=0.02)
    drifts = model.generate_drift_coefficients(torch.tensor(target)).numpy()
    assert drifts.mean() == pytest.approx(pcm.drift_exponent(target, normals[1]).mean(), rel=0.02)


def test_layers_round_trip_through_json_and_compose() -> None:
    for kind in p.KINDS:
        layer = p.make_layer(kind, level=p.KINDS[kind].domain[1], seed=11, place="hidden")
        assert p.from_json(json.loads(json.dumps(layer.to_json()))) == layer
    network = network_of(WeightFormat.INT8)
    both = [p.WeightBitFlip(0.01, 1), p.MissingSynapses(0.2, 2)]
    chained = both[1].program(both[0].program(network))
    assert p.program(network, both).sha256 == chained.sha256
    assert p.program(network, []) is network


def test_equal_seeds_give_equal_damage_and_others_do_not() -> None:
    network = network_of(WeightFormat.TERNARY)
    first, again, other = (p.WeightBitFlip(0.1, seed).program(network).sha256 for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: p.make_layer("rust", level=0.1), "layer must be one of accumulator_converter"),
        (lambda: p.make_layer("dead_neurons"), "layer dead_neurons must have a level"),
        (lambda: p.make_layer("dead_neurons", level=0.1, colour=2), "settings of dead_neurons"),
        (lambda: p.DeadNeurons(1.5), r"level of dead_neurons must be in 0..1 .* not 1.5"),
        (lambda: p.DeadNeurons(float("nan")), "level of dead_neurons must be"),
        (lambda: p.DeadNeurons(True), "level of dead_neurons must be"),
        (lambda: p.DeadNeurons(0.1, seed=-1), "seed of dead_neurons must be in"),
        (lambda: p.StuckWeights(0.1, value="two"), "must be zero, plus, minus or extreme"),
        (lambda: p.StateUpset(0.1, first_tick=5, last_tick=4), "must be 1 <= first <= last"),
        (lambda: p.ThermalNoise(0.1, last_tick=0), "last_tick of thermal_noise must be in"),
        (lambda: p.AccumulatorConverter(8, clipping=-1), "clipping of accumulator_converter"),
        (lambda: p.Pcm(1.0, seconds=-1.0), "seconds of pcm must be in"),
        (lambda: p.from_json({"level": 1}), "a layer must be a JSON object with a 'kind'"),
    ],
)
def test_bad_layers_are_refused(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_layers_that_do_not_fit_the_network_are_refused() -> None:
    network = network_of(WeightFormat.TERNARY)
    inputs = np.zeros((2, 40), np.int16)
    for layer, message in (
        (p.WeightBitFlip(0.1, place="moon"), "place of weight_bit_flip must be a coupling"),
        (p.WeightBitFlip(0.1, bit=5), r"bit of weight_bit_flip must be in -1..1 for"),
        (p.DeadNeurons(0.1, place="input"), "must be a relaxing population"),
        (p.DeadNeurons(0.1, value=300), r"must be zero, maximum or a state in 0..255"),
        (p.FrozenColour(1, colour=2), r"colour of frozen_colour must be in 0..1"),
    ):
        with pytest.raises(InputError, match=message):
            p.relax_with(network, inputs, [layer])
