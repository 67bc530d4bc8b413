"""The conversations that docs/link.md shows: networks of two and two neurons on two lanes."""

from dataclasses import replace

import numpy as np

from testbench.boards.simulated_board import CLOCK_HZ, RUN_LIMIT_S
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.learning_host import LearningLink
from toreq_hw.boards.link.protocol import FLAG, Frame, Request
from toreq_hw.boards.link.simulated import SimulatedTransport, compile_system
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.state import LearnedState
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.targets.learned import rates_of_trainer, state_of_trainer

INPUTS = np.array([3, 5], np.int16)
LABEL = 0


def network() -> Network:
    """Each output neuron takes one input and refuses the other."""
    weight = np.array([[1, -1], [-1, 1]], np.int8)
    return Network(
        populations=(
            Population("input", 2, Role.INPUT, 4),
            Population("output", 2, Role.OUTPUT, 4),
        ),
        couplings=(DenseCoupling("input", "output", weight, 0, WeightFormat.TERNARY),),
        biases={"output": np.array([0, 4], np.int32)},
        schedule=Schedule.PARITY,
        beta_shift=0,
    )


class _Tap(SimulatedTransport):
    """Keeps what goes over the line, frame by frame."""

    def tap(self) -> "_Tap":
        self.lines: list[str] = []
        self._reply = bytearray()
        return self

    def write(self, data: bytes) -> None:
        name = Request(Frame.decode(data[1:-1]).type).name
        self.lines.append(f"{name:8} host   {data.hex(' ')}")
        super().write(data)

    def read(self, timeout_s: float) -> bytes:
        byte = super().read(timeout_s)
        self._reply += byte
        if len(self._reply) > 1 and self._reply[-1] == FLAG:
            self.lines.append(f"{'':8} board  {self._reply.hex(' ')}")
            self._reply.clear()
        return byte


def conversation() -> list[str]:
    """Identify, load, and run one image in three phases: one line a frame."""
    net = network()
    parameters = CoreParameters.of(net, lanes=2)
    library = compile_system(parameters, MemoryImages.of(net, parameters), CLOCK_HZ)
    line = _Tap(library, CLOCK_HZ).tap()
    with BoardLink(line, parameters, RUN_LIMIT_S) as link:
        link.load(net)
        link.run(INPUTS, LABEL)
        link.status()
        link.reset()
    return line.lines


def learner() -> Trainer:
    """What the simulator trains beside the board: INT8, from the first weights of seed 1."""
    net = replace(network(), couplings=(_blank_int8(),), biases={"output": np.zeros(2, np.int32)})
    return Trainer(net, Rule(shift=4, bias_shift=5, initial_reach=12_000, latent_bits=12), seed=1)


def _blank_int8() -> DenseCoupling:
    return DenseCoupling("input", "output", np.zeros((2, 2), np.int8), 5, WeightFormat.INT8)


def learning_conversation() -> tuple[list[str], LearnedState]:
    """Identify, load, set, learn one sample and read back; and what the board then holds."""
    trains = learner()
    net = trains.network()
    parameters = CoreParameters.of(net, lanes=2, learn_lanes=1, latent_bits=12)
    library = compile_system(parameters, MemoryImages.of(net, parameters), CLOCK_HZ)
    line = _Tap(library, CLOCK_HZ).tap()
    link = LearningLink(line, parameters, RUN_LIMIT_S)
    with link:
        link.load_state(state_of_trainer(trains), rates_of_trainer(trains))
        link.train(INPUTS, LABEL)
        held = link.read_state()
        link.status()
    return line.lines, held
