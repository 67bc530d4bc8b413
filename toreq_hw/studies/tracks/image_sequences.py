"""Images shown one after another to a network whose states are carried on, and what it keeps.

A readout of its own is fitted on the states in which training sequences end. It names the class of
the first image, of sequences that nobody has seen. It is linear, so that what it finds is there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.results import Status
from toreq_hw.data import Dataset, Split, input_states
from toreq_hw.network import Network

COUNT = 2000
"""Training sequences, and as many test sequences."""

RIDGE = 1.0
"""Added to the squares of the readout, of states as parts of their largest: set, not searched."""


@dataclass(frozen=True, eq=False)
class Images:
    """Sequences. frames: int16 (frames, samples, inputs). labels: int64 (frames, samples)."""

    frames: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Kept:
    """What a readout names after the last image, in per cent of `COUNT` test sequences.

    first: the class of the first image. shuffled: so, of the same images in a random order, by the
    same readout. common: of how many the commonest class is that of the first. cycling: that cycle.
    """

    first: float
    shuffled: float
    common: float
    cycling: float


def kept(
    net: Network,
    dataset: Dataset,
    frames: int,
    seed: int,
    *,
    max_sweeps: int,
    reset: bool = False,
    alike: bool = False,
) -> Kept:
    """What is left of the first of several images, in states that were carried on.

    reset: whether every image is shown to a network at rest. alike: see `images`.
    """
    learned, asked = (
        images(net, dataset, part, frames, seed, alike=alike)
        for part in (dataset.train, dataset.test)
    )
    weights = fitted(ends(net, learned, max_sweeps, reset=reset)[0], learned.labels[0])
    states, cycling = ends(net, asked, max_sweeps, reset=reset)
    mixed, _ = ends(net, in_random_order(asked, seed), max_sweeps, reset=reset)
    first = asked.labels[0]
    return Kept(
        first=100 * float(np.mean(named(weights, states) == first)),
        shuffled=100 * float(np.mean(named(weights, mixed) == first)),
        common=100 * float(np.bincount(first).max() / len(first)),
        cycling=100 * float(cycling.mean()),
    )


def images(
    net: Network, dataset: Dataset, part: Split, frames: int, seed: int, *, alike: bool = False
) -> Images:
    """`COUNT` sequences of samples of `part`, each frame drawn apart from the others.

    alike: whether every image of a sequence is of the class of its first, which gives the class
    away. Then as many samples as `part` has are shown, at most.
    """
    rng = np.random.default_rng([seed, frames, len(part)])
    drawn = rng.integers(0, len(part), (frames, COUNT))
    if alike:
        by_class = np.argsort(part.labels, kind="stable")
        place = np.argsort(by_class, kind="stable")[drawn[0]]
        near = np.clip(place + np.arange(frames)[:, None], 0, len(part) - 1)
        drawn = by_class[near]
    states = input_states(net, part.images, dataset.pixel_max)
    return Images(states[drawn], part.labels[drawn])


def in_random_order(given: Images, seed: int) -> Images:
    """The same sequences, of each the images in a random order; labels stay where they were."""
    rng = np.random.default_rng([seed, 1])
    frames, samples = given.labels.shape
    order = rng.permuted(np.tile(np.arange(frames)[:, None], samples), axis=0)
    return Images(given.frames[order, np.arange(samples)], given.labels)


def ends(
    net: Network, given: Images, max_sweeps: int, *, reset: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """States at the end as parts of the largest, float64 (samples, neurons); which samples cycle.

    reset: whether the last image is shown to a network at rest.
    """
    frames = given.frames[-1:] if reset else given.frames
    last = sim.sequence(net, frames, max_sweeps=max_sweeps)[-1]
    states = [last.states[one.name] / one.state_max for one in net.relaxing]
    return np.concatenate(states, axis=1), last.status == Status.CYCLE


def fitted(
    states: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Weights of a linear readout, float64 (neurons + 1, classes): least squares with a ridge.

    states: (samples, neurons). labels: (samples,).
    """
    inputs = _with_one(states)
    targets = np.eye(int(labels.max()) + 1)[labels]
    squares = inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1])
    return np.linalg.solve(squares, inputs.T @ targets).astype(np.float64)


def named(
    weights: npt.NDArray[np.float64], states: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Classes that a readout names, int64 (samples,)."""
    found: npt.NDArray[np.int64] = np.argmax(_with_one(states) @ weights, axis=1)
    return found


def _with_one(states: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.concatenate([states, np.ones((len(states), 1))], axis=1)
