"""Recordings that several tests look at."""

from functools import cache

import numpy as np

from testbench.networks import Case, random_case
from toreq_hw import data, network
from toreq_hw.network import Network, Schedule
from toreq_hw.observatory.recording import Recording
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.session import Session


@cache
def digits_network() -> Network:
    """A network that has learned 600 digits: it names most of them, in less than a second."""
    digits = data.load("digits")
    shape = network.layered((64, 24, 10), network.WeightFormat.TERNARY, (4, 4))
    trainer = Trainer(shape, Rule(), 1)
    images = data.input_states(shape, digits.train.images, digits.pixel_max)
    trainer.learn(images, digits.train.labels, np.arange(600))
    return trainer.network()


def digit(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A test image as inputs int16 (1, 64), and its label int64 (1,)."""
    digits, net = data.load("digits"), digits_network()
    image = digits.test.images[number : number + 1]
    return data.input_states(net, image, digits.pixel_max), digits.test.labels[number : number + 1]


def recorded(net: Network, inputs: np.ndarray, labels: np.ndarray | None = None) -> Recording:
    """The phases of the first of some inputs, nudged ones with labels."""
    recording = Recording(net)
    session = Session(net, observers=[recording], max_sweeps=40)
    session.start(inputs[:1])
    session.run()
    if labels is not None:
        for sign in (1, -1):
            session.nudge(labels[:1], sign)
            session.run()
    return recording


def random_recording(seed: int, schedule: Schedule | None = None) -> tuple[Case, Recording]:
    """A random network's phases."""
    case = random_case(seed, schedule=schedule)
    return case, recorded(case.network, case.inputs, case.labels)
