"""Convolutions, lattices, sparse layers and other feedback, trained in integers."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from toreq_hw import data, sim
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.extras import missing
from toreq_hw.network import ConvolutionCoupling, Network
from toreq_hw.records.intervals import interval
from toreq_hw.records.structured import Structured, StructuredCase, StructuredRun
from toreq_hw.records.training import TrainedEpoch, TrainingNotes
from toreq_hw.reports.structured import structured_page
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.summary import summarise
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.structured_baseline import BACKPROP, by_backprop
from toreq_hw.studies.structured_case import Case
from toreq_hw.studies.structured_cases import FULL, QUICK
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.training import train
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

INTEGER = "integer"
BOTH = (INTEGER, BACKPROP)

LEAST_KERNEL_AXES = 4
"""Of parameters (ky, kx, ci, co), which a page can draw."""


@dataclass(frozen=True)
class Options:
    """seeds: trainings of each case, from seed 1 on. baseline: whether backpropagation is trained
    beside them, with `baseline_seeds` or as many. load: gives a data set by its name. kept: cases
    of an earlier record, shown beside. trained: cases of an earlier record whose trainings with the
    integer rule are taken from it.
    """

    cases: tuple[Case, ...] = FULL
    seeds: int = 5
    baseline: bool = True
    load: Callable[[str], Dataset] = data.load
    kept: tuple[StructuredCase, ...] = ()
    baseline_seeds: int | None = None
    trained: tuple[StructuredCase, ...] = ()


QUICK_OPTIONS = Options(QUICK, seeds=1, baseline=False)


def run(options: Options | None, place: Place) -> Structured:
    """Trains what the ledger does not hold. Raises MissingDependencyError where a baseline needs
    torch.
    """
    options = options or Options()
    if options.baseline:
        try:
            import toreq_hw.quant.training  # noqa: F401
        except ModuleNotFoundError as error:
            raise missing("backpropagation", error.name, "quant") from error
    with workers(place.jobs, place.scheduler):
        trained = [_case(case, options, place) for case in options.cases]
    order = [case.name for case in (*FULL, *QUICK)]
    found = tuple(sorted((*trained, *options.kept), key=lambda case: order.index(case.name)))
    return Structured(found, versions("torch") if options.baseline else versions())


def _case(case: Case, options: Options, place: Place) -> StructuredCase:
    dataset = case.dataset(options.load(case.data))
    blank = case.network()
    before = [one for one in options.trained if one.name == case.name]
    earlier = [run for one in before for run in one.runs if run.learner == INTEGER]
    runs = _runs(options, again=not earlier)
    shared = {
        "case": case.name,
        "network": blank.sha256,
        "rule": case.rule(blank).describe(),
        "settings": case.settings,
        "data": dataset.sha256,
        "code": digest_of_imports(__name__),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "structured", shared, StructuredRun)
    shown = place.screen if place.jobs == 1 and place.scheduler is None else NO_SCREEN
    with ledger.lock(place.screen.say):
        place.screen.say(f"{case.name}: {len(runs)} trainings, {len(ledger)} of them kept")
        rows = [*earlier, *ledger.complete(runs, partial(_train, case, dataset, shown))]
    accuracies = {one: [100 * row.accuracy for row in rows if row.learner == one] for one in BOTH}
    return StructuredCase(
        name=case.name,
        data=case.data,
        layers=", ".join(case.layers),
        weights=case.weights.value,
        settings=case.settings,
        synapses=blank.synapses,
        published=case.published,
        at_least=case.at_least,
        integer=interval(accuracies[INTEGER]),
        backprop=interval(accuracies[BACKPROP]) if accuracies[BACKPROP] else None,
        runs=tuple(rows),
    )


def _runs(options: Options, again: bool) -> list[Run]:
    """What is trained of a case. again: whether with the integer rule too."""
    seeds = {INTEGER: options.seeds if again else 0}
    if options.baseline:
        seeds[BACKPROP] = options.baseline_seeds or options.seeds
    return [
        {"learner": learner, "seed": seed}
        for learner, count in seeds.items()
        for seed in range(1, count + 1)
    ]


def still_today(record: Structured, cases: Sequence[Case]) -> tuple[StructuredCase, ...]:
    """The cases of an earlier record that are among `cases` and would be trained so today.

    They have what is asked for and what was published as it is today.
    """
    found = {case.name: case for case in record.cases}
    kept = []
    for case in cases:
        earlier = found.get(case.name)
        today = (case.data, ", ".join(case.layers), case.weights.value, case.settings)
        if earlier and today == (earlier.data, earlier.layers, earlier.weights, earlier.settings):
            kept.append(replace(earlier, published=case.published, at_least=case.at_least))
    return tuple(kept)


def _train(case: Case, dataset: Dataset, screen: Screen, run: Run) -> StructuredRun:
    """One training, wherever it is done."""
    seed, learner = int(run["seed"] or 0), str(run["learner"])
    if learner == BACKPROP:
        return by_backprop(case, dataset, seed, screen)
    return by_integers(case, dataset, seed, screen)


def train_case(
    case: Case, dataset: Dataset, seed: int, screen: Screen
) -> tuple[Network, tuple[TrainedEpoch, ...]]:
    """The network of a case, trained with the integer rule, and what each epoch showed."""
    blank = case.network()
    trainer = Trainer(blank, case.rule(blank), seed)
    notes = TrainingNotes(epochs=case.epochs, augment=case.augment, mirror=case.mirror)
    history = train(trainer, dataset, notes, screen=screen)
    return trainer.network(), history


def by_integers(case: Case, dataset: Dataset, seed: int, screen: Screen) -> StructuredRun:
    """One training of a case with the integer rule, measured on the data set's test samples."""
    trained, history = train_case(case, dataset, seed, screen)
    inputs = data.encode(dataset.test.images, dataset.pixel_max, trained.input)
    found = summarise(sim.relax(trained, inputs), dataset.test.labels)
    return StructuredRun(
        case=case.name,
        learner=INTEGER,
        seed=seed,
        split=dataset.split,
        epochs=case.epochs,
        accuracy=found.accuracy,
        train_accuracy=history[-1].train_accuracy,
        epoch_seconds=statistics.median(entry.seconds for entry in history),
        sparsity=trained.sparsity,
        network_sha256=trained.sha256,
        sweeps_mean=found.sweeps.mean,
        sweeps_p99=found.sweeps.p99,
        unsettled=found.unsettled,
        synops=found.synops_per_sample,
        dense_synops=found.dense_synops_per_sample,
        kernels=_kernels(trained),
    )


def _kernels(network: Network) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Those of the first coupling, one a channel, as rows of weights; () without them."""
    first = network.couplings[0]
    if not isinstance(first, ConvolutionCoupling) or first.weight.ndim < LEAST_KERNEL_AXES:
        return ()
    pictures = np.moveaxis(first.weight[:, :, 0, :], -1, 0).tolist()
    return tuple(tuple(tuple(row) for row in picture) for picture in pictures)


def verdict(record: Structured) -> Verdict:
    """Passed where every test image settled and no case lies below what is asked for."""
    unsettled = sum(run.unsettled or 0 for case in record.cases for run in case.runs)
    below = [
        case.name
        for case in record.cases
        if case.at_least is not None and case.integer.value < 100 * case.at_least
    ]
    said = f"below what is asked for: {', '.join(below)}" if below else "none below what is asked"
    sentence = f"{len(record.cases)} cases, {said}; {unsettled} test images did not settle."
    return Verdict(not below and not unsettled, sentence)


STUDY = Study(
    id="structured",
    claim="Couplings of every kind learn with the integer rule.",
    setup="Whole trainings on real images, measured on test images, over seeds.",
    control="Backpropagation of the same shape, formats and epochs.",
    record=Structured,
    run=run,
    verdict=verdict,
    page=structured_page,
    command="structured",
)
