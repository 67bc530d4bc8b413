"""Cycles of a training without the core: those that the core itself counts, sample by sample."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from testbench.rtl.learning_cases import SHAPES, LearningShape, task_of
from testbench.rtl.model import Model
from testbench.rtl.simulate import ROOT
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import CompiledLearner, learning_words
from toreq_hw.rtl.many_phases import ManyPhases, PhaseCounts, dense_sample_cycles
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import TimingModel
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.targets import counted_training
from toreq_hw.targets.counted_training import CountedTrainer
from toreq_hw.targets.learned import give_to_trainer, rates_of_trainer, state_of_trainer

CORES = ROOT / "build" / "rtl" / "cxxrtl"
OPEN = [shape for shape in SHAPES if not any(p.self_coupled for p in shape.parameters.relaxing)]


def begun(shape: LearningShape, seed: int) -> tuple[CountedTrainer, Trainer]:
    """Both trainers of a task, at its state."""
    rule = task_of(shape, seed, 2).rule
    counted = CountedTrainer(shape.network, rule, 1, shape.parameters)
    plain = Trainer(shape.network, rule, 1)
    for trainer in (counted, plain):
        give_to_trainer(trainer, task_of(shape, seed, 2).state)
    return counted, plain


@pytest.mark.parametrize("limit", [1, 2, 10_000])
@pytest.mark.parametrize("shape", OPEN, ids=lambda shape: shape.name)
def test_phases_of_many_samples_are_those_of_one_after_another(
    shape: LearningShape, limit: int
) -> None:
    """Networks of one to three hidden populations, skips and both schedules; a phase that meets its
    limit on sweeps leaves blocks that are due.
    """
    parameters, task = replace(shape.parameters, max_sweeps=limit), task_of(shape, 2, 30)
    model = Model(begun(shape, 2)[1].network(), parameters, parameters.max_sweeps)
    golden = model.phases(task.inputs, task.labels)
    many = ManyPhases(parameters, len(golden))
    for number, phase in enumerate(parameters.phases[:3]):
        found = many.cycles(phase, counts_of([run[number].for_timing() for run in golden]))
        wanted = []
        for run in golden:
            timing = TimingModel(parameters)
            costs = [timing.cost(one.for_timing(), report=False) for one in run[: number + 1]]
            wanted.append(costs[-1].cycles)
        assert found.tolist() == wanted


def counts_of(phases: list) -> PhaseCounts:  # type: ignore[type-arg]
    """Of `PhaseEvents` of one phase."""
    sweeps = np.array([phase.sweeps for phase in phases])
    events = np.zeros((len(phases), sweeps.max(), 8), dtype=np.int64)
    for sample, phase in enumerate(phases):
        for sweep, population, _ in phase.events:
            events[sample, sweep - 1, population] += 1
    inputs = np.array([phase.input_events for phase in phases])
    return PhaseCounts(sweeps, inputs, events)


@pytest.mark.parametrize("name", ["single-port", "deep-mixed"])
def test_cycles_are_those_that_the_core_counts(name: str) -> None:
    (shape,) = (shape for shape in SHAPES if shape.name == name)
    parameters, task = shape.parameters, task_of(shape, 1, 40)
    counted, plain = begun(shape, 1)
    images = MemoryImages.of(shape.network, parameters)
    core = CompiledLearner(parameters, images, CORES)
    core.load(learning_words(task.state, rates_of_trainer(plain), parameters))
    replies = core.learn(task.inputs, task.labels.tolist())
    wanted = [[reply.summary["cycles"] for reply in sample] for sample in replies]
    order = np.arange(len(task.inputs))
    progress = counted.learn(task.inputs, task.labels, order)
    assert progress == plain.learn(task.inputs, task.labels, order)
    found = counted.cycles()
    assert found.tolist() == wanted
    assert (found[:, 3] > 1).any()
    equal(state_of_trainer(counted), state_of_trainer(plain))
    assert len(counted.cycles()) == 0


def equal(one, other) -> None:  # type: ignore[no-untyped-def]
    """Two states of a training are the same to the bit."""
    for name, latents in one.latents.items():
        np.testing.assert_array_equal(latents, other.latents[name])
    for name, latents in one.bias_latents.items():
        np.testing.assert_array_equal(latents, other.bias_latents[name])
    assert one.generator == other.generator


SMALL = layered((16, 12, 4), WeightFormat.INT8, (6, 6))
CORE = CoreParameters.of(SMALL, 4, learn_lanes=2)


def drawn(samples: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    draw = np.random.default_rng(3)
    inputs = draw.integers(0, 256, (samples, 16)) * draw.integers(0, 2, (samples, 16))
    return inputs.astype(np.int16), draw.integers(0, 4, samples)


def trained(samples: int = 60) -> tuple[npt.NDArray[np.int64], Trainer]:
    trainer = CountedTrainer(SMALL, Rule(), 5, CORE)
    trainer.learn(*drawn(samples), np.arange(samples))
    return trainer.cycles(), trainer


def test_changes_of_states_are_kept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, one = trained()
    monkeypatch.setattr(counted_training, "_ROOM", 1000)
    parts, other = trained()
    assert parts.tolist() == whole.tolist()
    equal(state_of_trainer(one), state_of_trainer(other))


def test_a_sample_that_changes_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_training, "_ROOM", 8)
    with pytest.raises(InputError, match="at most 4 changes of state"):
        trained()


def test_a_core_that_cannot_be_counted_is_refused() -> None:
    plain = CoreParameters.of(SMALL, 4)
    with pytest.raises(InputError, match="must be those of a core that learns"):
        CountedTrainer(SMALL, Rule(), 1, plain)
    lossy = CoreParameters.of(SMALL, 4, threshold=2)
    with pytest.raises(InputError, match="must be of a lossless core without a loop"):
        ManyPhases(lossy, 1)


def test_nothing_takes_longer_than_a_sample_that_skips_nothing() -> None:
    cycles, trainer = trained()
    network = trainer.network()
    most = dense_sample_cycles(CORE, CORE.max_sweeps)
    assert cycles.sum(axis=1).max() < most
    half = dense_sample_cycles(CORE, CORE.max_sweeps / 2)
    assert dense_sample_cycles(CORE, 0) < half < most
    wider = replace(CORE, max_sweeps=7)
    assert dense_sample_cycles(wider, 3) == dense_sample_cycles(CORE, 3)
    assert network.synapses < dense_sample_cycles(CORE, 1) * CORE.lanes
