"""Offline training with the quantisers in the loop: batches, Adam, the written network."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.quant.batches import Batches, LoaderBatches, SplitBatches
from toreq_hw.quant.equilibrium import Layers
from toreq_hw.quant.evaluation import accuracy
from toreq_hw.quant.options import Rule, TrainingOptions, default_fraction_bits, populations
from toreq_hw.quant.parameters import (
    Parameters,
    bias_lsbs_per_unit,
    initial,
    lsbs_per_unit,
    spectral_norms,
)
from toreq_hw.quant.quantisers import weight_quantiser
from toreq_hw.quant.rules import backprop_gradients, eqprop_gradients
from toreq_hw.quant.starting import layers_of, parameters_from
from toreq_hw.reading import shown
from toreq_hw.records.parity import Epoch

EXACT_PRODUCT = 4095 * 4097
"""Has 24 bits; with factors of 11 bits, as TF32 has them, it would be 2^24."""


@dataclass(frozen=True)
class Training:
    """A finished run. accuracies are fractions of the split that was given as the test set.

    spectral_norms_before / _after: of the quantised couplings, activations over 0..1.
    """

    options: TrainingOptions
    network: Network
    parameters: Parameters
    epochs: tuple[Epoch, ...]
    accuracy: float
    spectral_norms_before: tuple[float, ...]
    spectral_norms_after: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Wall-clock time of all epochs, evaluation left out."""
        return sum(e.seconds for e in self.epochs)

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all epochs, evaluation left out."""
        return sum(e.cpu_seconds for e in self.epochs)


@dataclass(frozen=True, eq=False)
class Update:
    """One step of Adam. epoch, number: from 0 on. samples: int64 (batch,), numbers of those that
    are learned; empty of a loader. correct: of them, before the step. sweeps: of the slowest.
    """

    epoch: int
    number: int
    samples: npt.NDArray[np.int64]
    correct: int
    sweeps: int


@named_type_errors
def train(
    options: TrainingOptions,
    dataset: Dataset,
    on_epoch: Callable[[int, Epoch], object] = lambda *_: None,
    start: Network | None = None,
    blank: Network | None = None,
    *,
    on_update: Callable[[Update], None] = lambda _: None,
    loader: DataLoader[Any] | None = None,
) -> Training:
    """Trains on `dataset.train`, or on what `loader` gives, and measures on `dataset.test`.

    `on_epoch` is called after each epoch with its index; True ends the training. on_update: after
    each batch. start: a network to go on from, whose shape and formats stand for the options'
    (`starting.parameters_from`). blank: one whose shape and formats do, but not its weights. The
    same options, start, data, torch version and number of threads give the same network.
    Raises InputError, NetworkError.
    """
    device = _device(options.device)
    generator = torch.Generator().manual_seed(options.seed)
    if start is None:
        layers = layers_of(blank) if blank else _layers(options, dataset)
        parameters = _parameters(options, layers, generator, device)
    else:
        parameters = parameters_from(start, options.ternary_threshold, device)
    layers = parameters.layers
    if layers.populations[-1].size != dataset.classes:
        raise InputError(
            f"starting network must have {dataset.classes} outputs for {dataset.name}, found "
            f"{layers.populations[-1].size}"
        )
    before = _quantised_norms(parameters)
    batches: Batches = SplitBatches(options, dataset, layers, device)
    if loader is not None:
        ends = layers.populations[0], dataset.classes
        batches = LoaderBatches(loader, *ends, len(dataset.train), device)
    epochs = tuple(_epochs(options, batches, parameters, generator, on_epoch, on_update))
    return Training(
        options=options,
        network=parameters.network(options.beta_shift),
        parameters=parameters,
        epochs=epochs,
        accuracy=accuracy(parameters, options.rule, dataset, dataset.test),
        spectral_norms_before=before,
        spectral_norms_after=_quantised_norms(parameters),
    )


def _epochs(
    options: TrainingOptions,
    batches: Batches,
    parameters: Parameters,
    generator: torch.Generator,
    on_epoch: Callable[[int, Epoch], object],
    on_update: Callable[[Update], None],
) -> Iterator[Epoch]:
    """Changes `parameters` in place; yields what each pass over the training set showed."""
    optimiser = _optimiser(parameters, options.learning_rate)
    steps = options.epochs * batches.count
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    _compile(parameters, options)  # off the clock
    for index in range(options.epochs):
        started, cpu_started = time.perf_counter(), time.process_time()
        right, sweeps, seen = 0, 0, 0
        for number, batch in enumerate(batches.epoch(generator)):
            classes, slowest = _gradients(
                parameters, batch.inputs, batch.labels, options, generator
            )
            optimiser.step()
            schedule.step()
            parameters.clip()
            _limit_spectra(parameters, options.spectral_limit)
            correct = int((classes == batch.labels).sum())
            right, sweeps, seen = right + correct, sweeps + slowest, seen + len(batch.labels)
            on_update(Update(index, number, batch.numbers.cpu().numpy(), correct, slowest))
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        epoch = Epoch(right / seen, sweeps / batches.count, seconds, cpu_seconds)
        ends = on_epoch(index, epoch)
        yield epoch
        if ends is True:
            return


def _compile(parameters: Parameters, options: TrainingOptions) -> None:
    """Loads and compiles, by a batch of one black image, whose gradients are not used."""
    device, populations = parameters.weights[0].device, parameters.layers.populations
    inputs = torch.zeros((1, populations[0].size), dtype=torch.int16, device=device)
    labels = torch.zeros(1, dtype=torch.int64, device=device)
    _gradients(parameters, inputs, labels, options, torch.Generator())


def _gradients(
    parameters: Parameters,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    options: TrainingOptions,
    generator: torch.Generator,
) -> tuple[torch.Tensor, int]:
    if options.rule is Rule.BACKPROP:
        return backprop_gradients(parameters, inputs, labels, options.update_noise, generator)
    return eqprop_gradients(parameters, inputs, labels, options.beta_shift)


def _layers(options: TrainingOptions, dataset: Dataset) -> Layers:
    ends = populations(options, dataset.pixels, dataset.classes)
    return Layers(ends, options.fraction_bits or default_fraction_bits(options.weight_format, ends))


def _parameters(
    options: TrainingOptions, layers: Layers, generator: torch.Generator, device: torch.device
) -> Parameters:
    quantiser = weight_quantiser(options.weight_format, options.ternary_threshold)
    return initial(layers, options.weight_format, quantiser, generator, device)


def _optimiser(parameters: Parameters, learning_rate: float) -> torch.optim.Optimizer:
    """Adam, each latent's step in its own LSBs so that `learning_rate` means the same for all."""
    layers = parameters.layers
    groups = [
        {"params": [w], "lr": learning_rate * lsbs_per_unit(layers, k)}
        for k, w in enumerate(parameters.weights)
    ] + [
        {"params": [b], "lr": learning_rate * bias_lsbs_per_unit(layers, k + 1)}
        for k, b in enumerate(parameters.biases)
    ]
    return torch.optim.Adam(groups, fused=True)


def _device(name: str) -> torch.device:
    """A device that holds numbers, calculates in float64, and does not shorten float32 factors."""
    try:
        device = torch.device(name)
        two = float((torch.ones(1, dtype=torch.float64, device=device) + 1).cpu()[0])
        one = torch.eye(64, device=device)
        product = float(((one * 4095) @ (one * 4097)).cpu()[0, 0])
    except Exception as error:  # whatever a backend raises that is not built in, or not there
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"device must be one that torch can calculate on, not {shown(name)}: {reason:.200}"
        ) from error
    if two != 2:
        raise InputError(f"device must calculate in float64, found 1 + 1 = {two} on {shown(name)}")
    if product != EXACT_PRODUCT:
        raise InputError(
            f"device must multiply float32 exactly, found 4095 * 4097 = {product:.0f} on "
            f"{shown(name)}: set torch's float32 matmul precision to highest"
        )
    return device


def _quantised_norms(parameters: Parameters) -> tuple[float, ...]:
    weights, _ = parameters.quantise()
    return spectral_norms(parameters.layers, weights)


def _limit_spectra(parameters: Parameters, limit: float | None) -> None:
    """Scales down every latent coupling whose spectral norm is above the limit."""
    if limit is None:
        return
    norms = spectral_norms(parameters.layers, parameters.weights)
    for weight, norm in zip(parameters.weights, norms, strict=True):
        if norm > limit:
            weight.mul_(limit / norm)
