"""Where a training with the integer on-chip rule begins: its options, a network, a checkpoint."""

from dataclasses import fields, replace
from typing import NamedTuple

from toreq_hw.cli import console, starting
from toreq_hw.cli.checked import Values
from toreq_hw.cli.readout_options import feedback_of, feedback_shifts_of, readout_of
from toreq_hw.cli.train_files import notes_from
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.network import Network, Schedule, WeightFormat
from toreq_hw.records.training import CheckpointNotes
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.training.integer import IntegerSettings, begin


class Started(NamedTuple):
    """A training before its first sample here. notes: of what is learned already. recipe: the
    settings in words, None of one that goes on.
    """

    trainer: Trainer
    notes: CheckpointNotes
    recipe: str | None

    def say(self) -> None:
        """Shows the recipe: once nothing can be refused any more."""
        if self.recipe is not None:
            console.messages.print(f"recipe: {self.recipe}")
            say_of_tables(self.trainer.blueprint)


def say_of_tables(net: Network) -> None:
    """Says of a table that its recipe is that of images."""
    if net.encoding is not None and net.encoding.centred:
        console.messages.print(
            "notice: this recipe was chosen on images; EqPropClassifier has one for tables, with a "
            "clamped readout, and is often better there (docs/estimators.md)"
        )


def begin_training(options: Values) -> Started:
    """The training that `integer_options` ask for; nothing is said yet.

    Raises InputError, NetworkError, NetworkFileError for what cannot be trained.
    """
    return _resume(options) if options["resume"] else _fresh(options)


def _fresh(options: Values) -> Started:
    dataset = starting.dataset_for(options["data_name"], options["start"])
    start = starting.starting_network(options["start"], dataset)
    blank = starting.described_network(options["description"], dataset)
    begun = begin(dataset, _settings(options), options["seed"], start, blank, spelled=_option)
    if options["holdout"]:
        dataset.holding_out(options["holdout"])  # refused where there are too few
    notes = CheckpointNotes(
        data=dataset.source,
        holdout=options["holdout"],
        epochs=begun.epochs,
        augment=begun.recipe.augment,
        mirror=options["mirror"],
        started_from=start.sha256 if start else None,
    )
    return Started(begun.trainer, notes, str(begun))


def _option(setting: str) -> str:
    """The option that sets it."""
    return f"--{setting.replace('_', '-')}"


def _settings(options: Values) -> IntegerSettings:
    """What the options say; those of the same name as they are."""
    names = {field.name for field in fields(IntegerSettings)} & options.keys()
    given = {name: options[name] for name in names}
    return IntegerSettings(
        **given
        | {
            "weights": WeightFormat(options["weights"]),
            "schedule": Schedule(options["schedule"]) if options["schedule"] else None,
            "readout": readout_of(options),
            "feedback": feedback_of(options),
            "feedback_shifts": feedback_shifts_of(options, len(options["hidden"])),
            "latent_bits": options["latent_bits"] or LATENT_BITS,
        }
    )


def _resume(options: Values) -> Started:
    starting.refuse_resumed_options()
    trainer, found = checkpoint.load(options["resume"])
    if isinstance(found.get("data"), str):
        starting.refuse_resumed_options(found["data"])
    notes = notes_from(found, trainer, options["resume"])
    epochs = starting.epochs_of(trainer, options["epochs"] or notes.epochs, notes.part)
    return Started(trainer, replace(notes, epochs=epochs), None)
