"""`toreq-hw parity`: equilibrium propagation beside backpropagation, over tasks and seeds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command, overwriting
from toreq_hw.cli.numbers import MAX_JOBS, MAX_SEEDS, Names, Whole
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    overwrite_option,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.cli.runs import current_run
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.files import together, write_bytes, write_json, write_records, write_text
from toreq_hw.locks import locked
from toreq_hw.machine import load_average, processors
from toreq_hw.network import Network
from toreq_hw.reading import read_record
from toreq_hw.records.parity import MemoryProbe, Parity, ParityRun
from toreq_hw.reports import parity as report
from toreq_hw.studies.torch_training import options_record, train_torch, training_record

if TYPE_CHECKING:
    from toreq_hw.quant.parity import PlannedRun

TASKS = ("digits", "cartpole", "acrobot", "mnist", "fashion-mnist")

EPISODES = 100
"""Played by each cloned network and by the expert, from the same starts."""


@checked_command(
    epilog="Example: toreq-hw parity --tasks digits,cartpole --seeds 5 --out build/parity"
)
@click.option("--tasks", type=Names(TASKS), default=",".join(TASKS), show_default=True)
@click.option("--seeds", type=Whole(1, MAX_SEEDS), default=5, show_default=True)
@click.option("--quick", is_flag=True, help="Small nets on digits, two seeds: a test of the rest.")
@click.option("--threads", type=Whole(1, MAX_JOBS), default=1, show_default=True)
@click.option(
    "--work",
    "--runs",
    "runs",
    type=OutputFolder("memory.json"),
    default="build/parity",
    show_default=True,
    help="Where finished runs are kept; they are not run again.",
)
@click.option("--no-training", is_flag=True, help="Only report the runs that are kept.")
@overwrite_option
@out_folder_option("build/parity", "parity.md", "parity.json", "parity.png")
@json_option
def command(
    tasks: tuple[str, ...],
    seeds: int,
    quick: bool,
    threads: int,
    runs: Path,
    no_training: bool,
    out: Path,
    json_path: Path | None,
) -> int:
    """Train every task with both rules and both weight formats and put them side by side.

    Interrupted, it goes on where it stopped. Ends with status 1 where the simulator's states
    differ from the trainer's on any test sample.
    """
    try:
        import torch

        from toreq_hw.quant import memory, parity
    except ModuleNotFoundError as error:
        raise missing("parity", error.name, "quant") from error
    torch.set_num_threads(threads)
    planned = list(parity.plan(["digits"] if quick else tasks, seeds, quick=quick))
    if not no_training and not overwriting():
        _refuse_other_runs(planned, runs)
    records = []
    for index, run in enumerate(planned, start=1):
        record = _kept(run, runs, any_code=no_training)
        if record is None and not no_training:
            console.messages.print(f"run {index} of {len(planned)}: {run.name}")
            with locked(runs / f"{run.name}.json", console.messages.print):
                record = _kept(run, runs, any_code=False)  # another process may have made it
                record = record or _carry_out(run, runs, threads)
        if record is not None:
            records.append(record)
    if not records:
        raise InputError(f"{runs}: must hold finished runs of these tasks and seeds, found none")
    probes = _probes(runs) if quick or no_training else _probes(runs) or memory.measure_all()
    if probes:
        write_json(runs / "memory.json", probes)
    return _publish(records, probes, out, json_path)


def _publish(
    records: list[ParityRun],
    probes: Sequence[MemoryProbe],
    out: Path,
    json_path: Path | None,
) -> int:
    found = report.rows(records)
    record = Parity(
        rows=tuple(found),
        memory=tuple(probes),
        runs=tuple(replace(run, history=UNSET) for run in records),  # kept beside its network
    )
    picture = report.picture(found)
    with together():
        write_records(record, out / "parity.json", json_path)
        write_text(out / "parity.md", report.markdown(records, probes))
        write_bytes(out / "parity.png", picture)
    header = ["task", "seeds", "EqProp, %", "backprop, %", "EqProp, CPU s", "backprop, CPU s"]
    cells = [
        [
            f"{mine.task} {mine.weights}",
            str(mine.accuracy.runs),
            mine.accuracy.text(),
            baseline.accuracy.text() if baseline else "",
            mine.cpu_seconds.text(1),
            baseline.cpu_seconds.text(1) if baseline else "",
        ]
        for mine, baseline in report.pairs(found)
    ]
    console.output.print(console.table("EqProp beside backpropagation", header, cells))
    console.output.print(f"wrote {out}/parity.md, parity.json, parity.png")
    return 1 if any(row.simulator_differs_on for row in found) else 0


def _kept(run: "PlannedRun", runs: Path, *, any_code: bool) -> ParityRun | None:
    """The record of a finished run; None if it is absent, cut, or of other settings or code.

    any_code: takes a run of other code as well; the report names the codes of its runs.
    """
    from toreq_hw.quant.parity import CODE_SHA256

    record = _recorded(run, runs)
    if record is None or record.options != options_record(run.options):
        return None
    return record if any_code or record.code_sha256 == CODE_SHA256 else None


def _recorded(run: "PlannedRun", runs: Path) -> ParityRun | None:
    """The record under a run's name, whatever its settings; None if it is absent or cut."""
    try:
        return read_record(runs / f"{run.name}.json", ParityRun, InputError)
    except InputError:
        return None


def _refuse_other_runs(planned: "list[PlannedRun]", runs: Path) -> None:
    """Raises InputError, before any training, for a finished run of the same name only."""
    for run in planned:
        record = _recorded(run, runs)
        if record is not None and record.options != options_record(run.options):
            raise InputError(
                f"{runs / run.name}.json: must be absent or a run of the same settings, found one "
                "of other settings; use another --runs, or --overwrite"
            )


def _carry_out(run: "PlannedRun", runs: Path, threads: int) -> ParityRun:
    from toreq_hw.quant import parity
    from toreq_hw.quant.options import Rule

    dataset = parity.dataset(run.task)
    training = train_torch(run.options, dataset, screen=console.terminal)
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
    with together():
        if run.options.rule is Rule.EQPROP:
            network.save(training.network, runs / f"{run.name}.safetensors", run=current_run())
        write_json(runs / f"{run.name}.json", record)
    return record


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


def _probes(runs: Path) -> Sequence[MemoryProbe]:
    """Memory measured before; empty if it was not."""
    try:
        return read_record(runs / "memory.json", tuple[MemoryProbe, ...], InputError)
    except InputError:
        return ()
