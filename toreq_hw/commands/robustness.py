"""`toreq-hw robustness` (`make robustness`): every campaign, recovery, and what it all says."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from toreq_hw import data, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command, overwriting
from toreq_hw.cli.numbers import MAX_JOBS, Name, Whole
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    overwrite_option,
    samples_option,
    seed_option,
    with_samples,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.code_digest import code_digest, digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.files import together, write_json, write_records, write_text
from toreq_hw.locks import locked
from toreq_hw.network import Network, WeightFormat
from toreq_hw.reading import read_record
from toreq_hw.records import plain
from toreq_hw.records.recovery import Relearning
from toreq_hw.records.robustness import DataStudy, Robustness
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.reports.robustness import robustness_page
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.recovery import Exam
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.suite import SUITE, Part
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies import weak_points
from toreq_hw.studies.campaign import campaign, twin_of
from toreq_hw.studies.kept_work import kept_work, run_name
from toreq_hw.studies.training import train
from toreq_hw.studies.weak_points import critical, recovery
from toreq_hw.versions import versions

HIDDEN = {"digits": 128, "mnist": 512, "fashion-mnist": 512}
SAMPLES = 1000
"""Test images a trial of damage to the network: its spread comes from the damage, not from them."""

CONFIDENCE, MARGIN = 0.99, 0.005
MOST = {"digits": 50, "mnist": 100, "fashion-mnist": 100}
"""Trials are planned for half a point at 99 %; where the spread wants more than these, the interval
printed is the wider one that they gave."""

HEALING_TRIALS = 10
"""Trials of all test images where each image is its own case."""


@checked_command(
    epilog="Example: toreq-hw robustness --data digits --data mnist --out build/robust"
)
@click.option(
    "--data",
    "names",
    multiple=True,
    type=Name(data.NAMES),
    default=("digits",),
    show_default=True,
    help="Data sets; repeatable.",
)
@click.option("--quick", is_flag=True, help="A few campaigns and trials: for continuous checks.")
@click.option("--jobs", type=Whole(1, MAX_JOBS), help="Processes; default one a core.")
@click.option(
    "--work",
    type=OutputFolder(),
    default="build/robustness",
    show_default=True,
    help="Trained networks and finished trials.",
)
@out_folder_option("build/robustness", "robustness.json", "robustness.md", "robustness.html")
@overwrite_option
@samples_option("At most the first N test images a trial.")
@seed_option
@json_option
def command(
    names: tuple[str, ...],
    quick: bool,
    jobs: int | None,
    work: Path,
    out: Path,
    samples: int | None,
    seed: int,
    json_path: Path | None,
) -> int:
    """Run every campaign on trained networks and write robustness.json, .md and .html.

    Networks are trained where --work has none yet; finished trials are not run again. Ends
    with status 1 if a control fails.
    """
    studies = {}
    for name in names:
        dataset = with_samples(data.load(name), samples)
        studies[name] = _study(dataset, work, jobs or -1, seed, quick)
    record = Robustness(
        seed=seed,
        quick=quick,
        data=studies,
        sources=_code(),
        versions=versions("scipy", "joblib", "scikit-learn"),
    )
    page = robustness_page(record)
    with together():
        write_text(out / "robustness.json", json.dumps(plain(record), allow_nan=False) + "\n")
        write_records(record, json_path)
        write_markdown(page, out / "robustness.md")
        write_page(page, out / "robustness.html")
    console.output.print(page.lead)
    console.output.print(f"wrote {out}/robustness.json, .md and .html")
    return 0 if record.passed else 1


def _study(dataset: Dataset, work: Path, jobs: int, seed: int, quick: bool) -> DataStudy:
    """Everything on one data set."""
    path = work / f"{dataset.name}.safetensors"
    with locked(path, console.messages.print):
        trainer = _trained(dataset, path, seed)
    net = network.load(path)
    twin = twin_of(net, path, dataset, seed, console.terminal)
    campaigns = []
    for part in SUITE:
        if part.quick or not quick:
            setting = Setting(
                network=str(path),
                data=dataset.name,
                samples=min(len(dataset.test), len(dataset.test) if part.heals else SAMPLES),
                kind=part.kind,
                options=tuple(part.options.items()),
                twin=str(twin),
                seed=seed,
                max_sweeps=part.max_sweeps,
            )
            plan = Plan(part.levels, _trials(part, quick), CONFIDENCE, MARGIN, MOST[dataset.name])
            found = campaign(
                setting, plan, jobs=jobs, folder=work / "trials", screen=console.terminal
            )
            campaigns.append(found)
    exam = Exam(data.encode(dataset.test.images, dataset.pixel_max, net.input), dataset.test.labels)
    learned = _kept(
        work / f"recovery-{_recovery_key(net, exam, seed, quick=quick)}.json",
        lambda: recovery(dataset, trainer, exam, seed, quick=quick, screen=console.terminal),
    )
    study = DataStudy(
        split=dataset.split,
        shape=tuple(p.size for p in net.populations),
        image_shape=dataset.shape,
        network_sha256=net.sha256,
        campaigns=tuple(campaigns),
        recovery=learned.recovery,
        hardening=learned.hardening,
        asymmetry=learned.asymmetry,
    )
    return study if quick else replace(study, **vars(critical(net, exam, seed, console.terminal)))


def _recovery_key(net: Network, exam: Exam, seed: int, *, quick: bool) -> str:
    """Names a study of recovery by all that it depends on."""
    form = "-quick" if quick else ""
    return f"{net.sha256[:16]}-{seed}-{len(exam.labels)}-{_code()}{form}"


def _code() -> str:
    """Names the code that recovery and trials depend on, without comments and docstrings."""
    modules = ("campaign.trial", "campaign.recovery", "learning.lessons", "learning.recipes")
    simulator = digest_of_imports(*(f"toreq_hw.sim.{module}" for module in modules))
    return code_digest([Path(weak_points.__file__)])[:8] + simulator[:8]


def _kept(path: Path, make: Callable[[], Relearning]) -> Relearning:
    """What `make` gave when it last ran to its end; as with trials, `make clean` forgets it."""
    with locked(path, console.messages.print):
        if not path.exists():
            write_json(path, make())
    return read_record(path, Relearning, InputError)


def _trials(part: Part, quick: bool) -> int | None:
    if part.heals:
        return 3 if quick else HEALING_TRIALS
    return 3 if quick else None


def _trained(dataset: Dataset, path: Path, seed: int) -> Trainer:
    """The trainer of the network at `path`; trained and saved first where there is none."""
    kept = path.with_suffix(".checkpoint")
    if path.exists() and kept.exists():
        return checkpoint.load(kept)[0]
    run = run_name("robustness", {"data": dataset.name, "seed": seed})
    for there in (path, kept):  # one without the other, of an interrupted run
        found = kept_work(there)
        if found is not None and found.run != run and not overwriting():
            raise InputError(
                f"{there}: must be of this run where only one of network and checkpoint is there, "
                f"found {found.kind} of another run; use another --work, or --overwrite"
            )
    settings = recipe(WeightFormat.TERNARY, dataset.pixels)
    shape = network.layered(
        (dataset.pixels, HIDDEN[dataset.name], dataset.classes),
        WeightFormat.TERNARY,
        settings.fraction_bits,
        beta_shift=settings.beta_shift,
    )
    trainer = Trainer(shape, settings.rule(shape, settings.epochs), seed)
    notes = {"epochs": settings.epochs, "augment": settings.augment, "history": []}
    train(trainer, dataset, notes, kept, run, console.terminal)
    network.save(trainer.network(), path, run=run)
    return trainer
