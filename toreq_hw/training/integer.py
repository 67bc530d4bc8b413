"""Training with the integer on-chip rule: where it begins, and one epoch after another."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from toreq_hw import network, sim
from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.data import Dataset, input_states
from toreq_hw.errors import InputError
from toreq_hw.memory import check_memory
from toreq_hw.network import ClampedReadout, FeedbackKind, Network, Schedule, WeightFormat
from toreq_hw.network.shown import shape_words
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.recipes import Recipe, recipe
from toreq_hw.sim.learning.rule import check_latent_bits
from toreq_hw.sim.learning.session import watched_learning
from toreq_hw.sim.learning.training_samples import NOTHING, Learn, TrainingSamples, learn_epoch
from toreq_hw.sim.summary import summarise
from toreq_hw.training.ends import check_rows, weight_format_of
from toreq_hw.training.reports import NO_CALLBACKS, Callbacks, EpochReport, UpdateReport

_BYTES_PER_SYNAPSE = 8
"""Latent (2), weights both ways in the plan (2), the network and its copies (4)."""

_OF_RECIPE = ("shift", "output_shift", "bias_shift", "theta", "beta_shift", "augment")
"""Settings that stand for those of the recipe where they are given."""


@named_type_errors
@dataclass(frozen=True, kw_only=True)
class IntegerSettings:
    """What may be chosen. None: as the recipe says, which follows from weights and data.

    hidden to feedback_shifts: of the network, unless one is given. fraction_bits: one a coupling.
    loop: fraction bits of a coupling of the first hidden layer to itself. epochs to theta: of the
    rule (docs/numerics.md, section 6). augment: pixels by which images are moved. mirror: whether
    about half of them are turned left to right.
    """

    hidden: tuple[int, ...] = (128,)
    weights: WeightFormat = WeightFormat.TERNARY
    state_bits: int = 8
    input_bits: int = 8
    signed: bool = False
    fraction_bits: tuple[int, ...] | None = None
    loop: int | None = None
    schedule: Schedule | None = None
    readout: ClampedReadout | None = None
    feedback: FeedbackKind = FeedbackKind.SYMMETRIC
    feedback_shifts: tuple[int, ...] | None = None
    beta_shift: int | None = None
    epochs: int | None = None
    shift: int | None = None
    output_shift: int | None = None
    bias_shift: int | None = None
    theta: int | None = None
    latent_bits: int = LATENT_BITS
    augment: int | None = None
    mirror: bool = False


@dataclass(frozen=True, eq=False)
class Begun:
    """A training before its first sample. recipe: with every setting that was given."""

    trainer: Trainer
    recipe: Recipe
    epochs: int

    def __str__(self) -> str:
        net = self.trainer.blueprint
        return f"{shape_words(net)}, {self.recipe.rates}, epochs {self.epochs}"


def begin(
    dataset: Dataset,
    settings: IntegerSettings,
    seed: int,
    start: Network | None = None,
    blank: Network | None = None,
    *,
    spelled: Callable[[str], str] = str,
) -> Begun:
    """A trainer for a data set, by the recipe of its weights.

    start: a network to go on from; blank: one whose shape is trained. spelled: a setting's name as
    a person types it. Raises InputError and NetworkError for what cannot be trained.
    """
    known = start or blank
    kind = weight_format_of(known) if known else settings.weights
    clamped = settings.readout is not None or (known is not None and known.readout is not None)
    attends = known is not None and bool(known.terms)
    default = recipe(kind, dataset.pixels, clamped=clamped, attends=attends)
    if not dataset.holds_images:
        default = replace(default, augment=0)
    given = {n: getattr(settings, n) for n in _OF_RECIPE if getattr(settings, n) is not None}
    chosen = Recipe(**{**asdict(default), **given})
    epochs = chosen.epochs if settings.epochs is None else settings.epochs
    if start:
        shape = replace(start, beta_shift=chosen.beta_shift)
    elif blank:
        shape = blank
        if settings.beta_shift is not None:
            shape = replace(blank, beta_shift=settings.beta_shift)
    else:
        check_rows(1, "the network of these options", dataset)
        shape = _shape(settings, dataset, kind, chosen)
    if shape.encoding is None:
        shape = replace(shape, encoding=dataset.encoding_of(shape.input))
    make = Trainer.from_network if start else Trainer
    rule, bits = chosen.rule(shape, epochs), settings.latent_bits
    for name in (coupling.name for coupling in shape.couplings):
        setting = spelled("output_shift" if name in rule.shifts else "shift")
        check_latent_bits(name, rule.shift_of(name, 0), bits, setting, spelled("latent_bits"))
    rule = replace(rule, latent_bits=bits)
    return Begun(make(shape, rule, seed), replace(chosen, beta_shift=shape.beta_shift), epochs)


def _shape(
    settings: IntegerSettings, dataset: Dataset, kind: WeightFormat, chosen: Recipe
) -> Network:
    sizes = (dataset.pixels, *settings.hidden, dataset.classes)
    if min(sizes) < 1:
        raise InputError(f"hidden sizes must be at least 1, not {min(settings.hidden)}")
    synapses = sum(a * b for a, b in pairwise(sizes))
    if settings.loop is not None:
        synapses += sizes[1] ** 2
    check_memory(synapses * _BYTES_PER_SYNAPSE, f"a network of {synapses} synapses")
    first, last = chosen.fraction_bits
    return network.layered(
        sizes,
        kind,
        settings.fraction_bits or (*[first] * (len(sizes) - 2), last),
        state_bits=settings.state_bits,
        input_bits=settings.input_bits,
        signed=settings.signed,
        loop_fraction_bits=settings.loop,
        schedule=settings.schedule,
        beta_shift=chosen.beta_shift,
        feedback_shifts=settings.feedback_shifts,
        feedback=settings.feedback,
        readout=settings.readout,
        encoding=dataset.encoding,
    )


def training_samples(
    shape: Network, dataset: Dataset, augment: int, *, mirror: bool
) -> TrainingSamples:
    """The training samples of a data set as `shape` takes them; augment as in the recipe."""
    inputs = input_states(shape, dataset.train.images, dataset.pixel_max)
    return TrainingSamples(inputs, dataset.train.labels, dataset.shape, augment, mirror)


def learn_epochs(
    trainer: Trainer,
    training: TrainingSamples,
    epochs: int,
    *,
    test: tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]] | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
    watch: Callable[[Progress], None] = lambda _: None,
    before: Progress = NOTHING,
    every: int | None = None,
) -> Iterator[EpochReport]:
    """Learns until the trainer has learned `epochs`; yields what each showed.

    Where `on_epoch` ends the training no more follow.
    test: inputs (samples, input.size) and labels (samples,) or (samples, rows) to measure on.
    watch, before, every: as in `learn_epoch`; seconds are of what is learned here.
    """
    while trainer.epoch < epochs:
        begin_s = time.perf_counter()
        learn = _learning(trainer, callbacks)
        progress = learn_epoch(trainer, training, watch, before, learn, every=every)
        before = NOTHING
        seconds = time.perf_counter() - begin_s
        found = None if test is None else summarise(sim.relax(trainer.network(), test[0]), test[1])
        report = EpochReport(
            epoch=trainer.epoch,
            epochs=epochs,
            accuracy=progress.correct / progress.samples,
            sweeps_per_phase=progress.sweeps / (3 * progress.samples),
            seconds=seconds,
            unsettled=progress.unsettled,
            events=progress.events,
            test_accuracy=None if found is None else found.accuracy,
        )
        ends = callbacks.epoch(report)
        yield report
        if ends:
            return


def _learning(trainer: Trainer, callbacks: Callbacks) -> Learn | None:
    """What learns one sample after another where updates or ticks are watched; else None."""
    if callbacks.on_update is None and not callbacks.observers:
        return None
    inner: Learn = trainer.learn
    if callbacks.observers:
        inner = watched_learning(trainer, callbacks.observers)
    updates = 0

    def learn(
        inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
    ) -> Progress:
        nonlocal updates
        found = inner(inputs, labels, order)
        updates += 1
        if callbacks.on_update is not None:
            samples = np.array(order, dtype=np.int64)
            epoch = trainer.epoch + 1
            report = UpdateReport(epoch, updates, samples, found.correct, found.sweeps)
            callbacks.on_update(report)
        return found

    return learn
