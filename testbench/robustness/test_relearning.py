"""Learning on with damage, and learning with damage in the loop."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.networks import with_random_weights
from toreq_hw import commands, data, network, sim
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.synapses import latents_of, weights_of
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch
from toreq_hw.sim.perturbation.relearning import Broken, DamagedTrainer, HardenedTrainer


@pytest.fixture(scope="module")
def training() -> TrainingSamples:
    digits = data.load("digits")
    shape = layered((64, 32, 10), WeightFormat.TERNARY, (3, 3))
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    return TrainingSamples(inputs, digits.train.labels, digits.shape)


def fresh(epochs: int, training: TrainingSamples) -> Trainer:
    settings = recipe(WeightFormat.TERNARY, 64)
    shape = layered((64, 32, 10), WeightFormat.TERNARY, settings.fraction_bits, beta_shift=0)
    trainer = Trainer(shape, settings.rule(shape, 8), 1)
    for _ in range(epochs):
        learn_epoch(trainer, training)
    return trainer


def accuracy(net: Network) -> float:
    digits = data.load("digits")
    inputs = data.encode(digits.test.images, digits.pixel_max, net.input)
    return float(np.mean(sim.relax(net, inputs).classes == digits.test.labels))


def test_without_damage_a_damaged_trainer_learns_the_same_bits(
    training: TrainingSamples,
) -> None:
    plain = fresh(1, training)
    same = DamagedTrainer(plain, Broken({}))
    assert same.network().sha256 == plain.network().sha256
    learn_epoch(plain, training)
    learn_epoch(same, training)
    assert same.network().sha256 == plain.network().sha256
    assert np.array_equal(same.synapses.latent, plain.synapses.latent)


@pytest.mark.parametrize("layer", [p.DeadNeurons(0.6, 3), p.StuckWeights(0.3, 3)])
def test_learning_on_recovers_and_broken_cells_stay_broken(
    layer: p.DeadNeurons | p.StuckWeights, training: TrainingSamples
) -> None:
    trainer = fresh(6, training)
    whole = trainer.network()
    made = Broken.silenced if isinstance(layer, p.DeadNeurons) else Broken.stuck
    broken = made(layer, whole)  # type: ignore[arg-type]
    damaged = DamagedTrainer(trainer, broken)
    assert damaged.network().sha256 == broken.apply(whole).sha256
    before = accuracy(damaged.network())
    for _ in range(3):
        learn_epoch(damaged, training)
    after = damaged.network()
    for coupling in after.couplings:
        where, words = broken.cells[coupling.name]
        assert np.array_equal(coupling.parameters.ravel()[where], words)
    assert accuracy(after) > before + 0.1
    assert trainer.network().sha256 == whole.sha256


def test_silenced_neurons_are_dead_to_the_others(training: TrainingSamples) -> None:
    net = fresh(2, training).network()
    layer = p.DeadNeurons(0.5, 7)
    silent = Broken.silenced(layer, net).apply(net)
    inputs = training.inputs[:50]
    expected = p.relax_with(net, inputs, [layer]).states["output"]
    assert np.array_equal(sim.relax(silent, inputs).states["output"], expected)


def test_hardening_learns_and_ends_undamaged(training: TrainingSamples) -> None:
    trainer = fresh(0, training)
    hardened = HardenedTrainer(trainer, lambda draw: p.WeightBitFlip(0.05, draw), 100)
    for _ in range(6):
        learn_epoch(hardened, training)
    net = hardened.network()
    hardened.program()
    assert hardened.network().sha256 == net.sha256
    assert accuracy(net) > 0.85
    idle = HardenedTrainer(trainer, lambda draw: p.WeightBitFlip(0.0, draw), 100)
    learn_epoch(idle, training)
    learn_epoch(trainer, training)
    assert idle.network().sha256 == trainer.network().sha256


@pytest.mark.parametrize("kind", WeightFormat)
def test_latents_from_a_network_stand_for_its_weights(kind: WeightFormat) -> None:
    rng = np.random.default_rng(2)
    weights = np.arange(-kind.limit, kind.limit + 1).astype(np.int8)
    theta = 4096 if kind is WeightFormat.TERNARY else 0
    assert np.array_equal(weights_of(latents_of(weights, theta), theta), weights)
    blank = layered((20, 9, 5), kind, (3, 4))
    drawn = with_random_weights(blank, rng)
    biases = {p.name: rng.integers(-900, 900, p.size, dtype=np.int32) for p in drawn.relaxing}
    net = replace(drawn, biases=biases)
    trainer = Trainer.from_network(net, Rule(), 1, epoch=7)
    assert trainer.network().sha256 == net.sha256
    assert trainer.epoch == 7


def test_a_network_file_learns_on_as_well(training: TrainingSamples, tmp_path: Path) -> None:
    whole = fresh(6, training).network()
    network.save(whole, tmp_path / "net.safetensors")
    arguments = ["relearn", str(tmp_path / "net.safetensors"), "--level", "0.6", "--epochs", "2"]
    arguments += ["--json", str(tmp_path / "r.json")]
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["latents_from"] == "network file"
    assert record["accuracy"][-1] > record["accuracy"][0] + 0.1
    with pytest.raises(SystemExit) as ended:
        commands.main(["relearn", str(tmp_path / "none"), "--level", "0.6"])
    assert ended.value.code == 2


@pytest.mark.parametrize("looped", [False, True])
def test_uneven_updates_cut_steps_up_and_nothing_else(
    looped: bool, training: TrainingSamples
) -> None:
    settings = recipe(WeightFormat.TERNARY, 64)
    shape = layered((64, 20, 10), WeightFormat.TERNARY, (3, 3), loop_fraction_bits=3)
    if not looped:
        shape = layered((64, 20, 10), WeightFormat.TERNARY, (3, 3))
    else:
        shape = replace(shape, schedule=Schedule.SEQUENTIAL)
    trainer = Trainer(shape, settings.rule(shape, 8), 1)
    order = np.arange(60)
    whole = DamagedTrainer(trainer, Broken({}), p.AsymmetricUpdate(0.0, 1))
    trainer.learn(training.inputs, training.labels, order)
    whole.learn(training.inputs, training.labels, order)
    assert np.array_equal(whole.synapses.latent, trainer.synapses.latent)
    # One sample: no step up at level 1, half of each at level 1/2, steps down as they were.
    plain = Trainer(shape, settings.rule(shape, 8), 1)
    start = plain.synapses.latent.astype(np.int64)
    one_way = DamagedTrainer(plain, Broken({}), p.AsymmetricUpdate(1.0, 1))
    half = DamagedTrainer(plain, Broken({}), p.AsymmetricUpdate(0.5, 1))
    for learner in (plain, one_way, half):
        learner.learn(training.inputs, training.labels, np.arange(1))
    steps = plain.synapses.latent - start
    assert (steps > 0).any()
    assert np.array_equal(one_way.synapses.latent - start, np.minimum(steps, 0))
    halved = half.synapses.latent - start
    assert np.array_equal(halved[steps <= 0], steps[steps <= 0])
    assert np.isin(2 * halved[steps > 0] - steps[steps > 0], (-1, 0, 1)).all()
    for learner in (one_way, half):
        programmed = learner.network()
        learner.program()
        assert learner.network().sha256 == programmed.sha256


def test_a_learning_layer_is_refused_where_nothing_learns(
    training: TrainingSamples,
) -> None:
    net = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    with pytest.raises(InputError, match="layer asymmetric_update must have learning to act on"):
        p.relax_with(net, training.inputs[:2], [p.AsymmetricUpdate(0.1)])
