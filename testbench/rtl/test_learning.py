"""A core that learns is the simulator's trainer: latents, biases, words and cycles, each sample."""

import json

import pytest

from testbench.rtl.learning_bench import LearningBench
from testbench.rtl.learning_cases import SHAPES, SMALL, LearningShape, task_of
from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.simulate import ROOT, RUNS, simulate

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
