"""The files of `toreq-hw train`: where its checkpoint lies, what it notes, whose run goes on."""

import shlex
from pathlib import Path

import click

from toreq_hw import data
from toreq_hw.cli.checked import Files, Values, overwriting
from toreq_hw.cli.runs import current_run
from toreq_hw.data import Spec
from toreq_hw.data.own import Form
from toreq_hw.destinations import Way, destination
from toreq_hw.errors import DataError, InputError
from toreq_hw.json_values import JsonObject
from toreq_hw.reading import Fields, record_from
from toreq_hw.records.training import CheckpointNotes, TrainedEpoch
from toreq_hw.sim.learning import Trainer
from toreq_hw.studies.kept_training import Checkpoints
from toreq_hw.studies.kept_work import kept_work

_MOST = (1 << 31) - 1

_GOES_ON_WITH = ("checkpoint_path", "checkpoint_every", "samples", "json_path")
"""Options of `train` that are given again where it goes on; a checkpoint answers the others."""


def checkpoint_path(out: Path, named: Path | None) -> Path | None:
    """Where checkpoints go: beside --out unless named; nowhere beside a device."""
    if named is None and destination(out).way is not Way.REPLACED:
        return None
    return named or out.with_suffix(".checkpoint")


def checkpoints(out: Path, options: Values) -> Checkpoints | None:
    """The checkpoints of the training in progress, and how a person goes on from one."""
    path = checkpoint_path(out, options["checkpoint_path"])
    if path is None:
        return None
    words = ["toreq-hw", "train", "--resume", str(path), "--out", str(out)]
    given = click.get_current_context().params
    if Spec.of(given["data_name"]).form is Form.FUNCTION:
        words += ["--data", given["data_name"]]
    for name in _GOES_ON_WITH:
        if given[name] is not None:
            words += [f"--{name.removesuffix('_path').replace('_', '-')}", str(given[name])]
    if overwriting():
        words.append("--overwrite")
    return Checkpoints(
        path=path, run=current_run(), every=options["checkpoint_every"], go_on=shlex.join(words)
    )


def train_files(values: Values) -> Files:
    """A resumed training goes on with its checkpoint's run, and may write that checkpoint."""
    if values["engine"] == "torch":
        return Files()
    resumed = values["resume"]
    kept = checkpoint_path(values["out"], values["checkpoint_path"])
    found = kept_work(resumed) if resumed else None
    return Files(
        outputs={"--checkpoint": kept} if kept else {},
        shared=(("--checkpoint", "--resume"),),
        run=found.run if found else None,
    )


def notes_from(notes: JsonObject, trainer: Trainer, path: Path) -> CheckpointNotes:
    """The notes that `train` left in the checkpoint `path`. Raises InputError for any others."""
    found = Fields(notes, f"{path}: notes", InputError)
    try:
        data.loader(found.text("data"))
    except DataError as error:
        known = (*data.NAMES, *data.SEQUENCES)
        raise found.error("data", f"be one of {', '.join(known)}", notes["data"]) from error
    if found.value("holdout") is not None:
        found.integer("holdout", 1, _MOST)
    found.integer("epochs", 1, _MOST)
    found.integer("augment", 0, 4)
    if "mirror" in found and type(notes["mirror"]) is not bool:
        raise found.error("mirror", "be true or false", notes["mirror"])
    history = found.parts("history")
    if len(history) != trainer.epoch:
        raise found.error("history", f"have {trainer.epoch} entries, one an epoch", len(history))
    if "part" in found and notes["part"] is not None:
        for name in ("samples", "correct", "sweeps", "unsettled", "events"):
            found.part("part").integer(name, 0)
    for entry in history:
        entry.number("accuracy", 0, 1)
        record_from(entry.content, TrainedEpoch, f"{path}: notes: history", InputError)
    return record_from(notes, CheckpointNotes, f"{path}: notes", InputError)
