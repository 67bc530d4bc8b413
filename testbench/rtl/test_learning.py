"""A core that learns is the simulator's trainer: latents, biases, words and cycles, each sample."""

import json

import numpy as np
import numpy.typing as npt
import pytest

from testbench.rtl.checker import MismatchError
from testbench.rtl.core_training import CoreTraining
from testbench.rtl.learning_bench import LearningBench
from testbench.rtl.learning_cases import SHAPES, SMALL, LearningShape, task_of
from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.simulate import ROOT, RUNS, simulate
from toreq_hw.rtl.learning.timing import learn_cycles
from toreq_hw.rtl.load_spaces import LoadWord, Space
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.targets.learned import give_to_trainer

CORES = ROOT / "build" / "rtl" / "cxxrtl"
SEEDS, SAMPLES = range(9), 10


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_everything_learned_is_equal_after_every_sample(shape: LearningShape) -> None:
    """One core takes many networks: state and rates are loaded. The report asks for coverage."""
    bench = LearningBench(shape, CORES)
    for seed in SEEDS:
        bench.start(task_of(shape, seed, SAMPLES))
        for sample in range(SAMPLES):
            bench.learn(sample)
    assert bench.samples == len(SEEDS) * SAMPLES
    path = RUNS / f"learning-{shape.name}" / "plan.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bench.record()))


def test_traffic_rejected_words_and_resets_in_verilator() -> None:
    """Words that come late and are taken late, LEARN out of turn, a reset within LEARN."""
    plan = LearningPlan(SMALL, task_of(SMALL, 4, 8), task_of(SMALL, 5, 4))
    outcome = simulate(plan, "learning-cocotb", test_module="testbench.rtl.cocotb_learning")
    assert outcome.failure is None


TASK = task_of(SMALL, 4, 12)
ALL = TASK.inputs, TASK.labels


class WrongTrainer(Trainer):
    """One latent is wrong after sample 7."""

    def learn(self, inputs: npt.ArrayLike, labels: npt.ArrayLike, order: npt.ArrayLike) -> Progress:
        progress = super().learn(inputs, labels, order)
        if 7 in np.asarray(order):
            self.latents(0)[1, 2] ^= 16
            self.program()
        return progress


def begun(kind: type[Trainer] = Trainer) -> CoreTraining:
    """A training on the small core and in the simulator."""
    trainer = kind(SMALL.network, TASK.rule, seed=1)
    give_to_trainer(trainer, TASK.state)
    return CoreTraining(trainer, SMALL.parameters, CORES)


def test_a_training_is_compared_and_its_first_difference_named() -> None:
    training = begun()
    training.learn(ALL, np.arange(12), modelled=3)
    assert (training.counts.modelled, len(training.counts.sample_cycles)) == (3, 12)
    with pytest.raises(MismatchError, match=r"^sample 7: coupling 'p0-p1', row 1, column 2: lat"):
        begun(WrongTrainer).learn(ALL, np.arange(12))


def test_a_latent_that_changes_by_itself_is_noticed() -> None:
    training = begun()
    training.learn(ALL, np.arange(4))
    training.core.load([LoadWord(Space.WEIGHTS, 0, 0x123)])
    with pytest.raises(MismatchError, match="not when repeated: coupling 'p0-p1', row 0, column 0"):
        training.learn(ALL, np.arange(4, 8))


def test_a_wrong_prediction_of_cycles_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    place = "testbench.rtl.core_training.learn_cycles"
    monkeypatch.setattr(place, lambda p, found: learn_cycles(p, found) + 1)
    with pytest.raises(MismatchError, match=r"sample 2, LEARN, cycles: expected \d+, got \d+"):
        begun().learn(ALL, np.arange(2, 4))
