"""A small board that learns, without its UART: asked frame by frame, beside the simulator."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from testbench.boards.byte_board import CLOCK_HZ, ByteTransport, compile_byte_system
from testbench.boards.small_board import CLOSED, answer
from toreq_hw.boards.link.exchange import Exchange
from toreq_hw.boards.link.learning_host import LearningLink
from toreq_hw.boards.link.protocol import Code, Frame, ImageFlag, State
from toreq_hw.boards.link.requests import train
from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.state import LearnedState, LearningRates
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.targets.learned import rates_of_trainer, state_of_trainer

INPUTS, CLASSES, SAMPLES = 6, 3, 24
RULE = Rule(shift=4, bias_shift=5, initial_reach=12_000, latent_bits=12)
LIMIT = b"\x27\x10"
PATIENCE = 6_000
"""Cycles without a byte after which a board counts as silent: more than a sample takes."""


def network() -> Network:
    """6-5-3, INT8: a coupling from the input, and one that is walked both ways."""
    return layered((INPUTS, 5, CLASSES), WeightFormat.INT8, (6, 6), input_bits=4)


PARAMETERS = CoreParameters.of(network(), lanes=4, learn_lanes=2, latent_bits=RULE.latent_bits)


@dataclass(frozen=True, eq=False)
class Samples:
    """images: int16 (SAMPLES, INPUTS); labels: int64 (SAMPLES,)."""

    images: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]


def samples(seed: int = 1) -> Samples:
    """Of inputs about half are not 0."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 16, (SAMPLES, INPUTS)) * (rng.random((SAMPLES, INPUTS)) < 0.5)
    return Samples(images.astype(np.int16), rng.integers(0, CLASSES, SAMPLES))


def trainer() -> Trainer:
    """The simulator's training, at its beginning."""
    return Trainer(network(), RULE, seed=1)


def states(count: int) -> list[LearnedState]:
    """What the simulator has learned after 0, 1, ... `count` samples."""
    found, learns = samples(), trainer()
    kept = [state_of_trainer(learns)]
    for k in range(count):
        learns.learn(found.images, found.labels, [k])
        kept.append(state_of_trainer(learns))
    return kept


def rates() -> LearningRates:
    """Of the first epoch."""
    return rates_of_trainer(trainer())


def sample(flags: int, values: bytes, number: int = 0, label: int = 0) -> bytes:
    """TRAIN of a whole image, byte by byte."""
    return bytes([flags | ImageFlag.FIRST, number]) + label.to_bytes(2, "big") + LIMIT + values


@cache
def library() -> Path:
    """The compiled board."""
    return compile_byte_system(PARAMETERS, MemoryImages.of(network(), PARAMETERS))


class LearningBoard:
    """A board just switched on, which a host has identified and loaded with the first state."""

    def __init__(self) -> None:
        self.line = ByteTransport(library())
        self.link = LearningLink(self.line, PARAMETERS, PATIENCE / CLOCK_HZ)
        self.link.load_state(states(0)[0], rates())

    def close(self) -> None:
        """Frees the model."""
        self.line.close()

    @property
    def exchange(self) -> Exchange:
        """Of the host."""
        return self.link.exchange

    def frame(self, kind: int, payload: bytes = b"") -> Frame:
        """A request with the next number."""
        self.exchange._sequence = (self.exchange._sequence + 1) % 256
        return Frame(self.exchange._sequence, kind, payload)

    def ask(self, kind: int, payload: bytes = b"") -> tuple[Code, State, bytes] | None:
        """What the board says to a request that no host need send; None where it is silent."""
        frame = self.frame(kind, payload)
        self.line.write(frame.encode())
        return answer(frame, self.line.wait(PATIENCE, closed=CLOSED))

    def pass_time(self, cycles: int) -> None:
        """So many cycles pass behind the last byte to the board; what it says is not heard."""
        self.line.wait(1, most=1)
        end = self.line.cycles + cycles
        while self.line.cycles < end:
            self.line.wait(1, most=1)

    def learns_right(self, learned: int) -> bool:
        """Whether it holds the state after `learned` samples, and learns the next one right."""
        found, expected = samples(), states(learned + 1)
        if not same(self.link.read_state(), expected[learned]):
            return False
        self.link.train(found.images[learned], int(found.labels[learned]))
        return same(self.link.read_state(), expected[learned + 1])


def train_payload(sample: int, number: int | None = None) -> bytes:
    """TRAIN of a sample, which is the `number`-th since the load."""
    found = samples()
    at = sample if number is None else number
    parts, last = train(found.images[sample], int(found.labels[sample]), at, PARAMETERS, 99)
    assert not parts
    return last


def same(one: LearnedState, other: LearnedState) -> bool:
    """Whether two states are equal to the bit."""
    pairs = [(one.latents, other.latents), (one.bias_latents, other.bias_latents)]
    arrays = all(np.array_equal(a[name], b[name]) for a, b in pairs for name in b)
    return arrays and one.generator == other.generator


def damaged(state: LearnedState) -> LearnedState:
    """The same with one latent that differs in its lowest bit that is kept."""
    name = next(iter(state.latents))
    latents = state.latents[name].copy()
    latents[0, 0] ^= 1 << 16 - RULE.latent_bits
    return replace(state, latents={**state.latents, name: latents})
