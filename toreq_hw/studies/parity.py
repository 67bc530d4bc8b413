"""Equilibrium propagation beside backpropagation, over tasks, weight formats and seeds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from toreq_hw import data, network, sim
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.machine import load_average, processors
from toreq_hw.network import Network
from toreq_hw.records import plain
from toreq_hw.records.parity import MemoryProbe, Parity, ParityRun
from toreq_hw.reports import parity as report
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.torch_training import options_record, train_torch, training_record
from toreq_hw.studies.work import do_each, workers

if TYPE_CHECKING:
    from toreq_hw.quant.parity import PlannedRun

TASKS = ("digits", "cartpole", "acrobot", "mnist", "fashion-mnist")

EPISODES = 100
"""Played by each cloned network and by the expert, from the same starts."""


@dataclass(frozen=True)
class Options:
    """threads: of a training. overwrite: networks of other settings. training: False reports only
    what is kept, of any code. made_by: the name of the run that networks carry.
    """

    tasks: tuple[str, ...] = TASKS
    seeds: int = 5
    quick: bool = False
    threads: int = 1
    overwrite: bool = False
    training: bool = True
    made_by: str | None = None


def run(options: Options | None, place: Place) -> Parity:
    """Trains what the ledger does not hold. Raises InputError, before any training, where other
    settings or an older version of the work folder would be lost, or where there is no run.
    """
    options = options or Options()
    try:
        import torch

        from toreq_hw.quant import parity
    except ModuleNotFoundError as error:
        raise missing("parity", error.name, "quant") from error
    torch.set_num_threads(options.threads)
    tasks = ["digits"] if options.quick else options.tasks
    planned = list(parity.plan(tasks, options.seeds, quick=options.quick))
    if options.training:
        if not options.overwrite:
            _refuse_other_runs(planned, place.work)
        found = _train_all(planned, options, place)
    else:
        kept = _kept(place.work)
        found = [kept[key] for key in map(_key, planned) if key in kept]
    if not found:
        raise InputError(
            f"{place.work}: must hold finished runs of these tasks and seeds, found none"
        )
    return Parity(
        rows=tuple(report.rows(found)),
        memory=tuple(_memory(options, place)),
        runs=tuple(replace(one, history=UNSET) for one in found),
    )


def _key(run: "PlannedRun") -> str:
    """Tells a run from all others: its name and its settings."""
    return json.dumps(dict(_run(run)), sort_keys=True)


def _run(run: "PlannedRun") -> Run:
    return {"name": run.name, "settings": json.dumps(plain(options_record(run.options)))}


def _kept(work: Path) -> dict[str, ParityRun]:
    """Finished runs of any code, by their keys; the report names the codes of its runs."""
    found: dict[str, ParityRun] = {}
    for ledger in Ledger.all_of(work, "parity", ParityRun):
        found |= ledger.rows
    return found


def _refuse_other_runs(planned: "Sequence[PlannedRun]", work: Path) -> None:
    """Raises InputError for a finished run of the same name and other settings, or of version 1."""
    kept = {json.loads(key)["name"]: key for key in _kept(work)}
    for run in planned:
        if (work / f"{run.name}.json").exists():
            raise InputError(
                f"{work / run.name}.json: must be absent, found a run of version 1 of this folder; "
                "use another --work, or --overwrite"
            )
        if kept.get(run.name, _key(run)) != _key(run):
            raise InputError(
                f"{work}: run {run.name} must be absent or of the same settings, found one of "
                "other settings; use another --work, or --overwrite"
            )


def _train_all(planned: "Sequence[PlannedRun]", options: Options, place: Place) -> list[ParityRun]:
    """The runs in their order; a network is written before its run is kept."""
    from toreq_hw.quant.parity import CODE_SHA256

    ledger = Ledger(place.work, "parity", {"code": CODE_SHA256}, ParityRun)
    here = place.jobs == 1 and place.scheduler is None
    with ledger.lock(place.screen.say), workers(place.jobs, place.scheduler):
        left = [run for run in planned if _run(run) not in ledger]
        shown = place.screen if here else NO_SCREEN
        for k, (record, net) in do_each(partial(_train, options.threads, shown), left):
            if net is not None:
                network.save(net, place.work / f"{left[k].name}.safetensors", run=options.made_by)
            ledger.add(_run(left[k]), record)
            place.screen.say(f"run {left[k].name} is done: {len(ledger)} kept")
    return [ledger[_run(run)] for run in planned]


def _train(threads: int, screen: Screen, run: "PlannedRun") -> tuple[ParityRun, Network | None]:
    """One run, wherever it is done."""
    import torch

    torch.set_num_threads(threads)
    screen.say(f"run {run.name}")
    return carry_out(run, threads, screen)


def carry_out(
    run: "PlannedRun", threads: int, screen: Screen = NO_SCREEN
) -> tuple[ParityRun, Network | None]:
    """One training, measured, and the network that it gave; none of backpropagation."""
    from toreq_hw.quant import parity
    from toreq_hw.quant.options import Rule

    dataset = parity.dataset(run.task)
    training = train_torch(run.options, dataset, screen=screen)
    record = ParityRun(
        **vars(training_record(training, dataset)),
        task=run.task,
        threads=threads,
        code_sha256=parity.CODE_SHA256,
        load_average=load_average(),
        processors=processors(),
        score=None,
        expert_score=None,
    )
    if run.options.rule is Rule.EQPROP:
        record = _with_scores(record, training.network, dataset)
    return record, training.network if run.options.rule is Rule.EQPROP else None


def _with_scores(record: ParityRun, cloned: Network, dataset: Dataset) -> ParityRun:
    """With the cloned network's and the expert's mean score, the simulator choosing the actions."""
    from toreq_hw.quant import cloning

    if record.task not in cloning.TASKS:
        return record
    engine = sim.make_engine(cloned)

    def policy(coded: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        inputs = data.encode(coded, dataset.pixel_max, cloned.input)
        return sim.relax(cloned, inputs, engine=engine).classes

    environment = cloning.task(record.task)
    return replace(
        record,
        score=float(cloning.play(environment, policy, EPISODES).mean()),
        expert_score=float(cloning.play(environment, None, EPISODES).mean()),
        episodes=EPISODES,
    )


def _memory(options: Options, place: Place) -> Sequence[MemoryProbe]:
    """Peak memory of training steps; what was measured before where nothing is trained."""
    from toreq_hw.quant import memory
    from toreq_hw.quant.parity import CODE_SHA256

    if options.quick or not options.training:
        kept = Ledger.all_of(place.work, "memory", MemoryProbe)
        return list(kept[-1].rows.values()) if kept else ()
    if not memory.CLEAR_REFS.exists():
        return ()
    ledger = Ledger(place.work, "memory", {"code": CODE_SHA256}, MemoryProbe)
    runs: list[Run] = [{"probe": k} for k in range(len(memory.PROBES))]
    with ledger.lock(place.screen.say):
        return ledger.complete(
            runs, lambda run: memory.measure(memory.PROBES[int(run["probe"] or 0)])
        )


def verdict(record: Parity) -> Verdict:
    """Passed where the simulator's states are the trainer's on every test sample."""
    differs = sum(row.simulator_differs_on or 0 for row in record.rows)
    sentence = (
        f"{len(record.runs)} trainings; the simulator's states differ from the trainer's on "
        f"{differs} test samples."
    )
    return Verdict(differs == 0, sentence)


STUDY = Study(
    id="parity",
    claim="Equilibrium propagation reaches the accuracy of backpropagation.",
    setup="Same shape, quantisers, data, batches and epochs for both rules, over seeds.",
    control="The simulator settles in the trainer's states; backpropagation of the same shape.",
    record=Parity,
    run=run,
    verdict=verdict,
    page=report.page,
    command="parity",
)
