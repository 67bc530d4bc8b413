"""What a core that learns is put through, with every answer known before it starts."""

from dataclasses import dataclass
from typing import Any

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.learning_cases import LearningShape, Task, task_of
from testbench.rtl.learning_model import LearnedPhases, LearningModel, check_learn_summary
from toreq_hw.errors import InputError
from toreq_hw.rtl import cxxrtl
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.learning import compiled
from toreq_hw.rtl.learning.compiled import SAMPLE, learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.state import LearnedState, LearningRates
from toreq_hw.rtl.load_spaces import LoadWord, Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel

SEEDS, SAMPLES = range(60), 16

CYCLE_LIMIT = 20_000
"""In place of ten millions: no sample of a whole core takes as long."""


@dataclass(frozen=True)
class Step:
    """A sample of a task: its phases, and what is held behind it."""

    task: Task
    sample: int
    rates: LearningRates
    expected: LearnedPhases
    after: LearnedState


@dataclass(frozen=True)
class Script:
    """steps: in order; the first of each task comes after a load."""

    parameters: CoreParameters
    steps: list[Step]

    @classmethod
    def of(cls, shape: LearningShape) -> "Script":
        """Tasks of many seeds."""
        steps = []
        for seed in SEEDS:
            task = task_of(shape, seed, SAMPLES)
            model = LearningModel(shape.network, shape.parameters, task)
            for sample in range(SAMPLES):
                expected = model.learn(sample)
                steps.append(Step(task, sample, model.rates, expected, model.state))
        return cls(shape.parameters, steps)


def run_script(core: Any, script: Script) -> None:
    """Raises MismatchError or InputError where the core is not as it should be."""
    cxxrtl._CYCLE_LIMIT = compiled._LIMIT = CYCLE_LIMIT
    checker = Checker(script.parameters, TimingModel(script.parameters))
    for step in script.steps:
        if step.sample == 0:
            core.load(learning_words(step.task.state, step.rates, script.parameters))
            limit = script.parameters.max_sweeps  # what holds the last word must not show
            core.load([LoadWord(Space.MAX_SWEEPS, 0, limit)])
            _compare("after the load", step.task.state, core.state())
        inputs, label = step.task.inputs[step.sample], int(step.task.labels[step.sample])
        replies = core.run(inputs, [(command, label) for command in SAMPLE])
        for phase, reply in zip(step.expected.phases, replies[:3], strict=True):
            checker.check_reply(step.sample, phase, reply.summary, reply.states)
        summary = replies[3].summary
        check_learn_summary(script.parameters, step.sample, summary, step.expected)
        _compare(f"sample {step.sample}", step.after, core.state())
    if core.faults:
        raise MismatchError(f"faults: expected none, got {core.faults:#b}")
    _reject(core, script)


def _compare(where: str, expected: LearnedState, got: LearnedState) -> None:
    if difference := learned_difference(expected, got):
        raise MismatchError(f"{where}: {difference}")


def _reject(core: Any, script: Script) -> None:
    """Each wrong word raises its flag and changes nothing."""
    held = script.steps[-1].after
    rows = script.parameters.groups * script.parameters.lanes
    wrong = [(Space.RATE, 0, word, Fault.LOAD_DATA) for word in (0, 1, 17, 32)]
    wrong += [(Space.GENERATOR, 0, 0, Fault.LOAD_DATA), (Space.THETA, 0, 0, Fault.LOAD_DATA)]
    wrong += [(Space.BIAS_LATENT, rows, 1, Fault.LOAD_ADDRESS)]
    for space, address, word, fault in wrong:
        core.load([LoadWord(space, address, word)])
        _flagged(core, fault)
    for space, address in ((Space.RATE, 0), (Space.BIAS_LATENT, rows), (Space.GENERATOR, 1)):
        core._read(space, [address])  # answered with any word
        _flagged(core, Fault.LOAD_ADDRESS)
    step = script.steps[-1]
    inputs = step.task.inputs[step.sample]
    core.run(inputs, [(Command.FREE, 0)])
    try:
        core.run(inputs, [(Command.LEARN, 0)])
    except InputError:
        _flagged(core, Fault.COMMAND)
    else:
        raise MismatchError("LEARN behind FREE: expected no answer, got one")
    core.reset()  # which leaves everything that was learned
    _compare("after rejected words", held, core.state())


def _flagged(core: Any, fault: Fault) -> None:
    if core.faults != 1 << fault:
        raise MismatchError(f"faults: expected {fault.name} alone, got {core.faults:#b}")
    core.reset()
