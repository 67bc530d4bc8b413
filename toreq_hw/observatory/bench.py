"""How many frames one core makes in a second: a tick, its picture and its message each."""

import time
from dataclasses import dataclass

import numpy as np

from toreq_hw.data import Dataset, Split
from toreq_hw.network import (
    Colouring,
    Network,
    Population,
    Role,
    SparseCoupling,
    WeightFormat,
    layered,
)
from toreq_hw.network.couplings import patterns
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.wire import Sent, of_curve, of_view, packed

LATTICE = (32, 40, 40)
"""Each of the two lattices of the large network: 51,200 neurons."""

SECONDS = 2.0
"""Of processor time, for each network."""

WARM_UP = 20
"""Frames before those that count."""


@dataclass(frozen=True)
class FrameRate:
    """Frames a second of a network, and how many are asked for."""

    network: str
    neurons: int
    frames_per_second: float
    budget: int


def frame_rates() -> list[FrameRate]:
    """Of MNIST's network, and of 102,400 neurons in two lattices; random weights and images."""
    small = layered((784, 512, 10), WeightFormat.TERNARY, (4, 4))
    rates = []
    for name, network, budget in (
        ("784-512-10", _random(small), 60),
        ("two lattices of 32 x 40 x 40", _random(lattices()), 10),
    ):
        neurons = sum(population.size for population in network.relaxing)
        rates.append(FrameRate(name, neurons, _rate(network), budget))
    return rates


def lattices() -> Network:
    """An input, two joined lattices with 26 neighbours a neuron, and an output; zero weights."""
    size = int(np.prod(LATTICE))
    populations = (
        Population("input", 64, Role.INPUT, shape=(8, 8, 1)),
        Population("lattice", size, Role.HIDDEN, shape=LATTICE),
        Population("other", size, Role.HIDDEN, shape=LATTICE),
        Population("output", 10, Role.OUTPUT),
    )
    each, inside = np.arange(size), patterns.lattice(LATTICE)
    pairs = {
        ("input", "lattice"): (each % 64, each),
        ("lattice", "lattice"): inside,
        ("lattice", "other"): (each, each),
        ("other", "other"): inside,
        ("other", "output"): (each, each % 10),
    }
    sizes = {population.name: population.size for population in populations}
    couplings = [
        SparseCoupling.of_pairs(
            pre,
            post,
            ends,
            (sizes[pre], sizes[post]),
            fraction_bits=6,
            weight_format=WeightFormat.INT8,
        )
        for (pre, post), ends in pairs.items()
    ]
    z, y, x = np.indices(LATTICE) % 2
    parity = (4 * z + 2 * y + x).ravel()
    colours = {"lattice": parity, "other": parity + 8, "output": np.full(10, 16)}
    return Network(populations, tuple(couplings), {}, Colouring.of(colours))


def _random(network: Network) -> Network:
    rng = np.random.default_rng(1)
    couplings = []
    for coupling in network.couplings:
        limit = min(20, coupling.weight_format.limit)
        shape = coupling.parameters.shape
        weights = rng.integers(-limit, limit + 1, shape).astype(np.int8)
        couplings.append(coupling.with_parameters(coupling.mirrored(weights)))
    return Network(network.populations, tuple(couplings), {}, network.schedule)


def _rate(network: Network) -> float:
    """Frames in a second of processor time, while phases of random images run.

    The first frames, which compile, and the start of each phase are left out.
    """
    live = Live(network, _random_images(network))
    sent = Sent(phase=0, tick=0)
    frames, spent = -WARM_UP, 0.0
    while spent < SECONDS:
        if live.viewer.at_end:
            live.present(1 - (live.sample or 0))
        begin = time.process_time()
        live.viewer.advance("tick")
        header = {"curve": of_curve(live.viewer.history, sent), **of_view(live)}
        packed(header, live.viewer.planes())
        frames += 1
        spent += time.process_time() - begin if frames > 0 else 0.0
    return frames / spent


def _random_images(network: Network) -> Dataset:
    rng, size = np.random.default_rng(2), network.input.size
    images = rng.integers(0, 256, (20, size)).astype(np.uint8)
    part = Split(images, rng.integers(0, network.output.size, 20))
    side = round(size**0.5)
    classes = network.output.size
    return Dataset(
        name="random",
        shape=(side, size // side),
        pixel_max=255,
        classes=classes,
        split="random images",
        train=part,
        test=part,
    )
