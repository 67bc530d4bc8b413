"""Learning under noise: none changes nothing, some draws anew in each phase, bad layers end it."""

import numpy as np
import pytest

from toreq_hw import network
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.perturbation.noisy_training import NoisyTrainer

SAMPLES = 12


def blank() -> Network:
    return network.layered((6, 8, 3), WeightFormat.INT8, (5, 5), schedule=Schedule.PARITY)


def learned(trainer: Trainer, *, times: int = 1) -> Trainer:
    rng = np.random.default_rng(5)
    inputs = rng.integers(0, 256, (SAMPLES, 6)).astype(np.int16)
    labels = rng.integers(0, 3, SAMPLES)
    for _ in range(times):
        trainer.learn(inputs, labels, np.arange(SAMPLES))
    return trainer


def plain() -> Trainer:
    return Trainer(blank(), Rule(shift=4, bias_shift=4), 1)


def noisy(*layers: p.ThermalNoise) -> NoisyTrainer:
    return NoisyTrainer(plain(), layers, max_sweeps=10)


def test_without_noise_every_latent_is_that_of_the_plain_trainer() -> None:
    expected = learned(plain())
    for trainer in (noisy(), noisy(p.ThermalNoise(0.0))):
        found = learned(trainer)
        assert np.array_equal(found.synapses.latent, expected.synapses.latent)
        assert np.array_equal(found.synapses.bias_latent, expected.synapses.bias_latent)
        assert found.network().sha256 == expected.network().sha256


@pytest.mark.parametrize("layer", [p.ThermalNoise, p.FlickerNoise])
def test_noise_moves_latents_and_repeats(layer: type[p.ThermalNoise]) -> None:
    found = [learned(noisy(layer(0.2, seed=seed))) for seed in (1, 1, 2)]
    assert np.array_equal(found[0].synapses.latent, found[1].synapses.latent)
    assert not np.array_equal(found[0].synapses.latent, found[2].synapses.latent)
    assert not np.array_equal(found[0].synapses.latent, learned(plain()).synapses.latent)


def test_each_phase_draws_anew() -> None:
    """With draws that repeat, both nudged phases of one label would see one noise."""
    trainer = noisy(p.ThermalNoise(0.2, seed=7, last_tick=20))
    image, label, order = np.zeros((1, 6), dtype=np.int16), np.zeros(1), np.zeros(1, dtype=int)
    before = trainer.synapses.bias_latent.copy()
    steps = []
    for _ in range(20):
        trainer.learn(image, label.astype(int), order)
        steps.append(trainer.synapses.bias_latent - before)
        before = trainer.synapses.bias_latent.copy()
    assert len({tuple(step) for step in steps}) > 15


def test_other_layers_are_refused() -> None:
    with pytest.raises(InputError, match="layers must be thermal_noise or flicker_noise, found"):
        noisy(p.ReadNoise(0.1))
    with pytest.raises(InputError, match="max_sweeps"):
        NoisyTrainer(plain(), [], max_sweeps=0)
