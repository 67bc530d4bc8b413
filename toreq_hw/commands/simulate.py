"""`toreq-hw simulate`: relax a network over real images and report what it took."""

import time
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.figures import summary_rows
from toreq_hw.cli.numbers import MAX_COUNT, MAX_JOBS, MAX_THRESHOLD, Name, Whole
from toreq_hw.cli.options import (
    any_data_option,
    json_option,
    network_argument,
    samples_option,
    with_samples,
)
from toreq_hw.contract.results import Status
from toreq_hw.contract.ticks import Registers
from toreq_hw.errors import InputError
from toreq_hw.files import write_json
from toreq_hw.network import Network
from toreq_hw.records.relaxed import Relaxed
from toreq_hw.sim.session import Session
from toreq_hw.sim.summary import cycles_in, summarise
from toreq_hw.studies.engines import compare_engines
from toreq_hw.training.ends import check_ends
from toreq_hw.versions import versions

PART = 500
"""Images relaxed between two steps of a progress bar."""


@checked_command(
    epilog="Example: toreq-hw simulate net.safetensors --data mnist --engine event --compare"
)
@network_argument
@any_data_option
@click.option(
    "--engine",
    type=Name([e.value for e in sim.EngineName]),
    default="event",
    show_default=True,
    help="All give the same bits.",
)
@samples_option()
@click.option("--threshold", type=Whole(0, MAX_THRESHOLD), default=0, help="Above 0: lossy events.")
@click.option("--threads", type=Whole(1, MAX_JOBS), help="Event engine only; default all cores.")
@click.option("--compare", is_flag=True, help="Also run the other engines, compare every tick.")
@click.option("--trace", "traced", type=Whole(0, MAX_COUNT), help="Show the ticks of image N.")
@json_option
def command(
    network_path: Path,
    data_name: str,
    engine: str,
    samples: int | None,
    threshold: int,
    threads: int | None,
    compare: bool,
    traced: int | None,
    json_path: Path | None,
) -> int:
    """Relax the test images of a data set and report accuracy, settling and cost.

    Ends with status 1 if --compare finds engines that disagree.
    """
    net = network.load(network_path)
    dataset = with_samples(data.load(data_name, net.encoding), samples)
    check_ends(net, str(network_path), dataset)
    inputs = data.input_states(net, dataset.test.images, dataset.pixel_max)
    labels = dataset.test.labels
    _check_traced(traced, len(inputs))
    runner = sim.make_engine(net, engine, threads)
    sim.relax(net, inputs[:1], engine=runner)  # compile, so that the clock sees relaxation only
    relaxation, seconds = _relax_in_parts(net, inputs, runner, threshold)
    summary = summarise(relaxation, labels)
    difference = (
        compare_engines(net, inputs, labels, threshold, console.terminal) if compare else None
    )
    record = Relaxed(
        **vars(summary),
        cycles=cycles_in(relaxation),
        data=dataset.name,
        split=dataset.split,
        engine=engine,
        threshold=threshold,
        images_per_second=len(inputs) / seconds,
        bit_exact=None if not compare else difference is None,
        sparsity=net.sparsity,
        network_sha256=net.sha256,
        versions=versions(),
    )
    if json_path:
        write_json(json_path, record)
    _print_figures(network_path, record)
    if traced is not None:
        _print_trace(net, inputs[traced : traced + 1], traced)
    if compare:
        _print_comparison(difference)
    return 1 if difference else 0


def _print_figures(network_path: Path, record: Relaxed) -> None:
    rows = [*summary_rows(record), ("images per second", f"{record.images_per_second:,.0f}")]
    title = f"{network_path.name} on {record.data}, {record.engine} engine"
    console.output.print(console.table(title, ("figure", "value"), rows))


def _check_traced(image: int | None, images: int) -> None:
    if image is not None and image >= images:
        raise InputError(f"--trace must be an image in 0..{images - 1}, not {image}")


def _relax_in_parts(
    net: Network, inputs: npt.NDArray[np.int16], runner: sim.Engine, threshold: int
) -> tuple[sim.PhaseResult, float]:
    """The whole batch under a progress bar, and the seconds that relaxation itself took."""
    parts, seconds = [], 0.0
    with console.progress_bar() as bar:
        task = bar.add_task("relaxing", total=len(inputs), note="")
        for first in range(0, len(inputs), PART):
            part = inputs[first : first + PART]
            begin = time.perf_counter()
            parts.append(sim.relax(net, part, engine=runner, threshold=threshold))
            seconds += time.perf_counter() - begin
            bar.advance(task, len(part))
    return sim.join_results(parts), seconds


def _print_comparison(difference: str | None) -> None:
    if difference is None:
        console.output.print("reference, dense and event engines agree on every state and tick")
    else:
        console.output.print(f"engines disagree: {difference}")


def _print_trace(net: Network, inputs: npt.NDArray[np.int16], image: int) -> None:
    """Relaxes one image a tick at a time. inputs: (1, input.size)."""
    session = Session(net)
    session.start(inputs)
    nothing = np.zeros(0, dtype=np.int32)
    rows = [_tick_row(net, 0, nothing, session.phase)]
    while not session.finished:
        tick = session.step()
        rows.append(_tick_row(net, tick.number, tick.neuron, tick.registers))
    counted = (f"{p.name} changes" for p in net.relaxing)
    header = ("tick", *counted, "output", *(["energy x 2"] if net.has_energy else []))
    console.output.print(console.table(f"image {image}, tick by tick", header, rows))
    result = session.result
    if result is not None and result.status[0] == Status.CYCLE:
        console.output.print(f"image {image}: states return after {result.periods[0]} sweeps")


def _tick_row(
    net: Network, number: int, changed: npt.NDArray[np.int32], registers: Registers
) -> tuple[str, ...]:
    """One row of the table. changed: int32 (changes,), neurons in `Layout` order."""
    layout = sim.Layout(net)
    spans = [layout.of(population) for population in net.relaxing]
    counts = [np.count_nonzero((changed >= s.start) & (changed < s.stop)) for s in spans]
    energy = [f"{registers.energy[0]:,}"] if net.has_energy else []
    return (str(number), *map(str, counts), _shown_output(net, layout, registers), *energy)


def _shown_output(net: Network, layout: sim.Layout, registers: Registers) -> str:
    """What the output ranks; of several classes a sample, the one that each part names."""
    ranked = registers.states if net.readout is None else registers.accumulators
    outputs = ranked[0, layout.of(net.output)]
    if net.readout is not None and net.readout.rows > 1:
        named = outputs.reshape(net.readout.rows, -1).argmax(axis=1)
        return f"classes {' '.join(map(str, named))}"
    return " ".join(map(str, outputs))
