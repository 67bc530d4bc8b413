"""How far the integer rule follows the gradient through training, by feedback shift and drive."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt

from toreq_hw import data
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.network import WeightFormat
from toreq_hw.records.gradients import GradientCase, GradientRun, Gradients, Snapshot
from toreq_hw.records.training import TrainingNotes
from toreq_hw.reports.gradients import best_setting, gradients_page, lead
from toreq_hw.sim.gradient_cosine import alignment
from toreq_hw.sim.learning import Trainer
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.structured_case import Case
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.training import train
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

LEAST = 0.5
"""Cosine that every coupling must keep under the best setting of a case, from an epoch on."""

_DENSE = Case(
    name="digits dense, three hidden layers",
    data="digits",
    image="64",
    layers=("dense 48", "dense 48", "dense 48", "dense 10"),
    weights=WeightFormat.INT8,
    fraction_bits=(7, 7, 7, 6),
    feedback_shifts=(0, 0, 0, 0),
    temperature=(1, 8),
    shift=5,
    output_shift=7,
    bias_shift=7,
    channel_bias_shift=7,
    epochs=4,
    initial_reach=3000,
)
_CONVOLUTION = replace(
    _DENSE,
    name="digits, two convolutions",
    image="8x8x1",
    layers=("conv 8 3x3 pad 1", "conv 16 3x3 stride 2", "dense 10"),
    fraction_bits=(6, 7, 8),
    feedback_shifts=(0, 0, 0),
    temperature=(1, 4),
    shift=6,
    output_shift=8,
    channel_bias_shift=9,
    initial_reach=6000,
)

QUICK = (_DENSE, _CONVOLUTION)
FULL = (
    *QUICK,
    replace(
        _DENSE,
        name="mnist dense, three hidden layers",
        data="mnist",
        image="784",
        layers=("dense 128", "dense 128", "dense 128", "dense 10"),
        fraction_bits=(7, 7, 7, 7),
        shift=7,
        output_shift=9,
        bias_shift=8,
        initial_reach=2000,
        images=1000,
    ),
    replace(
        _CONVOLUTION,
        name="mnist, two convolutions",
        data="mnist",
        image="28x28x1",
        layers=("conv 8 5x5 stride 2 pad 1", "conv 16 3x3 stride 2", "dense 10"),
        fraction_bits=(6, 8, 8),
        layer_shifts=(5, 8, 8),
        bias_shift=8,
        channel_bias_shift=10,
        initial_reach=2000,
        images=1000,
    ),
)


@dataclass(frozen=True)
class Options:
    """shifts, drives: of the trainings of each case. beta_shifts: of the nudges whose contrasts are
    measured; trainings use that of the case. samples: training images that contrasts and gradients
    are summed over. points: epochs after which that is done. load: gives a data set by its name.
    """

    cases: tuple[Case, ...] = FULL
    shifts: tuple[int, ...] = (0, 1, 2, 3)
    drives: tuple[int, ...] = (0, 3)
    beta_shifts: tuple[int, ...] = (0, 1, 2)
    samples: int = 100
    points: tuple[int, ...] = (0, 1, 4)
    seed: int = 1
    load: Callable[[str], Dataset] = data.load


def run(options: Options | None, place: Place) -> Gradients:
    """Trains and measures what the ledger does not hold."""
    options = options or Options()
    with workers(place.jobs, place.scheduler):
        found = tuple(_case(case, options, place) for case in options.cases)
    return Gradients(found, versions())


def _case(case: Case, options: Options, place: Place) -> GradientCase:
    dataset = case.dataset(options.load(case.data))
    runs: list[Run] = [
        {"feedback_shift": shift, "drive": drive}
        for shift, drive in product(options.shifts, options.drives)
    ]
    blank = case.network()
    shared = {
        "case": case.name,
        "network": blank.sha256,
        "rule": case.rule(blank).describe(),
        "settings": case.settings,
        "measured": [options.samples, options.seed, *options.points, *options.beta_shifts],
        "data": dataset.sha256,
        "code": digest_of_imports(__name__),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "gradients", shared, GradientRun)
    shown = place.screen if place.jobs == 1 and place.scheduler is None else NO_SCREEN
    with ledger.lock(place.screen.say):
        place.screen.say(f"{case.name}: {len(runs)} trainings, {len(ledger)} of them kept")
        rows = ledger.complete(runs, partial(_train, case, options, dataset, shown))
    return GradientCase(
        name=case.name,
        data=case.data,
        layers=", ".join(case.layers),
        settings=case.settings,
        runs=tuple(rows),
    )


def _train(case: Case, options: Options, dataset: Dataset, screen: Screen, run: Run) -> GradientRun:
    """One training, wherever it is done."""
    shift, drive = int(run["feedback_shift"] or 0), int(run["drive"] or 0)
    blank = case.with_feedback(shift, drive).network()
    trainer = Trainer(blank, case.rule(blank), options.seed)
    inputs = data.encode(dataset.train.images[: options.samples], dataset.pixel_max, blank.input)
    return GradientRun(
        case=case.name,
        feedback_shift=shift,
        drive=drive,
        seed=options.seed,
        split=dataset.split,
        snapshots=tuple(
            _snapshot(
                trainer=trainer,
                case=case,
                options=options,
                dataset=dataset,
                screen=screen,
                inputs=inputs,
                epoch=epoch,
            )
            for epoch in options.points
        ),
    )


def _snapshot(
    trainer: Trainer,
    case: Case,
    options: Options,
    dataset: Dataset,
    screen: Screen,
    inputs: npt.NDArray[np.int16],
    epoch: int,
) -> Snapshot:
    """The network after `epoch` epochs. inputs: (samples, input.size), those that are measured."""
    notes = TrainingNotes(epochs=epoch, augment=case.augment, mirror=case.mirror)
    history = train(trainer, dataset, notes, screen=screen)
    labels = dataset.train.labels[: len(inputs)]
    found = alignment(trainer.network(), inputs, labels, options.beta_shifts)
    accuracy = history[-1].accuracy if history else None
    return Snapshot(**vars(found), epoch=epoch, accuracy=accuracy)


def verdict(record: Gradients) -> Verdict:
    """Passed where every case has a setting under which all couplings follow the gradient."""
    best = [best_setting(case) for case in record.gradient_cases]
    return Verdict(all(setting.least >= LEAST for setting in best), lead(record))


STUDY = Study(
    id="gradients",
    claim="Contrasts of integer equilibria follow the gradient of the loss through training.",
    setup="Trainings under several feedback shifts and drives; contrasts under several nudges.",
    control="Exact gradients of the real-valued equilibrium, which finite differences confirm.",
    record=Gradients,
    run=run,
    verdict=verdict,
    page=gradients_page,
)
