"""`toreq-hw train`: learn a network from real images, on chip (integers) or offline (torch)."""

import time
from pathlib import Path
from typing import Any

import click

from toreq_hw import data, network
from toreq_hw.cli import console, train_torch
from toreq_hw.cli.checked import Values, checked_command
from toreq_hw.cli.numbers import MAX_COUNT, Name, Real, Whole
from toreq_hw.cli.options import (
    any_data_option,
    json_option,
    out_file_option,
    overwrite_option,
    samples_option,
    samples_word,
    seed_option,
    with_samples,
)
from toreq_hw.cli.paths import OutputFile
from toreq_hw.cli.runs import current_run
from toreq_hw.cli.train_files import checkpoints, train_files
from toreq_hw.cli.train_options import integer_options
from toreq_hw.cli.train_start import begin_training
from toreq_hw.files import together, write_json
from toreq_hw.records.training import IntegerTraining
from toreq_hw.studies.training import train
from toreq_hw.versions import versions

_EPILOG = """\b
Examples:
  toreq-hw train --data mnist --hidden 512 --weights ternary --out net.safetensors
  toreq-hw train --data mnist --holdout 10000 --shift 5 --out try.safetensors
  toreq-hw train --data mnist --hidden 512 --readout clamped --out net.safetensors
  toreq-hw train --network conv.toml --data mnist --out net.safetensors
  toreq-hw train --network attention.toml --data reversal-8 --out net.safetensors
  toreq-hw train --from imported.safetensors --data mnist --out net.safetensors
  toreq-hw train --resume net.checkpoint --epochs 40 --out net.safetensors
  toreq-hw train --data wine.csv --target-column quality --split 0.25:7 --out net.safetensors
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
@integer_options
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
    "--checkpoint-every",
    type=Whole(1, MAX_COUNT),
    help="Write it after every N samples of an epoch too.",
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
    is written after every epoch, and on Ctrl-C and SIGTERM after the last sample learned; a
    training resumes from it to the same bits with --resume. Torch: batches, Adam and Brevitas
    quantisers (docs/quantisation.md).
    Prints the accuracy on the test set.
    """
    if engine == "torch":
        return train_torch.train_and_write(out, json_path, options)
    train_torch.refuse_options(options, train_torch.TORCH_ONLY, "integer")
    _train_integer(out, json_path, options)
    return 0


def _train_integer(out: Path, json_path: Path | None, options: Values) -> None:
    started = begin_training(options)
    trainer, notes = started.trainer, started.notes
    dataset = data.load(notes.data, trainer.blueprint.encoding)
    if notes.holdout:
        dataset = dataset.holding_out(notes.holdout)
    dataset = with_samples(dataset, options["samples"])
    started.say()
    begin = time.perf_counter()
    history = train(trainer, dataset, notes, checkpoints(out, options), console.terminal)
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
        mirror=notes.mirror,
    )
    with together():
        network.save(trained, out, run=current_run())
        if json_path:
            write_json(json_path, record)
    measured = f"{len(dataset.test)} {samples_word(dataset)} ({dataset.split})"
    accuracy = "unchanged" if record.accuracy is None else f"{100 * record.accuracy:.2f} %"
    console.output.print(
        f"{dataset.name}: accuracy {accuracy} on {measured}; "
        f"{100 * trained.sparsity:.0f} % of weights are zero; wrote {out}"
    )
