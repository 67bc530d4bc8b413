"""Damage in a running core that learns, and what learning on brings back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from toreq_hw import data
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.extras import missing
from toreq_hw.network import WeightFormat
from toreq_hw.records.core_relearning import CoreRelearning, CoreRelearnings
from toreq_hw.reports.core_relearning import core_relearning_page, lead
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.recipes import Recipe, recipe
from toreq_hw.sim.learning.training_samples import (
    NOTHING,
    TrainingSamples,
    epoch_samples,
    learn_epoch,
)
from toreq_hw.sim.perturbation import DeadNeurons, Layer, StuckLatentBits, StuckStateBits
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training import FaultyTrainer
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

COMPARED_EVERY = 200
"""Samples between two comparisons of all that core and simulator hold."""

MAX_SWEEPS = 60
"""Where a phase ends that stuck state bits keep from settling."""

LATENT_BITS = {"int8": 16, "ternary": 8}


@dataclass(frozen=True)
class Options:
    """name: of the data. epochs: after the damage. load: gives a data set by its name."""

    name: str = "digits"
    hidden: int = 32
    weights: tuple[str, ...] = ("int8", "ternary")
    seeds: int = 5
    epochs: int = 5
    lanes: int = 8
    learn_lanes: int = 2
    load: Callable[[str], Dataset] = data.load


def damages(latent_bits: int, seed: int) -> dict[str, tuple[Layer, ...]]:
    """What breaks, by the name that it has in tables; the first is the control."""
    few, some, many = (StuckLatentBits(p, seed, bits=latent_bits) for p in (0.003, 0.01, 0.03))
    dead, states = DeadNeurons(0.5, seed), StuckStateBits(0.02, seed)
    return {
        "none": (),
        "0.3 % of latent bits stuck": (few,),
        "1 % of latent bits stuck": (some,),
        "3 % of latent bits stuck": (many,),
        "half of the hidden neurons dead": (dead,),
        "2 % of state bits inverted": (states,),
        "1 % of latent bits, 2 % of state bits": (some, states),
    }


def run(options: Options | None, place: Place) -> CoreRelearnings:
    """Breaks what the ledger does not hold. Raises MissingDependencyError without the tools."""
    options = options or Options()
    whole = options.load(options.name)
    shared = {
        "options": {k: v for k, v in vars(options).items() if k not in ("load", "seeds")},
        "data": whole.sha256,
        "code": digest_of_imports(__name__),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "core-relearning", shared, CoreRelearning)
    runs: list[Run] = [
        {"weights": weights, "seed": seed, "damage": damage}
        for weights in options.weights
        for seed in range(1, options.seeds + 1)
        for damage in damages(LATENT_BITS[weights], seed)
    ]
    place.screen.say(f"{len(runs)} damages of a core of {options.hidden} hidden neurons")
    with (
        ledger.lock(place.screen.say),
        workers(place.jobs, place.scheduler),
        place.screen.bar("breaking and learning on", len(runs)) as bar,
    ):
        found = ledger.complete(runs, partial(_break, options, place.work / "cores"), bar.show)
    return CoreRelearnings(
        data=options.name,
        split=whole.split,
        shape=(whole.pixels, options.hidden, whole.classes),
        lanes=options.lanes,
        learn_lanes=options.learn_lanes,
        max_sweeps=MAX_SWEEPS,
        latent_bits={weights: LATENT_BITS[weights] for weights in options.weights},
        test_images=len(whole.test.labels),
        runs=tuple(found),
        versions=versions(),
    )


def _break(options: Options, cores: Path, run: Run) -> CoreRelearning:
    """One damage, wherever it is done."""
    weights, seed = str(run["weights"]), int(run["seed"] or 0)
    layers = damages(LATENT_BITS[weights], seed)[str(run["damage"])]
    return _Relearning(options, weights, seed, cores).under(str(run["damage"]), layers)


_CORES: dict[Any, Any] = {}
"""Cores of this process by their parameters: a network and its faults are loaded."""


class _Difference(Exception):  # noqa: N818 (a finding, not an error)
    """Core and simulator differ; says where."""


class _Relearning:
    """A trained network, in the simulator and in a compiled core with a fault port."""

    def __init__(self, options: Options, weights: str, seed: int, cores: Path) -> None:
        self.options, self.weights, self.seed = options, weights, seed
        self.dataset = options.load(options.name)
        sizes = (self.dataset.pixels, options.hidden, self.dataset.classes)
        self.shape = self.recipe.dense(sizes, WeightFormat(weights))
        train, self.test = (
            data.encode(part.images, self.dataset.pixel_max, self.shape.input)
            for part in (self.dataset.train, self.dataset.test)
        )
        self.training = TrainingSamples(
            train, self.dataset.train.labels, self.dataset.shape, self.recipe.augment
        )
        self.trained = self._trained()
        self.core = self._core(cores)

    @cached_property
    def recipe(self) -> Recipe:
        """The settings of `toreq-hw train`."""
        return recipe(WeightFormat(self.weights), self.dataset.pixels)

    def under(self, damage: str, layers: Sequence[Layer]) -> CoreRelearning:
        """Breaks the core, learns on, and compares with the simulator all the way."""
        network = self.trained.network()
        faults = FaultMap.make(network, layers, 0)
        accuracy: list[float] = []
        samples = at_limit = 0
        began = self.core.cycles
        before, difference = 0.0, None
        try:
            whole = FaultyTrainer(self.trained, FaultMap(network.sha256, 0), max_sweeps=MAX_SWEEPS)
            before = self._accuracy(whole)
            trainer = FaultyTrainer(self.trained, faults, max_sweeps=MAX_SWEEPS)
            self.core.inject(asdict(faults), network)
            self._compare(trainer, "as the damage happens")
            accuracy.append(self._accuracy(trainer))
            for _ in range(self.options.epochs):
                progress = self._learn_epoch(trainer)
                samples += progress.samples
                at_limit += progress.unsettled
                accuracy.append(self._accuracy(trainer))
        except _Difference as found:
            difference = str(found)
        return CoreRelearning(
            weights=self.weights,
            damage=damage,
            seed=self.seed,
            layers=tuple(json.dumps(layer.to_json()) for layer in layers),
            broken_latents=len(faults.latents),
            latents=sum(c.parameters.size for c in network.couplings),
            before=before,
            accuracy=tuple(accuracy),
            samples=samples,
            phases_at_limit=at_limit,
            cycles=self.core.cycles - began,
            difference=difference,
        )

    def _trained(self) -> Trainer:
        rule = self.recipe.rule(self.shape, self.recipe.epochs)
        trainer = Trainer(
            self.shape, replace(rule, latent_bits=LATENT_BITS[self.weights]), self.seed
        )
        for _ in range(self.recipe.epochs):
            learn_epoch(trainer, self.training)
        return trainer

    def _core(self, folder: Path) -> Any:
        """The core, whole again, which goes on from where the training ended."""
        try:
            from toreq_hw.rtl.images import MemoryImages
            from toreq_hw.rtl.learning.compiled import learning_words
            from toreq_hw.rtl.learning.faults import FaultyLearner
            from toreq_hw.rtl.parameters import CoreParameters
            from toreq_hw.targets.learned import rates_of_trainer, state_of_trainer
        except ImportError as error:
            raise missing("a core that learns", "Amaranth and Yosys", "rtl") from error
        options = self.options
        parameters = CoreParameters.of(
            self.shape,
            options.lanes,
            MAX_SWEEPS,
            learn_lanes=options.learn_lanes,
            latent_bits=LATENT_BITS[self.weights],
        )
        if parameters not in _CORES:
            images = MemoryImages.of(self.shape, parameters)
            _CORES[parameters] = FaultyLearner(parameters, images, folder)
        core = _CORES[parameters]
        network = self.trained.network()
        core.inject(asdict(FaultMap(network.sha256, 0)), network)
        state, rates = state_of_trainer(self.trained), rates_of_trainer(self.trained)
        core.load(learning_words(state, rates, parameters))
        return core

    def _learn_epoch(self, trainer: FaultyTrainer) -> Progress:
        """One epoch on both sides, at the rates that the training ended with."""
        (inputs, order), labels = epoch_samples(trainer, self.training), self.training.labels
        total = NOTHING
        for first in range(0, len(order), COMPARED_EVERY):
            chosen = order[first : first + COMPARED_EVERY]
            self.core.learn(inputs[chosen], labels[chosen].tolist())
            total += trainer.learn(inputs, labels, chosen)
            self._compare(trainer, f"epoch {trainer.epoch}, behind sample {first + len(chosen)}")
        trainer.epoch += 1
        return total

    def _compare(self, trainer: Trainer, where: str) -> None:
        from toreq_hw.rtl.learning.difference import learned_difference
        from toreq_hw.targets.learned import state_of_trainer

        if found := learned_difference(state_of_trainer(trainer), self.core.state()):
            raise _Difference(f"{where}: {found}")

    def _accuracy(self, trainer: FaultyTrainer) -> float:
        """Of the core on all test images; each must have the simulator's class."""
        from toreq_hw.rtl.phases import Command

        wanted = trainer.relax(self.test).classes
        for number, (image, expected) in enumerate(zip(self.test, wanted, strict=True)):
            (reply,) = self.core.run(image, [(Command.FREE, 0)], report=False)
            if reply.summary["label"] != expected:
                got = reply.summary["label"]
                raise _Difference(f"test image {number}: expected class {expected}, got {got}")
        return float(np.mean(wanted == self.dataset.test.labels))


def verdict(record: CoreRelearnings) -> Verdict:
    """Passed where no core ever differed from the simulator."""
    return Verdict(not any(run.difference for run in record.runs), lead(record))


STUDY = Study(
    id="core-relearning",
    claim="A core that learns, broken while it runs, learns on as the simulator does.",
    setup="Stuck bits of latents and states, dead neurons; a compiled core, digits, five seeds.",
    control="The same core without damage, and one that cannot learn, which stays as it is.",
    record=CoreRelearnings,
    run=run,
    verdict=verdict,
    page=core_relearning_page,
)
