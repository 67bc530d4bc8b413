"""A campaign: a pilot of every level, then as many trials as the plan asks for, and its record."""

from functools import partial
from pathlib import Path

import numpy as np

from toreq_hw import data, network
from toreq_hw.argument_types import named_type_errors
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.records.campaign import Campaign
from toreq_hw.sim.baselines.feed_forward import check_chain
from toreq_hw.sim.baselines.feed_forward_training import train_feed_forward
from toreq_hw.sim.campaign.planning import PILOT, Plan, trials_needed
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.summary import check_controls, summarise_level
from toreq_hw.sim.campaign.trial import Trial, run_trial
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.perturbation import KINDS, StartLayer
from toreq_hw.sim.perturbation.tick_damage import TickFaults
from toreq_hw.studies.ledger import Ledger, Run, Tell, Watch
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

FOLDER = Path("build/inject")

BASELINE_EPOCHS = {"small": 200, "large": 15}
"""Epochs of backprop for the baseline, below and from 256 inputs: chosen for training accuracy."""


def _silent(*_: object) -> None:
    """Nobody is told."""


def ledger_of(setting: Setting, folder: Path) -> Ledger[Trial]:
    """The finished trials of a setting. Raises what loading its networks and data raises."""
    net = network.load(setting.network)
    baseline = network.load(setting.baseline) if setting.baseline else None
    shared = setting.ledger_key(net, baseline, data.load(setting.data, net.encoding))
    return Ledger(folder, setting.kind, shared, Trial)


@named_type_errors
def run(
    setting: Setting,
    plan: Plan,
    ledger: Ledger[Trial],
    *,
    jobs: int = -1,
    scheduler: str | None = None,
    watch: Watch = _silent,
    tell: Tell = _silent,
) -> dict[float, list[Trial]]:
    """Trials of every level, the controls (level 0, full damage) included, by level.

    What `ledger` holds is not run again; while another process works on it, this one waits.
    jobs: processes (-1: one a core). scheduler: a Dask scheduler's address instead. watch: told of
    trials done and planned so far. tell: gets a line of text where one is to be read.
    """
    controls = {0.0: 1} | (
        {setting.full_damage: PILOT + 3} if setting.full_damage is not None else {}
    )
    first = plan.trials or min(PILOT, plan.most)
    wanted = dict.fromkeys(plan.levels, first) | {
        level: max(count, first if level in plan.levels and level else 0)
        for level, count in controls.items()
    }

    def complete() -> dict[float, list[Trial]]:
        runs = [_run(level, k) for level, count in wanted.items() for k in range(count)]
        rows = iter(ledger.complete(runs, partial(_trial, setting), watch))
        return {level: [next(rows) for _ in range(count)] for level, count in wanted.items()}

    with ledger.lock(tell), workers(jobs, scheduler):
        found = complete()
        if plan.trials is None:
            for level in plan.levels:
                if level not in controls:
                    values = [trial.accuracy for trial in found[level][:first]]
                    wanted[level] = trials_needed(values, plan.confidence, plan.margin, plan.most)
            found = complete()
    return dict(sorted(found.items()))


def _run(level: float, trial: int) -> Run:
    return {"level": level, "trial": trial}


def _trial(setting: Setting, run: Run) -> Trial:
    """One trial, wherever it runs."""
    return run_trial(setting, float(run["level"] or 0), int(run["trial"] or 0))


def campaign(
    setting: Setting,
    plan: Plan,
    *,
    jobs: int = -1,
    scheduler: str | None = None,
    folder: Path = FOLDER,
    screen: Screen = NO_SCREEN,
) -> Campaign:
    """Runs one campaign and gives its record. folder: of the ledger of finished trials.

    jobs, scheduler: where trials run, as `toreq_hw.studies.work.workers` explains.
    """
    net = network.load(setting.network)
    setting.check(net, plan.levels)
    baseline = network.load(setting.baseline) if setting.baseline else None
    ledger = ledger_of(setting, folder)
    with screen.bar(setting.kind, note="trials") as bar:
        by_level = run(
            setting,
            plan,
            ledger,
            jobs=jobs,
            scheduler=scheduler,
            watch=bar.show,
            tell=screen.say,
        )
    return _record(setting, plan, by_level, net, baseline)


def _record(
    setting: Setting,
    plan: Plan,
    by_level: dict[float, list[Trial]],
    net: Network,
    baseline: Network | None,
) -> Campaign:
    """What the trials of a campaign say. by_level: of each level, controls included."""
    layer = KINDS[setting.kind]
    per_image = issubclass(layer, StartLayer | TickFaults)
    summaries = tuple(
        summarise_level(trials, plan.confidence, per_image=per_image)
        for trials in by_level.values()
    )
    labels = data.load(setting.data, net.encoding).test.labels[: setting.samples]
    chance = float(np.bincount(labels).max() / len(labels))
    return Campaign(
        layer=setting.kind,
        options=dict(setting.options),
        unit=layer.unit,
        quiescence=layer.quiescence,
        per_image=per_image,
        on_settled=layer.on_settled,
        data=setting.data,
        samples=setting.samples,
        seed=setting.seed,
        max_sweeps=setting.max_sweeps,
        confidence=plan.confidence,
        margin=plan.margin,
        asked_levels=plan.levels,
        levels=summaries,
        controls=check_controls(setting, by_level, plan, chance),
        network_sha256=net.sha256,
        twin_sha256=baseline.sha256 if baseline else None,
        versions=versions("scipy", "joblib"),
    )


def baseline_path(path: Path, data_name: str) -> Path:
    """Where the feed-forward baseline of the network at `path` lies."""
    return path.with_suffix(f".{data_name}-twin.safetensors")


def baseline_of(
    net: Network, path: Path, dataset: Dataset, seed: int, screen: Screen = NO_SCREEN
) -> Path:
    """The feed-forward baseline's file beside the network's; trained where it is not there yet.

    Raises InputError for a network that is no chain, or a file that is no baseline of it.
    """
    check_chain(net)
    there = baseline_path(path, dataset.name)
    if there.exists():
        baseline = network.load(there)
        if baseline.describe() != net.lowered.describe():
            raise InputError(f"{there}: must have the shape of {path}, found another")
        return there
    kind = net.couplings[0].weight_format
    epochs = BASELINE_EPOCHS["small" if dataset.pixels < 256 else "large"]
    with screen.bar("feed-forward baseline", epochs * len(dataset.train)) as bar:
        baseline = train_feed_forward(
            net,
            data.input_states(net, dataset.train.images, dataset.pixel_max),
            dataset.train.labels,
            image_shape=dataset.shape,
            augment=recipe(kind, dataset.pixels).augment if dataset.holds_images else 0,
            epochs=epochs,
            seed=seed,
            watch=bar.advance,
        )
    network.save(baseline, there)
    return there
