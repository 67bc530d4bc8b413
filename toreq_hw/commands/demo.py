"""`toreq-hw demo` (`make sim`): train, settle, compare and report on real digits."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.figures import summary_rows
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    overwrite_option,
    samples_option,
    seed_option,
    with_samples,
)
from toreq_hw.cli.runs import current_run
from toreq_hw.files import together, write_records
from toreq_hw.records.simulation import Simulation
from toreq_hw.records.summary import Summary
from toreq_hw.reports.page import write_page
from toreq_hw.reports.simulation import simulation_page
from toreq_hw.sim.campaign.planning import student
from toreq_hw.sim.state_flip import relax_after_flip
from toreq_hw.sim.summary import summarise
from toreq_hw.studies.demonstration import events_per_tick, float_references, make_network
from toreq_hw.studies.engines import compare_engines
from toreq_hw.studies.settling_figure import settling_figures
from toreq_hw.versions import versions

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
    trained, history = make_network(dataset, seed, console.terminal)
    inputs = data.input_states(trained, dataset.test.images, dataset.pixel_max)
    relaxation = sim.relax(trained, inputs, trace=True)
    difference = compare_engines(trained, inputs, dataset.test.labels, screen=console.terminal)
    summary = summarise(relaxation, dataset.test.labels)
    returned = relax_after_flip(relaxation, inputs, seed)
    floats = float_references(dataset, trained, seed, console.terminal)
    record = Simulation(
        data=dataset.name,
        split=dataset.split,
        shape=tuple(p.size for p in trained.populations),
        **vars(summary),
        float_accuracy=float(np.mean(floats)),
        float_accuracies=tuple(floats),
        sparsity=trained.sparsity,
        bit_exact=difference is None,
        healed_fraction=returned.exact / returned.samples,
        healing=returned,
        history=tuple(history),
        network_sha256=trained.sha256,
        seed=seed,
        seconds=time.perf_counter() - begin,
        versions=versions("scikit-learn"),
    )
    assert relaxation.trace is not None
    page = simulation_page(
        record,
        (rows := _rows(summary, record, difference)),
        sweeps=relaxation.sweeps,
        events_per_tick=events_per_tick(relaxation.trace, len(inputs)),
        weight=trained.dense_couplings[0].weight,
        shape=dataset.shape,
        settling=settling_figures(trained, dataset, inputs, relaxation),
    )
    with together():
        network.save(trained, out / NETWORK_FILE, run=current_run())
        write_records(record, out / "summary.json", json_path)
        write_page(page, out / "index.html")
    title = f"ternary {'-'.join(map(str, record.shape))}, trained in integers on digits"
    console.output.print(console.table(title, ("figure", "value"), rows))
    console.output.print(f"wrote {out}/{NETWORK_FILE}, summary.json and index.html")
    return 0 if difference is None and summary.unsettled == 0 else 1


def _rows(summary: Summary, record: Simulation, difference: str | None) -> list[tuple[str, str]]:
    """The table of the terminal and of the page."""
    floats, returned = record.float_accuracies, record.healing
    return [
        *summary_rows(summary),
        (f"float EqProp, same shape, {len(floats)} seeds", _mean_and_interval(floats)),
        ("weights that are zero", f"{100 * record.sparsity:.1f} %"),
        ("engines agree on every tick", "yes" if difference is None else difference),
        ("one state bit flipped: returned", f"{returned.exact} of {returned.samples}, exactly"),
    ]


def _mean_and_interval(fractions: Sequence[float]) -> str:
    """In per cent: the mean and half of Student's interval at 95 %."""
    found = student(fractions, 0.95)
    return f"{100 * found.value:.2f} +- {50 * (found.high - found.low):.2f} %"
