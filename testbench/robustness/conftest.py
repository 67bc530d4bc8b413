"""A network that campaigns damage."""

from pathlib import Path

import pytest

from toreq_hw import data, network
from toreq_hw.network import WeightFormat, layered
from toreq_hw.sim.baselines.feed_forward_training import train_feed_forward
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ternary 64-32-10 network that knows digits well, and its baseline beside it."""
    folder = tmp_path_factory.mktemp("networks")
    digits = data.load("digits")
    settings = recipe(WeightFormat.TERNARY, 64)
    shape = layered((64, 32, 10), WeightFormat.TERNARY, settings.fraction_bits, beta_shift=0)
    trainer = Trainer(shape, settings.rule(shape, 8), 1)
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    for _ in range(8):
        learn_epoch(trainer, TrainingSamples(inputs, digits.train.labels, digits.shape))
    network.save(trainer.network(), folder / "net.safetensors")
    baseline = train_feed_forward(
        shape, inputs, digits.train.labels, image_shape=(8, 8), augment=0, epochs=30, seed=1
    )
    network.save(baseline, folder / "twin.safetensors")
    return folder / "net.safetensors"
