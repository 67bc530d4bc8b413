"""The feed-forward baseline computes its layers, damaged and whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toreq_hw import data, network
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.baselines.feed_forward import feed_forward, has_counterpart


def plain_feed_forward(net: Network, inputs: np.ndarray) -> np.ndarray:
    """Two layers written out in int64."""
    states = inputs.astype(np.int64)
    for coupling, population in zip(net.couplings, net.relaxing, strict=True):
        fraction_bits = net.accumulator_fraction_bits(population.name)
        total = (states @ coupling.parameters.astype(np.int64)) << (
            fraction_bits - coupling.fraction_bits
        )
        total += net.biases[population.name]
        states = np.clip((total + ((1 << fraction_bits) >> 1)) >> fraction_bits, 0, 255)
    return total.argmax(axis=1)


def test_the_baseline_computes_its_layers(trained: Path) -> None:
    baseline = network.load(trained.with_name("twin.safetensors"))
    digits = data.load("digits")
    inputs = data.encode(digits.test.images, digits.pixel_max, baseline.input)
    classes = feed_forward(baseline, inputs)
    assert np.array_equal(classes, plain_feed_forward(baseline, inputs))
    assert np.mean(classes == digits.test.labels) > 0.9
    for kind in p.KINDS:
        layer = p.make_layer(kind, level=0.0)
        if isinstance(layer, p.LearningLayer):
            continue
        if has_counterpart(layer):
            assert np.array_equal(feed_forward(baseline, inputs, [layer]), classes), kind
    dead = feed_forward(baseline, inputs, [p.DeadNeurons(1.0)])
    assert len(np.unique(dead)) == 1
    with pytest.raises(InputError, match="must have events and ticks to act on"):
        feed_forward(baseline, inputs, [p.DroppedEvents(0.1)])
    loop = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3), loop_fraction_bits=3)
    with pytest.raises(InputError, match="must be a chain of layers"):
        feed_forward(replace(loop, schedule=Schedule.SEQUENTIAL), inputs)
