"""Learning on with damage, and learning with damage in the loop."""

import numpy as np
import pytest

from toreq_hw import data, sim
from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.perturbation.relearning import Broken, DamagedTrainer, HardenedTrainer
from toreq_hw.sim.recipes import recipe
from toreq_hw.sim.training import Lessons, learn_epoch


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    digits = data.load("digits")
    shape = layered((64, 32, 10), WeightFormat.TERNARY, (3, 3))
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    return Lessons(inputs, digits.train.labels, digits.shape)


def fresh(epochs: int, lessons: Lessons) -> Trainer:
    settings = recipe(WeightFormat.TERNARY, 64)
    shape = layered((64, 32, 10), WeightFormat.TERNARY, settings.fraction_bits, beta_shift=0)
    trainer = Trainer(shape, settings.rule(shape, 8), 1)
    for _ in range(epochs):
        learn_epoch(trainer, lessons)
    return trainer


def accuracy(network: Network) -> float:
    digits = data.load("digits")
    inputs = data.encode(digits.test.images, digits.pixel_max, network.input)
    return float(np.mean(sim.relax(network, inputs).classes == digits.test.labels))


def test_without_damage_a_damaged_trainer_learns_the_same_bits(lessons: Lessons) -> None:
    plain = fresh(1, lessons)
    same = DamagedTrainer(plain, Broken({}))
    assert same.network().sha256 == plain.network().sha256
    learn_epoch(plain, lessons)
    learn_epoch(same, lessons)
    assert same.network().sha256 == plain.network().sha256
    assert np.array_equal(same.synapses.latent, plain.synapses.latent)


@pytest.mark.parametrize("layer", [p.DeadNeurons(0.6, 3), p.StuckWeights(0.3, 3)])
def test_learning_on_recovers_and_broken_cells_stay_broken(
    layer: p.DeadNeurons | p.StuckWeights, lessons: Lessons
) -> None:
    trainer = fresh(6, lessons)
    whole = trainer.network()
    made = Broken.silenced if isinstance(layer, p.DeadNeurons) else Broken.stuck
    broken = made(layer, whole)  # type: ignore[arg-type]
    damaged = DamagedTrainer(trainer, broken)
    assert damaged.network().sha256 == broken.apply(whole).sha256
    before = accuracy(damaged.network())
    for _ in range(3):
        learn_epoch(damaged, lessons)
    after = damaged.network()
    for coupling in after.couplings:
        where, words = broken.cells[coupling.name]
        assert np.array_equal(coupling.weight.ravel()[where], words)
    assert accuracy(after) > before + 0.1
    assert trainer.network().sha256 == whole.sha256


def test_silenced_neurons_are_dead_to_the_others(lessons: Lessons) -> None:
    network = fresh(2, lessons).network()
    layer = p.DeadNeurons(0.5, 7)
    silent = Broken.silenced(layer, network).apply(network)
    inputs = lessons.inputs[:50]
    expected = p.relax_with(network, inputs, [layer]).states["output"]
    assert np.array_equal(sim.relax(silent, inputs).states["output"], expected)


def test_hardening_learns_and_ends_undamaged(lessons: Lessons) -> None:
    trainer = fresh(0, lessons)
    hardened = HardenedTrainer(trainer, lambda draw: p.WeightBitFlip(0.05, draw), 100)
    for _ in range(6):
        learn_epoch(hardened, lessons)
    network = hardened.network()
    hardened.program()
    assert hardened.network().sha256 == network.sha256
    assert accuracy(network) > 0.85
    idle = HardenedTrainer(trainer, lambda draw: p.WeightBitFlip(0.0, draw), 100)
    learn_epoch(idle, lessons)
    learn_epoch(trainer, lessons)
    assert idle.network().sha256 == trainer.network().sha256
