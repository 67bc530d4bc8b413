"""`toreq-hw demo` (`make sim`): train, settle, compare and report on real digits."""

import time
from pathlib import Path

import numpy as np

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    overwrite_option,
    samples_option,
    seed_option,
    with_samples,
)
from toreq_hw.cli.runs import current_run
from toreq_hw.commands.simulate import compare_engines, summary_rows
from toreq_hw.commands.train import train
from toreq_hw.data import Dataset
from toreq_hw.files import together, write_records
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.simulation import Simulation
from toreq_hw.records.training import TrainedEpoch
from toreq_hw.reports.page import write_page
from toreq_hw.reports.simulation import simulation_page
from toreq_hw.sim.baselines.float_training import float_accuracy, train_float
from toreq_hw.sim.campaign.planning import student
from toreq_hw.sim.healing import heal
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.summary import summarise
from toreq_hw.versions import versions

HIDDEN = 128
FLOAT_EPOCHS = 20
"""Of each float training; 60 gave the same, 97.55 % as the mean of five seeds."""

FLOAT_SEEDS = 5
NETWORK_FILE = "network.safetensors"


@checked_command(epilog="Example: toreq-hw demo --out build/sim")
@out_folder_option("build/sim", NETWORK_FILE, "summary.json", "index.html")
@overwrite_option
@samples_option()
@seed_option
@json_option
def command(out: Path, samples: int | None, seed: int, json_path: Path | None) -> int:
    """Train a ternary network on scikit-learn's digits and show what it does.

    Writes network.safetensors, summary.json and index.html. Ends with status 1 if engines
    disagree or an image does not settle.
    """
    begin = time.perf_counter()
    dataset = with_samples(data.load("digits"), samples)
    trained, history = make_network(dataset, seed)
    inputs = data.encode(dataset.test.images, dataset.pixel_max, trained.input)
    relaxation = sim.relax(trained, inputs, trace=True)
    difference = compare_engines(trained, inputs, dataset.test.labels)
    summary = summarise(relaxation, dataset.test.labels)
    healing = heal(relaxation, inputs, seed)
    floats = _float_references(dataset, trained, seed)
    record = Simulation(
        data=dataset.name,
        split=dataset.split,
        shape=tuple(p.size for p in trained.populations),
        **vars(summary),
        float_accuracy=float(np.mean(floats)),
        float_accuracies=tuple(floats),
        sparsity=trained.sparsity,
        bit_exact=difference is None,
        healed_fraction=healing.exact / healing.samples,
        healing=healing,
        history=tuple(history),
        network_sha256=trained.sha256,
        seed=seed,
        seconds=time.perf_counter() - begin,
        versions=versions("scikit-learn"),
    )
    rows = [
        *summary_rows(summary),
        (f"float EqProp, same shape, {len(floats)} seeds", _mean_and_interval(floats)),
        ("weights that are zero", f"{100 * trained.sparsity:.1f} %"),
        ("engines agree on every tick", "yes" if difference is None else difference),
        ("one state bit flipped: healed", f"{healing.exact} of {healing.samples}, exactly"),
    ]
    assert relaxation.trace is not None
    page = simulation_page(
        record,
        rows,
        relaxation.sweeps,
        events_per_tick(relaxation.trace, len(inputs)),
        trained.dense_couplings[0].weight,
        dataset.shape,
    )
    with together():
        network.save(trained, out / NETWORK_FILE, run=current_run())
        write_records(record, out / "summary.json", json_path)
        write_page(page, out / "index.html")
    title = f"ternary {'-'.join(map(str, record.shape))}, trained in integers on digits"
    console.output.print(console.table(title, ("figure", "value"), rows))
    console.output.print(f"wrote {out}/{NETWORK_FILE}, summary.json and index.html")
    return 0 if difference is None and summary.unsettled == 0 else 1


def make_network(dataset: Dataset, seed: int) -> tuple[Network, list[TrainedEpoch]]:
    """The demonstration's network, trained from scratch, and one record per epoch."""
    settings = recipe(WeightFormat.TERNARY, dataset.pixels)
    shape = network.layered(
        (dataset.pixels, HIDDEN, dataset.classes),
        WeightFormat.TERNARY,
        settings.fraction_bits,
        beta_shift=settings.beta_shift,
    )
    trainer = Trainer(shape, settings.rule(shape, settings.epochs), seed)
    notes = {"epochs": settings.epochs, "augment": settings.augment, "history": []}
    history = train(trainer, dataset, notes)
    return trainer.network(), history


def events_per_tick(trace: sim.Trace, samples: int) -> list[float]:
    """Mean number of state changes in tick 1, 2, .. up to the last that changed anything."""
    return [float(count) / samples for count in np.bincount(trace.tick)[1:]]


def _float_references(dataset: Dataset, shape: Network, seed: int) -> list[float]:
    """Test accuracy of float EqProp on the same shape, from `seed` and the seeds after it.

    Float sums run in a fixed order, so these are the same on every processor; a spread over seeds
    says what one figure is worth.
    """
    scale = dataset.pixel_max
    found = []
    with console.progress_bar() as bar:
        total = FLOAT_SEEDS * FLOAT_EPOCHS * len(dataset.train)
        task = bar.add_task("float reference", total=total, note="")
        for other in range(seed, seed + FLOAT_SEEDS):
            reference = train_float(
                shape,
                dataset.train.images / scale,
                dataset.train.labels,
                epochs=FLOAT_EPOCHS,
                seed=other,
                watch=lambda samples: bar.advance(task, samples),
            )
            inputs, labels = dataset.test.images / scale, dataset.test.labels
            found.append(float_accuracy(reference, inputs, labels))
    return found


def _mean_and_interval(fractions: list[float]) -> str:
    """In per cent: the mean and half of Student's interval at 95 %."""
    found = student(fractions, 0.95)
    return f"{100 * found.value:.2f} +- {50 * (found.high - found.low):.2f} %"
