"""What networks survive of damage, beside feed-forward networks of the same size."""

from dataclasses import dataclass, replace
from pathlib import Path

from toreq_hw import data, network
from toreq_hw.code_digest import code_digest, digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.locks import lock
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.critical import Critical
from toreq_hw.records.recovery import Relearning
from toreq_hw.records.robustness import DataStudy, Robustness
from toreq_hw.records.training import TrainingNotes
from toreq_hw.reports.robustness import robustness_lead, robustness_page
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.recovery import EvaluationSet
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.suite import SUITE, CampaignSpec
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies.campaign import baseline_of, campaign
from toreq_hw.studies.kept_training import Checkpoints
from toreq_hw.studies.kept_work import kept_work, run_name
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import Screen
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.training import train
from toreq_hw.studies.weak_points import critical, recovery
from toreq_hw.versions import versions

CONFIDENCE, MARGIN = 0.99, 0.005
HIDDEN = {"digits": 128, "mnist": 512, "fashion-mnist": 512}

SAMPLES = 1000
"""Test images a trial of damage to the network: its spread comes from the damage, not from them."""

MOST = {"digits": 50, "mnist": 100, "fashion-mnist": 100}
"""Trials are planned for half a point at 99 %; where the spread wants more than these, the interval
printed is the wider one that they gave."""

FLIP_TRIALS = 10
"""Trials of all test images where each image is its own case."""


@dataclass(frozen=True, eq=False)
class Options:
    """quick: a few campaigns and trials. overwrite: networks that other runs have made."""

    datasets: tuple[Dataset, ...]
    quick: bool = False
    seed: int = 1
    overwrite: bool = False


def run(options: Options | None, place: Place) -> Robustness:
    """Every campaign on every data set; networks are trained where `place.work` has none yet."""
    options = options or Options(tuple(data.load(name) for name in ("digits", "mnist")))
    return Robustness(
        seed=options.seed,
        quick=options.quick,
        data={dataset.name: _study(dataset, options, place) for dataset in options.datasets},
        sources=_code(),
        versions=versions("scipy", "joblib", "scikit-learn"),
    )


def _study(dataset: Dataset, options: Options, place: Place) -> DataStudy:
    """Everything on one data set."""
    seed, quick, screen = options.seed, options.quick, place.screen
    path = place.work / f"{dataset.name}.safetensors"
    with lock(path, screen.say):
        trainer = _train(dataset, path, options, screen)
    net = network.load(path)
    baseline = baseline_of(net, path, dataset, seed, screen)
    campaigns = []
    for part in SUITE:
        if part.quick or not quick:
            setting = Setting(
                network=str(path),
                data=dataset.name,
                samples=min(len(dataset.test), len(dataset.test) if part.flips_states else SAMPLES),
                kind=part.kind,
                options=tuple(part.options.items()),
                baseline=str(baseline),
                seed=seed,
                max_sweeps=part.max_sweeps,
            )
            plan = Plan(part.levels, _trials(part, quick), CONFIDENCE, MARGIN, MOST[dataset.name])
            found = campaign(
                setting,
                plan,
                jobs=place.jobs,
                scheduler=place.scheduler,
                folder=place.work / "trials",
                screen=screen,
            )
            campaigns.append(found)
    evaluation = EvaluationSet(
        data.encode(dataset.test.images, dataset.pixel_max, net.input), dataset.test.labels
    )
    learned = _learn(dataset, trainer, evaluation, options, place)
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
    return (
        study
        if quick
        else replace(study, **vars(_critical(net, dataset, evaluation, options, place)))
    )


def _code() -> str:
    """Names the code that recovery and trials depend on, without comments and docstrings."""
    modules = (
        "campaign.trial",
        "campaign.recovery",
        "learning.training_samples",
        "learning.recipes",
    )
    simulator = digest_of_imports(*(f"toreq_hw.sim.{module}" for module in modules))
    return code_digest([Path(__file__).with_name("weak_points.py")])[:8] + simulator[:8]


def _key(net: Network, dataset: Dataset, options: Options) -> Run:
    """What learning with damage, and what weights matter, depend on."""
    return {
        "network": net.sha256,
        "data": dataset.sha256,
        "seed": options.seed,
        "quick": options.quick,
        "code": _code(),
        "numpy": versions()["numpy"],
    }


def _learn(
    dataset: Dataset,
    trainer: Trainer,
    evaluation: EvaluationSet,
    options: Options,
    place: Place,
) -> Relearning:
    """Learning with damage, unless its ledger holds it."""
    shared = _key(trainer.network(), dataset, options)
    ledger = Ledger(place.work, "relearning", shared, Relearning)

    def learn(_: Run) -> Relearning:
        return recovery(
            dataset, trainer, evaluation, options.seed, quick=options.quick, screen=place.screen
        )

    with ledger.lock(place.screen.say):
        return ledger.complete([{}], learn)[0]


def _critical(
    net: Network, dataset: Dataset, evaluation: EvaluationSet, options: Options, place: Place
) -> Critical:
    """Which weights matter, unless the ledger holds it."""
    ledger = Ledger(place.work, "critical", _key(net, dataset, options), Critical)
    with ledger.lock(place.screen.say):
        found = ledger.complete(
            [{}], lambda _: critical(net, evaluation, options.seed, place.screen)
        )
    return found[0]


def _trials(part: CampaignSpec, quick: bool) -> int | None:
    if part.flips_states:
        return 3 if quick else FLIP_TRIALS
    return 3 if quick else None


def _train(dataset: Dataset, path: Path, options: Options, screen: Screen) -> Trainer:
    """The trainer of the network at `path`; trained and saved first where there is none."""
    kept, seed = path.with_suffix(".checkpoint"), options.seed
    if path.exists() and kept.exists():
        return checkpoint.load(kept)[0]
    run = run_name("robustness", {"data": dataset.name, "seed": seed})
    for there in (path, kept):  # one without the other, of an interrupted run
        found = kept_work(there)
        if found is not None and found.run != run and not options.overwrite:
            raise InputError(
                f"{there}: must be of this run where only one of network and checkpoint is there, "
                f"found {found.kind} of another run; use another --work, or --overwrite"
            )
    settings = recipe(WeightFormat.TERNARY, dataset.pixels)
    sizes = (dataset.pixels, HIDDEN[dataset.name], dataset.classes)
    shape = settings.dense(sizes, WeightFormat.TERNARY)
    trainer = Trainer(shape, settings.rule(shape, settings.epochs), seed)
    notes = TrainingNotes(epochs=settings.epochs, augment=settings.augment)
    train(trainer, dataset, notes, Checkpoints(path=kept, run=run), screen)
    network.save(trainer.network(), path, run=run)
    return trainer


def verdict(record: Robustness) -> Verdict:
    """Passed where every control of every campaign held."""
    return Verdict(record.passed, robustness_lead(record))


STUDY = Study(
    id="robustness",
    claim="An equilibrium network survives noise and damage, and returns from flipped states.",
    setup="Many seeded trials of each kind of damage at each level, on whole networks.",
    control="Level 0 changes no state; full damage ends at chance; a feed-forward network.",
    record=Robustness,
    run=run,
    verdict=verdict,
    page=robustness_page,
    command="robustness",
)
