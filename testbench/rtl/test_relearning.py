"""A core with lasting faults learns what the simulator learns under the same map."""

from dataclasses import asdict

import numpy as np
import pytest

from testbench.robustness.test_faulty_training import lasting_map
from testbench.rtl.checker import MismatchError
from testbench.rtl.core_training import CoreTraining
from testbench.rtl.learning_cases import SHAPES, SMALL, LearningShape, task_of
from testbench.rtl.simulate import ROOT
from toreq_hw.errors import InputError
from toreq_hw.rtl.learning.compiled import learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.faults import FaultyLearner
from toreq_hw.rtl.learning.state import kept_bits
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training import FaultyTrainer
from toreq_hw.targets.learned import give_to_trainer, rates_of_trainer, state_of_trainer

CORES = ROOT / "build" / "rtl" / "cxxrtl"
SAMPLES, SWEEPS = 12, 20
LOOPS = next(shape for shape in SHAPES if shape.name == "loops")


def core_of(shape: LearningShape) -> tuple[CoreTraining, FaultyLearner]:
    """A core with a fault port and few sweeps; the trainer is replaced for each map."""
    parameters = CoreParameters.of(shape.network, shape.lanes, SWEEPS, **shape.choices)
    trainer = Trainer(shape.network, task_of(shape, 0, 2).rule, seed=1)
    training = CoreTraining(trainer, parameters, CORES, FaultyLearner)
    assert isinstance(training.core, FaultyLearner)
    return training, training.core


@pytest.mark.parametrize("shape", [SMALL, LOOPS], ids=lambda shape: shape.name)
def test_every_latent_is_equal_under_lasting_faults(shape: LearningShape) -> None:
    """One core, one map after another: the next replaces what the last one broke."""
    training, core = core_of(shape)
    parameters = training.parameters
    broken = unsettled = 0
    for seed in range(8):
        task = task_of(shape, seed, SAMPLES)
        trainer = Trainer(shape.network, task.rule, seed=1)
        give_to_trainer(trainer, task.state)
        given = lasting_map(trainer.network(), seed, kept_bits(parameters), 0.03 * seed)
        faulty = FaultyTrainer(trainer, given, max_sweeps=SWEEPS)
        core.load(learning_words(state_of_trainer(trainer), rates_of_trainer(trainer), parameters))
        core.inject(asdict(given), trainer.network())
        training.trainer = faulty
        assert learned_difference(state_of_trainer(faulty), training.core.state()) is None
        for sample in range(SAMPLES):
            progress = training.learn((task.inputs, task.labels), np.array([sample]))
            unsettled += progress.unsettled
        broken += len(given.latents)
    assert broken > 30
    assert unsettled > 0, "no phase met the limit on sweeps"


def test_a_fault_that_only_the_core_has_is_named() -> None:
    training, core = core_of(SMALL)
    trainer = training.trainer
    name = SMALL.network.couplings[0].name
    bit, holds_one = 0x4000, bool(trainer.latents(0)[1, 2] & 0x4000)
    masks = (bit, 0) if holds_one else (0, bit)
    given = FaultMap(trainer.network().sha256, 0, latents=((name, 1, 2, *masks),))
    core.inject(asdict(given), trainer.network())
    task = task_of(SMALL, 4, 3)
    with pytest.raises(MismatchError, match=r"coupling 'p0-p1', row 1, column 2: latent"):
        training.learn((task.inputs, task.labels), np.arange(3))


def test_faults_that_the_core_does_not_know_are_refused() -> None:
    training, core = core_of(SMALL)
    network = training.trainer.network()
    name, bits = SMALL.network.couplings[0].name, kept_bits(SMALL.parameters)
    dropped = 1 << (16 - bits[name]) - 1
    for entries, said in (
        ({"stuck": (("p1", 0, 3),)}, "must be stuck at 0, found neuron 0 of 'p1' at 3"),
        ({"latents": ((name, 0, 0, 0, dropped),)}, "must be stuck in bits"),
    ):
        given = FaultMap(network.sha256, 0, **entries)
        with pytest.raises(InputError, match=said):
            core.inject(asdict(given), network)
