"""Accuracy, speed and memory of training and inference, measured side by side in one run."""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from toreq_hw import data, network, sim
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.bench import Bench, BenchRow, Inference, Memory, Trained
from toreq_hw.records.training import TrainingNotes
from toreq_hw.reports.bench import bench_page
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.generator import sample_order
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.summary import summarise
from toreq_hw.studies import structured_cases
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import Screen
from toreq_hw.studies.structured_case import Case as StructuredCase
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.training import train
from toreq_hw.versions import versions


@dataclass(frozen=True)
class Case:
    """One network to train from scratch with its recipe. augment: None takes the recipe's."""

    data: str
    hidden: int
    weights: WeightFormat
    augment: int | None = None

    def setting(self, dataset: Dataset, epochs: int | None) -> "Setting":
        """What is trained, with the recipe's epochs unless others are given."""
        settings = recipe(self.weights, dataset.pixels)
        epochs = epochs or settings.epochs
        sizes = (dataset.pixels, self.hidden, dataset.classes)
        shape = settings.dense(sizes, self.weights)
        augment = settings.augment if self.augment is None else self.augment
        notes = TrainingNotes(epochs=epochs, augment=augment)
        return Setting("-".join(map(str, sizes)), shape, settings.rule(shape, epochs), notes, None)


@dataclass(frozen=True)
class ConvolutionCase:
    """A case of the study `structured`, trained for fewer epochs.

    timed: so many images are relaxed for the speed; the dense engine multiplies by whole matrices.
    """

    name: str
    epochs: int = 4
    timed: int = 1000

    @property
    def data(self) -> str:
        """The name of its data set."""
        return self._case.data

    @property
    def weights(self) -> WeightFormat:
        """Of all its couplings."""
        return self._case.weights

    @property
    def _case(self) -> StructuredCase:
        known = (*structured_cases.FULL, *structured_cases.QUICK)
        (found,) = (case for case in known if case.name == self.name)
        return found

    def setting(self, dataset: Dataset, epochs: int | None) -> "Setting":
        """What is trained."""
        case = replace(self._case, epochs=epochs or self.epochs)
        shape = case.network()
        notes = TrainingNotes(epochs=case.epochs, augment=case.augment)
        return Setting(", ".join(case.layers), shape, case.rule(shape), notes, self.timed)


class Setting(NamedTuple):
    """A training: what a table calls its shape, its network, rule and notes.

    timed: of how many images the speed is measured, None for all.
    """

    shape: str
    network: Network
    rule: Rule
    notes: TrainingNotes
    timed: int | None


FULL = (
    Case("digits", 128, WeightFormat.TERNARY),
    Case("mnist", 512, WeightFormat.TERNARY),
    Case("mnist", 512, WeightFormat.TERNARY, augment=0),
    Case("mnist", 256, WeightFormat.INT8),
    Case("fashion-mnist", 512, WeightFormat.TERNARY),
    ConvolutionCase("mnist convolution int8"),
)
QUICK = (Case("digits", 32, WeightFormat.TERNARY), ConvolutionCase("digits convolution int8"))
DEPTHS = (1, 2, 4, 8)
REPEATS = 7


@dataclass(frozen=True)
class Options:
    """quick: digits only, a small network, three epochs. samples: so many test images of each data
    set, which `load` gives.
    """

    quick: bool = False
    samples: int | None = None
    seed: int = 1
    load: Callable[[str], Dataset] = data.load


def run(options: Options | None, place: Place) -> Bench:
    """Measures every case, then memory, in this process on one thread: speeds stand side by side.

    An interrupted measurement goes on where it was; one that has ended is made anew next time.
    """
    options = options or Options()
    cases = QUICK if options.quick else FULL
    shared = {
        "quick": options.quick,
        "samples": options.samples,
        "seed": options.seed,
        "code": digest_of_imports(__name__),
        "versions": versions(),
    }
    ledger = Ledger(place.work, "bench", shared, BenchRow)
    runs: list[Run] = [{"case": k} for k in range(len(cases))]
    runs += [{"depth": depth} for depth in DEPTHS]

    def measure(run: Run) -> BenchRow:
        if "depth" in run:
            samples = 500 if options.quick else 5000
            memory = measure_memory(int(run["depth"] or 1), samples, options.seed)
            return BenchRow(None, None, memory)
        return _case(cases[int(run["case"] or 0)], options, place.screen)

    with ledger.lock(place.screen.say), threadpool_limits(1):  # BLAS takes one thread, as `event`
        rows = ledger.complete(runs, measure)
        ledger.forget()
    return Bench(
        training=tuple(row.training for row in rows if row.training),
        inference=tuple(row.inference for row in rows if row.inference),
        memory=tuple(row.memory for row in rows if row.memory),
        seed=options.seed,
        versions=versions(),
    )


def _case(case: Case | ConvolutionCase, options: Options, screen: Screen) -> BenchRow:
    dataset = options.load(case.data)
    setting = case.setting(dataset, 3 if options.quick else None)
    trained, net = train_case(case, setting, dataset, options.seed, screen)
    timed = replace(dataset, test=dataset.test.take(slice(setting.timed)))
    return BenchRow(trained, time_inference(net, timed, REPEATS), None)


def train_case(
    case: Case | ConvolutionCase, setting: Setting, dataset: Dataset, seed: int, screen: Screen
) -> tuple[Trained, Network]:
    """Trains one case and relaxes its test images."""
    trainer = Trainer(setting.network, setting.rule, seed)
    history = train(trainer, dataset, setting.notes, screen=screen)
    net = trainer.network()
    inputs = data.encode(dataset.test.images, dataset.pixel_max, net.input)
    record = Trained(
        data=case.data,
        shape=setting.shape,
        weights=case.weights.value,
        augment=setting.notes.augment,
        epochs=setting.notes.epochs,
        epoch_seconds=statistics.median(entry.seconds for entry in history[1:]),
        sparsity=net.sparsity,
        summary=summarise(sim.relax(net, inputs), dataset.test.labels),
        network_sha256=net.sha256,
    )
    return record, net


def time_inference(net: Network, dataset: Dataset, repeats: int) -> Inference:
    """Relaxes the test images with the event and the dense engine in turn, one thread each."""
    inputs = data.encode(dataset.test.images, dataset.pixel_max, net.input)
    event, dense = sim.make_engine(net, "event", 1), sim.make_engine(net, "dense")
    sim.relax(net, inputs[:1], engine=event)  # compiles
    seconds: dict[str, list[float]] = {"event": [], "dense": []}
    same = True
    for _ in range(repeats):
        found = []
        for key, engine in (("event", event), ("dense", dense)):
            begin = time.perf_counter()
            found.append(sim.relax(net, inputs, engine=engine))
            seconds[key].append(time.perf_counter() - begin)
        same = same and sim.first_difference(found[0], found[1]) is None
    ratios = [d / e for d, e in zip(seconds["dense"], seconds["event"], strict=True)]
    return Inference(
        shape="-".join(str(p.size) for p in net.populations),
        weights=net.couplings[0].weight_format.value,
        samples=len(inputs),
        repeats=repeats,
        event_per_second=len(inputs) / statistics.median(seconds["event"]),
        dense_per_second=len(inputs) / statistics.median(seconds["dense"]),
        event_over_dense=statistics.median(ratios),
        same_bits=same,
    )


def measure_memory(depth: int, samples: int, seed: int) -> Memory:
    """Learns digits with `depth` hidden layers of 64 and watches the resident memory."""
    dataset = data.load("digits")
    shape = network.layered(
        (dataset.pixels, *[64] * depth, dataset.classes),
        WeightFormat.TERNARY,
        [3] * (depth + 1),
        beta_shift=0,
    )
    trainer = Trainer(shape, recipe(WeightFormat.TERNARY, 64).rule(shape, 1), seed)
    inputs = data.encode(dataset.train.images, dataset.pixel_max, shape.input)
    labels = dataset.train.labels
    order = np.resize(sample_order(len(inputs), seed, 0), samples)
    trainer.learn(inputs, labels, order[:200])  # compiles and touches every page once
    process = psutil.Process()
    before = peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.002):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    progress = trainer.learn(inputs, labels, order)
    done.set()
    watcher.join()
    neurons = sum(p.size for p in shape.relaxing)
    return Memory(
        depth=depth,
        sweeps_per_phase=progress.sweeps / (3 * samples),
        samples=samples,
        gained_bytes=peak - before,
        history_bytes=round(progress.sweeps / samples * neurons * 2),
    )


def verdict(record: Bench) -> Verdict:
    """Passed where every test image settles and the engines give the same bits."""
    settled = all(one.summary.unsettled == 0 for one in record.training)
    same = all(one.same_bits for one in record.inference)
    return Verdict(settled and same, bench_page(record).lead)


STUDY = Study(
    id="bench",
    claim="Integer learning is accurate, the event engine is fast, and training memory is flat.",
    setup="Recipes trained from scratch; both engines in turn; memory at several depths.",
    control="Every test image settles; event and dense engine give the same bits.",
    record=Bench,
    run=run,
    verdict=verdict,
    page=bench_page,
    command="bench",
)
