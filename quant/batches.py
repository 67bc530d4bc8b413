"""Batches of an epoch: of a data set that is held in memory, or of a torch DataLoader."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import functional

from toreq_hw.data import Dataset, encode
from toreq_hw.errors import InputError
from toreq_hw.network import Population
from toreq_hw.quant.equilibrium import Layers
from toreq_hw.quant.evaluation import tensors
from toreq_hw.quant.loaders import read_batch
from toreq_hw.quant.options import TrainingOptions


@dataclass(frozen=True, eq=False)
class Batch:
    """inputs: integer states (batch, n_input). labels: (batch,). numbers: of the samples, (batch,);
    empty where nobody counts them.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    numbers: torch.Tensor


class Batches(Protocol):
    """Where batches come from. samples, count: samples and batches of an epoch."""

    samples: int
    count: int

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """The batches of the next epoch."""


class SplitBatches:
    """The training samples of a data set, shuffled in each epoch, and moved about."""

    def __init__(
        self, options: TrainingOptions, dataset: Dataset, layers: Layers, device: torch.device
    ) -> None:
        self._options, self._shape, self._device = options, dataset.shape, device
        self.inputs, self.labels = tensors(dataset, dataset.train, layers, device)
        self.samples = len(self.labels)
        self.count = math.ceil(self.samples / options.batch_size)

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """In an order that the generator draws."""
        options = self._options
        order = torch.randperm(self.samples, generator=generator).to(self._device)
        for numbers in order.split(options.batch_size):
            images = shift_images(self.inputs[numbers], self._shape, options.augment, generator)
            if options.mirror:
                images = mirror_images(images, self._shape, generator)
            yield Batch(images, self.labels[numbers], numbers)


class LoaderBatches:
    """What a DataLoader gives, in its own order and batches, with its own transforms.

    population: the input. classes: more than the largest label. Raises InputError for other data.
    """

    def __init__(
        self, loader: Any, population: Population, classes: int, samples: int, device: torch.device
    ) -> None:
        self._loader, self._population, self._classes = loader, population, classes
        self._device = device
        self.samples, self.count = samples, len(loader)

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """One pass over the loader."""
        for item in self._loader:
            pixels, labels, _ = read_batch(item)
            if labels.max() >= self._classes:
                raise InputError(
                    f"labels must be in 0..{self._classes - 1}, as in the first pass over the "
                    f"DataLoader, found {labels.max()}"
                )
            states = torch.from_numpy(encode(pixels, 255, self._population)).to(self._device)
            yield Batch(states, torch.from_numpy(labels).to(self._device), torch.zeros(0).long())


def shift_images(
    inputs: torch.Tensor, shape: tuple[int, int], most_pixels: int, generator: torch.Generator
) -> torch.Tensor:
    """Each image moved by its own -most_pixels..most_pixels rows and columns, black where it came
    from.

    inputs: (batch, rows * columns * channels) of images of `shape`; returned in the same form.
    """
    if not most_pixels:
        return inputs
    rows, columns = shape
    batch = len(inputs)
    channels = inputs.shape[1] // (rows * columns)
    pictures = inputs.view(batch, rows, columns, channels)
    padded = functional.pad(pictures, (0, 0, *(most_pixels,) * 4))
    start = torch.randint(0, 2 * most_pixels + 1, (2, batch, 1), generator=generator)
    start = start.to(inputs.device)
    row = start[0] + torch.arange(rows, device=inputs.device)
    column = start[1] + torch.arange(columns, device=inputs.device)
    sample = torch.arange(batch, device=inputs.device)[:, None, None]
    return padded[sample, row[:, :, None], column[:, None, :]].reshape(batch, -1)


def mirror_images(
    inputs: torch.Tensor, shape: tuple[int, int], generator: torch.Generator
) -> torch.Tensor:
    """Each image turned left to right with a chance of one half; in the form of `shift_images`."""
    pictures = inputs.view(len(inputs), *shape, -1)
    turned = torch.rand(len(inputs), generator=generator).to(inputs.device) < 1 / 2
    found = torch.where(turned[:, None, None, None], pictures.flip(2), pictures)
    return found.reshape(len(inputs), -1)
