"""`toreq-hw bench` (`make bench`): accuracy, speed and memory, measured side by side."""

import statistics
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
from rich.table import Table
from threadpoolctl import threadpool_limits

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    samples_option,
    seed_option,
    with_samples,
)
from toreq_hw.data import Dataset
from toreq_hw.files import write_records
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.summary import Summary
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.generator import sample_order
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.summary import summarise
from toreq_hw.studies.training import train
from toreq_hw.versions import versions


@dataclass(frozen=True)
class Case:
    """One network to train from scratch with its recipe. augment: None takes the recipe's."""

    data: str
    hidden: int
    weights: WeightFormat
    augment: int | None = None


@dataclass(frozen=True)
class Trained:
    """What training and relaxing one case gave; seconds of one thread.

    epoch_seconds: median over the epochs after the first, which may compile.
    """

    data: str
    shape: str
    weights: str
    augment: int
    epochs: int
    epoch_seconds: float
    sparsity: float
    summary: Summary
    network_sha256: str


@dataclass(frozen=True)
class Inference:
    """Images per second of one thread, and event / dense, medians over alternating repeats."""

    shape: str
    weights: str
    samples: int
    repeats: int
    event_per_second: float
    dense_per_second: float
    event_over_dense: float
    same_bits: bool


@dataclass(frozen=True)
class Memory:
    """Resident memory gained while learning `samples` samples, after a first run.

    A method that keeps its history would need `history_bytes` for each sample: every state of
    every sweep.
    """

    depth: int
    sweeps_per_phase: float
    samples: int
    gained_bytes: int
    history_bytes: int


FULL = (
    Case("digits", 128, WeightFormat.TERNARY),
    Case("mnist", 512, WeightFormat.TERNARY),
    Case("mnist", 512, WeightFormat.TERNARY, augment=0),
    Case("mnist", 256, WeightFormat.INT8),
    Case("fashion-mnist", 512, WeightFormat.TERNARY),
)
QUICK = (Case("digits", 32, WeightFormat.TERNARY),)
DEPTHS = (1, 2, 4, 8)
REPEATS = 7


@checked_command(epilog="Example: toreq-hw bench --out build/bench")
@out_folder_option("build/bench", "bench.json")
@click.option("--quick", is_flag=True, help="Digits only, a small network, three epochs.")
@samples_option()
@seed_option
@json_option
def command(out: Path, quick: bool, samples: int | None, seed: int, json_path: Path | None) -> int:
    """Measure accuracy, training and inference speed, and training memory in one run.

    Ends with status 1 if a test image does not settle or the engines disagree.
    """
    trained, timed = [], []
    with threadpool_limits(1):  # BLAS takes one thread, as the event engine does
        for case in QUICK if quick else FULL:
            dataset = with_samples(data.load(case.data), samples)
            record, net = train_case(case, dataset, seed, epochs=3 if quick else None)
            trained.append(record)
            timed.append(time_inference(net, dataset, REPEATS))
        memory = [measure_memory(depth, 500 if quick else 5000, seed) for depth in DEPTHS]
    result = {
        "training": [asdict(record) for record in trained],
        "inference": [asdict(record) for record in timed],
        "memory": [asdict(record) for record in memory],
        "seed": seed,
        "versions": versions(),
    }
    write_records(result, out / "bench.json", json_path)
    _print(trained, timed, memory)
    console.output.print(f"wrote {out}/bench.json")
    unsettled = sum(record.summary.unsettled for record in trained)
    return 0 if unsettled == 0 and all(record.same_bits for record in timed) else 1


def train_case(
    case: Case, dataset: Dataset, seed: int, epochs: int | None
) -> tuple[Trained, Network]:
    """Trains one case and relaxes its test images."""
    settings = recipe(case.weights, dataset.pixels)
    epochs = epochs or settings.epochs
    augment = settings.augment if case.augment is None else case.augment
    sizes = (dataset.pixels, case.hidden, dataset.classes)
    shape = network.layered(
        sizes, case.weights, settings.fraction_bits, beta_shift=settings.beta_shift
    )
    trainer = Trainer(shape, settings.rule(shape, epochs), seed)
    notes: dict[str, Any] = {"epochs": epochs, "augment": augment, "history": []}
    history = train(trainer, dataset, notes, screen=console.terminal)
    net = trainer.network()
    inputs = data.encode(dataset.test.images, dataset.pixel_max, net.input)
    record = Trained(
        data=case.data,
        shape="-".join(str(size) for size in sizes),
        weights=case.weights.value,
        augment=augment,
        epochs=epochs,
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
        same = same and found[0].first_difference(found[1]) is None
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


def _print(trained: list[Trained], timed: list[Inference], memory: list[Memory]) -> None:
    for table in (_training_table(trained), _inference_table(timed), _memory_table(memory)):
        console.output.print(table)


def _training_table(records: list[Trained]) -> Table:
    rows = [
        (
            f"{r.data} {r.shape} {r.weights}, {r.epochs} epochs, shifts {r.augment} px",
            f"{100 * r.summary.accuracy:.2f} %",
            str(r.summary.unsettled),
            f"{r.epoch_seconds:.2f}",
            str(r.summary.sweeps.max),
            f"{100 * r.sparsity:.0f} %",
        )
        for r in records
    ]
    header = ("network", "accuracy", "unsettled", "s / epoch", "sweeps max", "zeros")
    return console.table("integer-only training, one thread, test accuracy", header, rows)


def _inference_table(records: list[Inference]) -> Table:
    rows = [
        (
            f"{r.shape} {r.weights}",
            f"{r.event_per_second:,.0f}",
            f"{r.dense_per_second:,.0f}",
            f"{r.event_over_dense:.2f}",
            "yes" if r.same_bits else "NO",
        )
        for r in records
    ]
    header = ("network", "event images/s", "dense images/s", "event / dense", "same bits")
    return console.table("inference, one thread each, in turn", header, rows)


def _memory_table(records: list[Memory]) -> Table:
    rows = [
        (
            str(m.depth),
            f"{m.sweeps_per_phase:.1f}",
            f"{m.gained_bytes:,} bytes",
            f"{m.history_bytes:,} bytes a sample",
        )
        for m in records
    ]
    header = ("hidden layers", "sweeps / phase", "memory gained", "history would be")
    return console.table("training memory", header, rows)
