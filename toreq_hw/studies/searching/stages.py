"""The pieces of work of a search, each done once for equal content, wherever it is done."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from toreq_hw import network, sim
from toreq_hw.boards import registry
from toreq_hw.boards.flow.stage import CACHE
from toreq_hw.data import Dataset, input_states
from toreq_hw.errors import BuildError, NetworkError, ReportError
from toreq_hw.network import Network
from toreq_hw.records.search import Choices, Measured, Placed, Synthesised, Timed, Trained
from toreq_hw.sim.summary import summarise
from toreq_hw.studies.ledger import Run
from toreq_hw.studies.searching import samples
from toreq_hw.studies.searching.problem import Damage
from toreq_hw.studies.searching.shapes import (
    as_text,
    begun,
    from_text,
    network_choices,
    parameters_of,
    settings_of,
)
from toreq_hw.training.integer import begin, learn_epochs, training_samples

if TYPE_CHECKING:
    from toreq_hw.boards.flow.synthesis import Request

Row = TypeVar("Row")

_COUNTED = 1_000
"""Training samples whose cycles are counted."""


@dataclass(frozen=True)
class Bench:
    """What all work of a search shares. folder: of trained networks and bitstreams."""

    data: str
    holdout: int
    timed: int
    train_seed: int
    damage: Damage | None
    damage_trials: int
    place_seeds: int
    folder: Path

    @property
    def dataset(self) -> Dataset:
        """Training images, with held-out ones in place of the test set."""
        return samples.held_out(self.data, self.holdout)

    def network_path(self, choices: Choices, epochs: int) -> Path:
        """Where the network of a training lies; its name is that of all that decides it."""
        shape = as_text(network_choices(choices))
        content = f"{shape} {epochs} {self.train_seed} {self.dataset.sha256}"
        return self.folder / f"{hashlib.sha256(content.encode()).hexdigest()[:24]}.safetensors"


def _choices(run: Run) -> Choices:
    return from_text(str(run["choices"]))


def _network(bench: Bench, run: Run) -> Network:
    return network.load(bench.network_path(_choices(run), int(run["epochs"] or 0)))


def _seconds(since: float) -> float:
    return round(time.process_time() - since, 3)


def train(bench: Bench, run: Run) -> Trained:
    """Trains a network and keeps it; measured on the held-out images."""
    began = time.process_time()
    choices, epochs, dataset = _choices(run), int(run["epochs"] or 0), bench.dataset
    started = begin(dataset, settings_of(choices, dataset.pixels, epochs), bench.train_seed)
    shape = started.trainer.blueprint
    training = training_samples(shape, dataset, started.recipe.augment, mirror=False)
    reports = list(learn_epochs(started.trainer, training, epochs))
    trained = started.trainer.network()
    inputs = input_states(trained, dataset.test.images, dataset.pixel_max)
    found = summarise(sim.relax(trained, inputs), dataset.test.labels)
    network.save(trained, bench.network_path(choices, epochs))
    return Trained(
        accuracy=found.accuracy,
        train_accuracy=reports[-1].accuracy,
        unsettled=found.unsettled,
        network_sha256=trained.sha256,
        seconds=_seconds(began),
    )


def count_cycles(bench: Bench, run: Run) -> Timed:
    """Exact cycles of the first held-out images on the point's core."""
    from toreq_hw.targets.workload import workload

    began = time.process_time()
    net, dataset = _network(bench, run), bench.dataset
    first = replace(dataset, test=dataset.test.take(slice(0, bench.timed)))
    found = workload(net, parameters_of(_choices(run), net), first)
    return Timed(
        found.accuracy, found.cycles_mean, found.cycles_p50, found.cycles_p95, _seconds(began)
    )


def request_of(bench: Bench, run: Run) -> "Request":
    """What the tools are to build of a point."""
    from toreq_hw.boards.flow.synthesis import Learning, Request

    choices, net = _choices(run), _network(bench, run)
    learning = None
    if choices.learn_lanes:
        learning = Learning.alike(net, choices.learn_lanes, choices.latent_bits)
    return Request(
        network=net,
        board=registry.get(choices.board),
        lanes=choices.lanes,
        clock_hz=None if choices.clock_mhz is None else choices.clock_mhz * 1e6,
        seeds=tuple(range(1, bench.place_seeds + 1)),
        cache=CACHE,
        out=bench.folder / hashlib.sha256(f"{run}".encode()).hexdigest()[:16],
        jobs=1,
        learning=learning,
        accumulator_register=choices.accumulator_register,
    )


def synthesise(bench: Bench, run: Run) -> Synthesised:
    """What Yosys makes of a point. A tool that fails is a row too; one that was ended is none."""
    from toreq_hw.boards.flow.build import run_synthesis
    from toreq_hw.boards.flow.plan import STAT
    from toreq_hw.boards.flow.synthesis import prepare
    from toreq_hw.boards.flow.tools import Tools
    from toreq_hw.boards.tool_reports import yosys_stat
    from toreq_hw.boards.tool_reports.forbidden_cells import check_cells
    from toreq_hw.boards.tool_reports.resources import counted

    def build() -> Synthesised:
        request = request_of(bench, run)
        prepared = prepare(request)
        with Tools() as tools:
            done = run_synthesis(prepared.planned, tools, CACHE)
        found = yosys_stat.parse(done.folder / STAT)
        check_cells(request.board.family, found.cells, "netlist")
        used = counted(request.board.family, found)
        return Synthesised(used.lut4, used.ff, used.block_ram, prepared.design, done.seconds)

    return _or_error(build, _not_synthesised)


def _not_synthesised(error: str) -> Synthesised:
    return Synthesised(cells=0, ff=0, block_ram=0, design="", seconds=0.0, error=error)


def _not_placed(error: str) -> Placed:
    return Placed(cells=0, block_ram=0, fmax=(), met=False, design="", seconds=0.0, error=error)


def place(bench: Bench, run: Run) -> Placed:
    """What place and route makes of a point, with all seeds."""
    from toreq_hw.boards.flow.synthesis import synthesise as build

    def placed() -> Placed:
        found = build(request_of(bench, run))
        return Placed(
            cells=found.resources.lut4,
            block_ram=found.resources.block_ram,
            fmax=tuple(one.fmax_mhz for one in found.placements),
            met=found.met,
            design=found.design,
            seconds=sum(s for name, s in found.seconds.items() if name != "synthesis"),
        )

    return _or_error(placed, _not_placed)


def estimate_energy(bench: Bench, run: Run) -> Measured:
    """The high end of the estimate of an image's energy, in uJ."""
    from toreq_hw.targets.energy import energy_record

    def measured() -> Measured:
        began, net, choices = time.process_time(), _network(bench, run), _choices(run)
        record = energy_record(
            net,
            parameters_of(choices, net),
            bench.dataset,
            registry.get(choices.board),
            flip_flops=int(run["flip_flops"] or 0),
            clock_hz=float(run["clock_hz"] or 0),
        )
        if record.estimate is None:
            return Measured(0.0, _seconds(began), record.why_absent)
        return Measured(record.estimate.uj.total.high, _seconds(began))

    return _or_error(measured, lambda error: Measured(0.0, 0.0, error))


def damage(bench: Bench, run: Run) -> Measured:
    """Mean accuracy of held-out images over some damages of the network."""
    from toreq_hw.sim.campaign.trial import damaged_phase
    from toreq_hw.sim.event import EventEngine
    from toreq_hw.sim.perturbation import make_layer

    assert bench.damage is not None
    began, net, test = time.process_time(), _network(bench, run), bench.dataset.test
    test = test.take(slice(0, bench.timed))
    inputs = input_states(net, test.images, bench.dataset.pixel_max)
    clean = sim.relax(net, inputs, engine=EventEngine(net, threads=1))
    found = []
    for seed in range(1, bench.damage_trials + 1):
        layer = make_layer(bench.damage.layer, level=bench.damage.level, seed=seed)
        classes = damaged_phase(net, layer, inputs, clean).classes
        found.append(float(np.mean(classes == test.labels)))
    return Measured(float(np.mean(found)), _seconds(began))


def count_training(bench: Bench, run: Run) -> Measured:
    """Mean cycles of the first training samples on the point's core."""
    from toreq_hw.targets.counted_training import CountedTrainer

    began, choices, dataset = time.process_time(), _choices(run), bench.dataset
    started = begun(bench.data, choices, int(run["epochs"] or 0), bench.train_seed).trainer
    shape = started.blueprint
    trainer = CountedTrainer(shape, started.rule, bench.train_seed, parameters_of(choices, shape))
    first = replace(dataset, train=dataset.train.take(slice(0, _COUNTED)))
    list(learn_epochs(trainer, training_samples(shape, first, 0, mirror=False), 1))
    return Measured(float(trainer.cycles().sum(axis=1).mean()), _seconds(began))


def test(bench: Bench, run: Run) -> Measured:
    """Accuracy on the test set, which no choice ever sees."""
    began, net = time.process_time(), _network(bench, run)
    dataset = samples.test_images(bench.data)
    inputs = input_states(net, dataset.test.images, dataset.pixel_max)
    return Measured(
        summarise(sim.relax(net, inputs), dataset.test.labels).accuracy, _seconds(began)
    )


def _or_error(work: Callable[[], Row], failed: Callable[[str], Row]) -> Row:
    """What `work` gives; what `failed` makes of an error of the design itself."""
    from toreq_hw.boards.flow.tools import StoppedError

    try:
        return work()
    except StoppedError:
        raise
    except (BuildError, NetworkError, ReportError) as error:
        return failed(str(error))
