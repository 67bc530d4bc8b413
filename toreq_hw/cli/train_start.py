"""Where a training with the integer on-chip rule begins: its options, a network, a checkpoint."""

from dataclasses import asdict, replace
from itertools import pairwise

from toreq_hw import network
from toreq_hw.cli import starting
from toreq_hw.cli.checked import Values
from toreq_hw.cli.readout_options import feedback_of, feedback_shifts_of, readout_of
from toreq_hw.cli.train_files import notes_from
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.memory import check_memory
from toreq_hw.network import Network, Schedule, WeightFormat
from toreq_hw.records.training import CheckpointNotes
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.recipes import Recipe, recipe

_BYTES_PER_SYNAPSE = 8
"""Latent (2), weights both ways in the plan (2), the network and its copies (4)."""


def begin_training(options: Values) -> tuple[Trainer, CheckpointNotes]:
    """The trainer that `integer_options` ask for, and the notes of its training so far.

    Raises InputError, NetworkError, NetworkFileError for what cannot be trained.
    """
    return _resume(options) if options["resume"] else _fresh(options)


def _fresh(options: Values) -> tuple[Trainer, CheckpointNotes]:
    dataset = starting.dataset_for(options["data_name"], options["start"])
    start = starting.starting_network(options["start"], dataset)
    plan = starting.described_network(options["description"], dataset)
    known = start or plan
    kind = starting.weight_format_of(known) if known else WeightFormat(options["weights"])
    clamped = readout_of(options) is not None or (known is not None and known.readout is not None)
    attends = known is not None and bool(known.terms)
    default = recipe(kind, dataset.pixels, clamped=clamped, attends=attends)
    if not dataset.holds_images:
        default = replace(default, augment=0)
    settings = _recipe(options, default)
    epochs = options["epochs"] or settings.epochs
    if start:
        shape = replace(start, beta_shift=settings.beta_shift)
    elif plan:
        given = options["beta_shift"]
        shape = plan if given is None else replace(plan, beta_shift=given)
    else:
        starting.check_rows(1, "the network of these options", dataset)
        shape = _shape(options, dataset, kind, settings)
    if shape.encoding is None:
        shape = replace(shape, encoding=dataset.encoding_of(shape.input))
    begin = Trainer.from_network if start else Trainer
    bits = options["latent_bits"] or LATENT_BITS
    rule = replace(settings.rule(shape, epochs), latent_bits=bits)
    trainer = begin(shape, rule, options["seed"])
    notes = CheckpointNotes(
        data=dataset.source,
        holdout=options["holdout"],
        epochs=epochs,
        augment=settings.augment,
        mirror=options["mirror"],
        started_from=start.sha256 if start else None,
    )
    return trainer, notes


def _resume(options: Values) -> tuple[Trainer, CheckpointNotes]:
    starting.refuse_resumed_options()
    trainer, found = checkpoint.load(options["resume"])
    if isinstance(found.get("data"), str):
        starting.refuse_resumed_options(found["data"])
    notes = notes_from(found, trainer, options["resume"])
    epochs = starting.epochs_of(trainer, options["epochs"] or notes.epochs)
    return trainer, replace(notes, epochs=epochs)


def _recipe(options: Values, default: Recipe) -> Recipe:
    """The default with every setting that was given."""
    names = ("shift", "output_shift", "bias_shift", "theta", "beta_shift", "augment")
    given = {name: options[name] for name in names if options[name] is not None}
    return Recipe(**{**asdict(default), **given})


def _shape(options: Values, dataset: Dataset, kind: WeightFormat, settings: Recipe) -> Network:
    sizes = (dataset.pixels, *options["hidden"], dataset.classes)
    if min(sizes) < 1:
        raise InputError(f"hidden sizes must be at least 1, not {min(options['hidden'])}")
    synapses = sum(a * b for a, b in pairwise(sizes))
    if options["loop"] is not None:
        synapses += sizes[1] ** 2
    check_memory(synapses * _BYTES_PER_SYNAPSE, f"a network of {synapses} synapses")
    first, last = settings.fraction_bits
    return network.layered(
        sizes,
        kind,
        options["fraction_bits"] or (*[first] * (len(sizes) - 2), last),
        state_bits=options["state_bits"],
        input_bits=options["input_bits"],
        signed=options["signed"],
        loop_fraction_bits=options["loop"],
        schedule=Schedule(options["schedule"]) if options["schedule"] else None,
        beta_shift=settings.beta_shift,
        feedback_shifts=feedback_shifts_of(options, len(options["hidden"])),
        feedback=feedback_of(options),
        readout=readout_of(options),
        encoding=dataset.encoding,
    )
