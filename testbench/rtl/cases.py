"""The networks and step lists of the campaign: which shapes, which traffic, which resets."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from testbench.networks import Case, random_case
from testbench.rtl.plan import (
    BadTraffic,
    Images,
    Limit,
    Load,
    LoadBetweenPhases,
    Plan,
    ResetMidRun,
    Threshold,
    Traffic,
)
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat

BUSY = Traffic(idle=0.3, stall=0.5, sparse=True)
QUIET = Traffic(report=False)


@dataclass(frozen=True)
class Shape:
    """A network to be drawn: seed, schedule, lanes; `max_size` bounds its populations."""

    seed: int
    schedule: Schedule
    lanes: int
    max_size: int = 12

    @property
    def name(self) -> str:
        """For test ids and folders."""
        return f"{self.schedule.value}-{self.lanes}lanes-{self.seed}"


def random_plan(shape: Shape) -> Plan:
    """Every kind of step on one random network: traffic, reloads, the limit, resets, faults."""
    case = random_case(shape.seed, schedule=shape.schedule, max_size=shape.max_size, batch=6)
    network, inputs, labels = case.network, with_empty(case), case.labels
    return Plan(
        network=network,
        lanes=shape.lanes,
        seed=shape.seed,
        steps=(
            Images(inputs, labels),
            Images(inputs, labels, BUSY),
            Images(inputs, None, QUIET),
            ResetMidRun(inputs[1], after=3),
            ResetMidRun(inputs[2], after=40 + shape.seed % 40),
            ResetMidRun(inputs[3], after=3000),
            BadTraffic(),
            LoadBetweenPhases(inputs[1], int(labels[1])),
            Load(redrawn(network, shape.seed + 1)),
            Images(inputs, labels),
            Load(redrawn(network, shape.seed + 2), shuffled=True),
            Images(inputs[:2], labels[:2]),
            Limit(1),
            Images(inputs, labels),
            Limit(2),
            Images(inputs, labels, BUSY),
        ),
    )


def lossy_plan(shape: Shape, thresholds: tuple[int, int], choices: dict[str, Any]) -> Plan:
    """A random network with unsent deltas: one threshold at power-up, another one loaded.

    A reset brings back the first; threshold 0 is lossless; at the highest nothing is ever sent.
    """
    case = random_case(shape.seed, schedule=shape.schedule, max_size=shape.max_size, batch=4)
    network, inputs, labels = case.network, with_empty(case), case.labels
    first, second = thresholds
    plan = Plan(network, shape.lanes, (), shape.seed, choices | {"threshold": first})
    return replace(
        plan,
        steps=(
            Images(inputs, labels),
            Images(inputs, labels, BUSY),
            Threshold(second),
            Images(inputs, labels),
            ResetMidRun(inputs[2], after=40 + shape.seed % 40),
            Images(inputs[1:3], labels[1:3]),
            BadTraffic(shape.seed % 3),
            Threshold(0),
            Images(inputs[1:3], labels[1:3], BUSY),
            Threshold(plan.parameters.highest_threshold),
            Images(inputs[1:3], labels[1:3]),
            Load(redrawn(network, shape.seed + 1)),
            Threshold(second),
            Images(inputs, labels),
            Limit(2),
            Images(inputs, labels, BUSY),
        ),
    )


def with_empty(case: Case) -> np.ndarray:  # type: ignore[type-arg]
    """The inputs, the first of them all zero."""
    inputs = case.inputs.copy()
    inputs[0] = 0
    return inputs


def redrawn(network: Network, seed: int) -> Network:
    """The same shape with other weights (up to the limits of the formats) and biases."""
    rng = np.random.default_rng(seed)
    couplings = [
        DenseCoupling(c.pre, c.post, _weights(rng, c), c.fraction_bits, c.weight_format)
        for c in network.couplings
    ]
    biases = {name: rng.permutation(bias) for name, bias in network.biases.items()}
    return Network(
        network.populations, tuple(couplings), biases, network.schedule, network.beta_shift
    )


def _weights(rng: np.random.Generator, coupling: DenseCoupling) -> np.ndarray:  # type: ignore[type-arg]
    limit = coupling.weight_format.limit
    weight = rng.integers(-limit, limit + 1, coupling.weight.shape)
    if coupling.is_self_coupling:
        weight = np.triu(weight, 1) + np.triu(weight, 1).T
    return weight.astype(np.int8)


def burst_plan() -> Plan:
    """One large population that all moves at once, back to back, then settles: deepest queue."""
    rng = np.random.default_rng(7)
    populations = (
        Population("input", 6, Role.INPUT),
        Population("hidden", 40, Role.HIDDEN, signed=True),
        Population("output", 5, Role.OUTPUT),
    )
    first = np.where(rng.integers(2, size=(6, 40)), 1, -1).astype(np.int8)
    second = rng.integers(-127, 128, (40, 5)).astype(np.int8)
    network = Network(
        populations,
        (
            DenseCoupling("input", "hidden", first, 0, WeightFormat.TERNARY),
            DenseCoupling("hidden", "output", second, 7, WeightFormat.INT8),
        ),
        {},
    )
    inputs = np.concatenate(
        [np.eye(6, dtype=np.int16) * 255, np.zeros((1, 6), np.int16), np.full((2, 6), 3, np.int16)]
    )
    labels = rng.integers(0, 5, len(inputs))
    steps = (Images(inputs, labels), Images(inputs, labels, BUSY), BadTraffic())
    return Plan(network, lanes=8, steps=steps, seed=7)


def lonely_plan() -> Plan:
    """An output without neighbours, one neuron wide: events that walk nothing."""
    populations = (
        Population("input", 3, Role.INPUT, state_bits=1),
        Population("output", 1, Role.OUTPUT, state_bits=2, signed=True),
    )
    weight = np.array([[1], [-1], [1]], dtype=np.int8)
    network = Network(
        populations,
        (DenseCoupling("input", "output", weight, 0, WeightFormat.TERNARY),),
        {"output": np.array([-1], dtype=np.int32)},
    )
    inputs = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 1, 0]], dtype=np.int16)
    steps = (Images(inputs, np.zeros(4, dtype=np.int64)), Images(inputs, None, BUSY))
    return Plan(network, lanes=2, steps=steps)


def mutant_plan() -> Plan:
    """Everything that distinguishes a whole core from a harmed one, in a few thousand cycles.

    Fraction bits are few, so that a wrong lowest bit of a sum reaches a state. It begins with
    a load of every memory, because an earlier mutant may have spoilt them.
    """
    network = _fine_network()
    rng = np.random.default_rng(13)
    inputs = rng.integers(-127, 128, (8, 9)).astype(np.int16)
    inputs[0] = 0
    labels = rng.integers(0, 5, 8)
    steps = (
        Load(network),
        Images(inputs, labels),
        Images(inputs[2:4], labels[2:4], BUSY),
        ResetMidRun(inputs[1], after=60),
        BadTraffic(),
        Load(redrawn(network, 5)),
        Images(inputs[1:4], labels[1:4]),
        Images(inputs[4:6], None, QUIET),
        Limit(2),
        Images(inputs[1:3], labels[1:3]),
    )
    return Plan(network, lanes=4, steps=steps, seed=13)


def _fine_network() -> Network:
    """Four populations, one self-coupled, signed and unsigned, both formats, small weights."""
    rng = np.random.default_rng(11)
    populations = (
        Population("input", 9, Role.INPUT, 8, signed=True),
        Population("hidden1", 10, Role.HIDDEN, 8),
        Population("hidden2", 7, Role.HIDDEN, 6, signed=True),
        Population("output", 5, Role.OUTPUT, 8),
    )
    upper = np.triu(rng.integers(-1, 2, (10, 10)), 1)
    drawn = (
        ("input", "hidden1", rng.integers(-1, 2, (9, 10)), 1, WeightFormat.TERNARY),
        ("hidden1", "hidden1", upper + upper.T, 0, WeightFormat.TERNARY),
        ("hidden1", "hidden2", rng.integers(-3, 4, (10, 7)), 2, WeightFormat.INT8),
        ("hidden2", "output", rng.integers(-9, 10, (7, 5)), 1, WeightFormat.INT8),
    )
    couplings = tuple(
        DenseCoupling(pre, post, weight.astype(np.int8), fraction_bits, weight_format)
        for pre, post, weight, fraction_bits, weight_format in drawn
    )
    biases = {p.name: rng.integers(-99, 100, p.size).astype(np.int32) for p in populations[1:]}
    return Network(populations, couplings, biases, Schedule.SEQUENTIAL, beta_shift=1)
