"""Learning while somebody watches: one sample at a time, or as many a second as are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw import data, sim
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.observatory.breaking import Break, Painted, layers_of
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.generator import sample_order
from toreq_hw.sim.learning.parts import Part
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.synapses import weights_of
from toreq_hw.sim.perturbation import DeadNeurons, StuckStateBits, StuckWeights
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training import FaultyTrainer
from toreq_hw.sim.perturbation.relearning import Broken, DamagedTrainer

TEST_IMAGES = 200
"""Test images on which accuracy is measured while a training is watched."""

MOST_SWEEPS = 100
"""Of a phase of learning under faults that may never end."""

_SIDE = 64
"""Largest side of the picture of a coupling, in blocks of weights."""


@dataclass(frozen=True, eq=False)
class Moved:
    """What one update moved in a coupling.

    weights, latents: how many. cells: uint8 (height, width), of blocks of weights, pre from top to
    bottom: 255 where a weight moved, 96 where a latent did, else 0.
    """

    coupling: str
    weights: int
    latents: int
    of: int
    cells: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Point:
    """A point of the accuracy curve. accuracy: of `TEST_IMAGES` test images, 0..1."""

    samples: int
    accuracy: float


class LiveTraining:
    """A training of a network on a data set, from the network's own weights.

    curve: accuracy over samples learned. Raises InputError for a network that cannot learn.
    """

    def __init__(self, network: Network, dataset: Dataset) -> None:
        ternary = all(c.weight_format is WeightFormat.TERNARY for c in network.couplings)
        kind = WeightFormat.TERNARY if ternary else WeightFormat.INT8
        settings = recipe(kind, dataset.pixels)
        self._sound = Trainer.from_network(network, settings.rule(network, settings.epochs), 1)
        self._trainer: Trainer = self._sound
        self._inputs = data.input_states(network, dataset.train.images, dataset.pixel_max)
        self._labels = dataset.train.labels
        test = dataset.test.take(slice(0, TEST_IMAGES))
        self._test = data.input_states(network, test.images, dataset.pixel_max), test.labels
        self._breaks: tuple[Break, ...] = ()
        self.samples = 0
        self.curve: list[Point] = []

    @property
    def network(self) -> Network:
        """As it has been learned so far, without the damage that it learned under."""
        if self._trainer is not self._sound:
            self._sound.take_over(self._trainer)
        return self._sound.network()

    def under(self, breaks: Sequence[Break]) -> None:
        """Learns on with these parts broken. Raises InputError for damage that no trainer has."""
        if tuple(breaks) != self._breaks:
            _ = self.network
            self._trainer = _broken_trainer(self._sound, breaks)
            self._breaks = tuple(breaks)
            if self.curve:
                self.measure()  # what the damage costs, before anything is learned under it

    def learn_one(self, inputs: npt.NDArray[np.int16], label: int) -> list[Moved]:
        """Learns one image, int16 (1, input.size); what moved, coupling by coupling."""
        trainer = self._trainer
        before = [trainer.latents(k).copy() for k in range(len(trainer.parts))]
        weights = self._weights()
        labels = np.full((1, *self._labels.shape[1:]), label, dtype=np.int64)
        trainer.learn(inputs, labels, np.array([0]))
        self.samples += 1
        now = self._weights()
        return [
            _moved(part, trainer.latents(k) != before[k], now[k] != weights[k])
            for k, part in enumerate(trainer.parts)
        ]

    def _weights(self) -> list[npt.NDArray[np.int8]]:
        """What the latents of each part stand for, of its parameters' shape."""
        trainer = self._trainer
        thetas = trainer.synapses.theta.tolist()
        return [weights_of(trainer.latents(k), theta) for k, theta in enumerate(thetas)]

    def learn(self, count: int) -> None:
        """Learns the next training images, in the order of this project's epochs."""
        total = len(self._labels)
        while count > 0:
            epoch, position = divmod(self.samples, total)
            order = sample_order(total, 1, epoch)[position : position + count]
            self._trainer.learn(self._inputs, self._labels, order)
            self.samples += len(order)
            count -= len(order)

    def measure(self) -> Point:
        """Accuracy as it stands; adds a point to the curve, and keeps at most 2,000 of them."""
        inputs, labels = self._test
        trainer = self._trainer
        result = (
            trainer.relax(inputs)
            if isinstance(trainer, FaultyTrainer)
            else sim.relax(trainer.network(), inputs)
        )
        right = (result.classes == labels).reshape(len(labels), -1).all(axis=1)
        point = Point(self.samples, float(right.mean()))
        self.curve.append(point)
        if len(self.curve) > 2000:
            del self.curve[1::2]
        return point


def _broken_trainer(sound: Trainer, breaks: Sequence[Break]) -> Trainer:
    """The trainer that goes on from a sound one under damage. Raises InputError."""
    network = sound.network()
    neurons = [one for one in breaks if isinstance(one, Painted | DeadNeurons | StuckStateBits)]
    cells = [one for one in breaks if isinstance(one, StuckWeights)]
    if len(neurons) + len(cells) < len(breaks) or (neurons and cells):
        raise InputError(
            "learning must be under dead, stuck or flipped neurons alone, or under one layer of "
            "stuck or missing weights; undo the rest"
        )
    if neurons:
        made = FaultMap.make(network, layers_of(network, neurons), 1)
        return FaultyTrainer(sound, made, max_sweeps=MOST_SWEEPS)
    if len(cells) > 1:
        raise InputError(f"learning must be under one layer of weights, found {len(cells)}")
    if cells:
        return DamagedTrainer(sound, Broken.stuck(cells[0], network))
    return sound


def _moved(part: Part, latents: npt.NDArray[np.bool_], weights: npt.NDArray[np.bool_]) -> Moved:
    """What moved in a part, bool of its parameters' shape."""
    name = part.coupling.name + (" (way back)" if part.feedback else "")
    shown = np.where(weights, 255, np.where(latents, 96, 0)).astype(np.uint8)
    shown = shown.reshape(-1, shown.shape[-1]) if shown.ndim > 1 else shown[None]
    for axis in (0, 1):
        block = -(-shown.shape[axis] // _SIDE)
        starts = np.arange(0, shown.shape[axis], block)
        shown = np.maximum.reduceat(shown, starts, axis=axis)
    return Moved(name, int(weights.sum()), int(latents.sum()), weights.size, shown)
