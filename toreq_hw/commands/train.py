"""`toreq-hw train`: learn a network from real images, on chip (integers) or offline (torch)."""

import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from toreq_hw import data, network
from toreq_hw.cli import console, starting, train_torch
from toreq_hw.cli.checked import Values, checked_command
from toreq_hw.cli.numbers import MAX_COUNT, Name, Numbers, Real, Whole
from toreq_hw.cli.options import (
    any_data_option,
    json_option,
    out_file_option,
    overwrite_option,
    samples_option,
    seed_option,
    with_samples,
)
from toreq_hw.cli.paths import InputFile, OutputFile
from toreq_hw.cli.readout_options import (
    feedback_of,
    feedback_shifts_of,
    readout_of,
    readout_options,
)
from toreq_hw.cli.runs import current_run
from toreq_hw.cli.train_files import checkpoint_path, notes_from, train_files
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together, write_json
from toreq_hw.memory import check_memory
from toreq_hw.network import Network, Schedule, WeightFormat
from toreq_hw.records.training import CheckpointNotes, IntegerTraining
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.recipes import Recipe, recipe
from toreq_hw.studies.training import train
from toreq_hw.versions import versions

_BYTES_PER_SYNAPSE = 8
"""Latent (2), weights both ways in the plan (2), the network and its copies (4)."""

_EPILOG = """\b
Examples:
  toreq-hw train --data mnist --hidden 512 --weights ternary --out net.safetensors
  toreq-hw train --data mnist --holdout 10000 --shift 5 --out try.safetensors
  toreq-hw train --data mnist --hidden 512 --readout clamped --out net.safetensors
  toreq-hw train --network conv.toml --data mnist --out net.safetensors
  toreq-hw train --network attention.toml --data reversal-8 --out net.safetensors
  toreq-hw train --from imported.safetensors --data mnist --out net.safetensors
  toreq-hw train --resume net.checkpoint --epochs 40 --out net.safetensors
  toreq-hw train --engine torch --weights int8 --state-bits 4 --out net.safetensors"""


@checked_command(epilog=_EPILOG, files=train_files)
@any_data_option
@click.option(
    "--engine",
    type=Name(["integer", "torch"]),
    default="integer",
    show_default=True,
    help="integer: the on-chip rule; torch: batches offline, quantisers in the loop.",
)
@click.option(
    "--hidden",
    type=Numbers(1, 10 * MAX_COUNT, 64),
    default="128",
    show_default=True,
    help="Hidden sizes.",
)
@click.option(
    "--weights",
    type=Name([f.value for f in WeightFormat]),
    default="ternary",
    show_default=True,
    help="Weight format.",
)
@click.option("--state-bits", type=Whole(1, 8), default=8, show_default=True)
@click.option("--input-bits", type=Whole(1, 8), default=8, show_default=True)
@click.option("--signed", is_flag=True, help="Signed states (hard tanh) instead of unsigned.")
@click.option(
    "--fraction-bits", type=Numbers(0, 15, 65), help="Of each coupling, input side first."
)
@click.option(
    "--loop",
    type=Whole(0, 15),
    help="Couple the first hidden layer to itself, with these fraction bits.",
)
@click.option(
    "--schedule",
    type=Name([s.value for s in Schedule]),
    help="Default: parity, or sequential with --loop.",
)
@readout_options
@click.option("--beta-shift", type=Whole(0, 15), help="Nudge strength 2^-N.")
@click.option("--epochs", type=Whole(1, MAX_COUNT), help="Default: by data and weights.")
@click.option(
    "--shift", type=Whole(0, 16), help="Learning rate 2^-N of all couplings but the last."
)
@click.option("--output-shift", type=Whole(0, 16), help="The same of the last coupling.")
@click.option("--bias-shift", type=Whole(0, 16), help="The same of all biases.")
@click.option("--theta", type=Whole(1, 32767), help="Ternary threshold.")
@click.option("--latent-bits", type=Whole(8, 16), help="Of every latent weight; default 16.")
@click.option("--augment", type=Whole(0, 4), help="Move training images by up to N pixels.")
@click.option(
    "--holdout",
    type=Whole(1, MAX_COUNT),
    help="Measure on N held-out training images instead of the test set.",
)
@samples_option("Measure on the first N test images only.")
@out_file_option()
@overwrite_option
@click.option(
    "--checkpoint",
    "checkpoint_path",
    type=OutputFile(),
    help="Default: beside --out.",
)
@click.option(
    "--resume",
    type=InputFile(Kind.CHECKPOINT),
    help="Go on from a checkpoint; the options that shape network and rule are its own.",
)
@click.option(
    "--from",
    "start",
    type=InputFile(Kind.NETWORK),
    help="Network file to go on from, such as one of toreq-hw import; its shape is kept.",
)
@click.option(
    "--network",
    "description",
    type=InputFile(Kind.DESCRIPTION),
    help="TOML that describes the network, in place of the options that shape it.",
)
@click.option("--rule", type=Name(["eqprop", "backprop"]), help="Torch: what moves the weights.")
@click.option("--batch-size", type=Whole(1, MAX_COUNT), help="Torch: samples a step.")
@click.option("--learning-rate", type=Real(0, 10, above=True), help="Torch: Adam's first step.")
@click.option(
    "--spectral-limit", type=Real(0, 1e6, above=True), help="Torch: largest Lipschitz constant."
)
@click.option("--device", help="Torch: cpu or cuda.")
@click.option(
    "--float-out",
    type=OutputFile(),
    help="Torch: also write the latent weights, for toreq-hw quantize.",
)
@seed_option
@json_option
def command(engine: str, out: Path, json_path: Path | None, **options: Any) -> int:
    """Train a network with the integer on-chip rule, or offline with torch.

    Integer: one sample at a time, integers only (docs/numerics.md, section 6). A checkpoint
    is written after every epoch; an interrupted training resumes to the same bits with
    --resume. Torch: batches, Adam and Brevitas quantisers (docs/quantisation.md).
    Prints the accuracy on the test set.
    """
    if engine == "torch":
        return train_torch.train_and_write(out, json_path, options)
    train_torch.refuse_options(options, train_torch.TORCH_ONLY, "integer")
    _train_integer(out, json_path, options)
    return 0


def _train_integer(out: Path, json_path: Path | None, options: Values) -> None:
    kept = checkpoint_path(out, options["checkpoint_path"])
    trainer, notes = _resume(options) if options["resume"] else _fresh(options)
    dataset = data.load(notes.data)
    if notes.holdout:
        dataset = dataset.holding_out(notes.holdout)
    dataset = with_samples(dataset, options["samples"])
    begin = time.perf_counter()
    history = train(trainer, dataset, notes, kept, current_run(), console.terminal)
    trained = trainer.network()
    record = IntegerTraining(
        data=dataset.name,
        split=dataset.split,
        seed=trainer.seed,
        rule=trainer.rule.describe(),
        epochs=notes.epochs,
        augment=notes.augment,
        started_from=notes.started_from,
        history=history,
        accuracy=history[-1].accuracy if history else None,
        sparsity=trained.sparsity,
        seconds=time.perf_counter() - begin,
        network_sha256=trained.sha256,
        versions=versions(),
    )
    with together():
        network.save(trained, out, run=current_run())
        if json_path:
            write_json(json_path, record)
    accuracy = "unchanged" if record.accuracy is None else f"{100 * record.accuracy:.2f} %"
    console.output.print(
        f"{dataset.name}: accuracy {accuracy} on {len(dataset.test)} images ({dataset.split}); "
        f"{100 * trained.sparsity:.0f} % of weights are zero; wrote {out}"
    )


def _fresh(options: Values) -> tuple[Trainer, CheckpointNotes]:
    dataset = data.load(options["data_name"])
    start = starting.starting_network(options["start"], dataset)
    plan = starting.described_network(options["description"], dataset)
    known = start or plan
    kind = starting.weight_format_of(known) if known else WeightFormat(options["weights"])
    clamped = readout_of(options) is not None or (known is not None and known.readout is not None)
    attends = known is not None and bool(known.terms)
    default = recipe(kind, dataset.pixels, clamped=clamped, attends=attends)
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
    begin = Trainer.from_network if start else Trainer
    bits = options["latent_bits"] or LATENT_BITS
    rule = replace(settings.rule(shape, epochs), latent_bits=bits)
    trainer = begin(shape, rule, options["seed"])
    notes = CheckpointNotes(
        data=dataset.name,
        holdout=options["holdout"],
        epochs=epochs,
        augment=settings.augment,
        started_from=start.sha256 if start else None,
    )
    return trainer, notes


def _resume(options: Values) -> tuple[Trainer, CheckpointNotes]:
    starting.refuse_resumed_options()
    trainer, found = checkpoint.load(options["resume"])
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
    )
