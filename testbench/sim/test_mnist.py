"""Real MNIST, where its files are at hand: it learns fast, and every test image settles."""

import numpy as np
import pytest

from toreq_hw import data, sim
from toreq_hw.data import Dataset
from toreq_hw.data.sources import MNIST, find
from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch

pytestmark = pytest.mark.skipif(
    find(MNIST) is None,
    reason="MNIST IS NOT HERE: set TOREQ_HW_DATA to a folder holding mnist/ to run this test",
)


@pytest.fixture(scope="module")
def learned() -> tuple[Network, Dataset]:
    """784-256-10 ternary after one epoch of 20,000 images."""
    mnist = data.load("mnist")
    settings = recipe(WeightFormat.TERNARY, mnist.pixels)
    shape = layered((784, 256, 10), WeightFormat.TERNARY, settings.fraction_bits, beta_shift=0)
    trainer = Trainer(shape, settings.rule(shape, 3), seed=1)
    train = mnist.train.take(slice(0, 20_000))
    inputs = data.encode(train.images, mnist.pixel_max, shape.input)
    learn_epoch(trainer, TrainingSamples(inputs, train.labels, mnist.shape))
    return trainer.network(), mnist


def test_every_test_image_settles_and_most_are_right(learned: tuple[Network, Dataset]) -> None:
    net, mnist = learned
    inputs = data.encode(mnist.test.images, mnist.pixel_max, net.input)
    result = sim.relax(net, inputs)
    assert result.unsettled == 0
    assert np.mean(result.classes == mnist.test.labels) > 0.9


def test_engines_agree_on_real_images(learned: tuple[Network, Dataset]) -> None:
    net, mnist = learned
    inputs = data.encode(mnist.test.images[:60], mnist.pixel_max, net.input)
    labels = mnist.test.labels[:60]
    expected = sim.relax(net, inputs, engine="reference", trace=True)
    for engine in ("dense", "event"):
        found = sim.relax(net, inputs, engine=engine, trace=True)
        assert sim.first_difference(expected, found) is None
        for sign in (1, -1):
            nudged = [
                sim.nudged_phase(net, inputs, expected, labels, sign, engine=name, trace=True)
                for name in ("reference", engine)
            ]
            assert sim.first_difference(nudged[0], nudged[1]) is None
