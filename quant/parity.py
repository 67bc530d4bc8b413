"""The comparison of equilibrium propagation with backpropagation: which runs it is made of.

Both rules train the same shape with the same quantisers, data, batches and epochs. Settings
were chosen on training samples held out (`Dataset.holding_out`), never on test samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toreq_hw import data
from toreq_hw.argument_types import named_type_errors
from toreq_hw.code_digest import code_digest
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat
from toreq_hw.quant import cloning
from toreq_hw.quant.options import Rule, TrainingOptions
from toreq_hw.suggestions import none_of

SETTINGS: dict[str, dict[WeightFormat, TrainingOptions]] = {
    "digits": {
        WeightFormat.INT8: TrainingOptions(hidden=(256,), epochs=40, batch_size=16),
        WeightFormat.TERNARY: TrainingOptions(hidden=(256,), epochs=40, batch_size=16),
    },
    "mnist": {
        WeightFormat.INT8: TrainingOptions(epochs=12, augment=1),
        WeightFormat.TERNARY: TrainingOptions(epochs=12, augment=1, ternary_threshold=0.6),
    },
    "fashion-mnist": {
        WeightFormat.INT8: TrainingOptions(epochs=10),
        WeightFormat.TERNARY: TrainingOptions(epochs=10, ternary_threshold=0.6),
    },
    **{
        task: {
            WeightFormat.INT8: TrainingOptions(
                hidden=(128,), epochs=20, batch_size=128, learning_rate=3e-3
            ),
            WeightFormat.TERNARY: TrainingOptions(hidden=(512,), epochs=20, batch_size=128),
        }
        for task in cloning.TASKS
    },
}
"""By task; the weight format is set when the run is planned."""

_TRAINING = (
    "cloning",
    "convolution_form",
    "equilibrium",
    "evaluation",
    "forms",
    "options",
    "parameters",
    "parity",
    "quantisers",
    "readout",
    "relaxation",
    "relaxation_batch",
    "relaxation_kernel",
    "rules",
    "training",
)
"""Modules of this folder that decide what a run computes and how long that takes."""


CODE_SHA256 = code_digest(Path(__file__).with_name(f"{name}.py") for name in _TRAINING)
"""Of the code as it was when this process loaded it; kept with every run."""

QUICK_EPOCHS, QUICK_HIDDEN, QUICK_SEEDS = 10, (64,), 2


@dataclass(frozen=True)
class PlannedRun:
    """One training of the comparison; `name` is also its file's."""

    task: str
    options: TrainingOptions

    @property
    def name(self) -> str:
        """`task-weights-rule-seed`."""
        options = self.options
        return f"{self.task}-{options.weight_format.value}-{options.rule.value}-{options.seed}"


@named_type_errors
def plan(tasks: Sequence[str], seeds: int, *, quick: bool) -> Iterator[PlannedRun]:
    """All runs, seed by seed, so that an unfinished campaign has whole seeds.

    quick: the first task's smallest form, for tests: few epochs, few neurons, two seeds.
    Raises InputError for a task that does not exist.
    """
    for task in tasks:
        if task not in SETTINGS:
            raise InputError(none_of("task", task, SETTINGS))
    for seed in range(1, (QUICK_SEEDS if quick else seeds) + 1):
        for task in tasks:
            for weight_format, settings in SETTINGS[task].items():
                for rule in Rule:
                    options = replace(settings, weight_format=weight_format, rule=rule, seed=seed)
                    if quick:
                        options = replace(options, epochs=QUICK_EPOCHS, hidden=QUICK_HIDDEN)
                    yield PlannedRun(task, options)


@named_type_errors
def dataset(task: str) -> Dataset:
    """The images of a data set, or the decisions of a task's expert."""
    if task in cloning.TASKS:
        return cloning.demonstrations(cloning.task(task))
    return data.load(task)
