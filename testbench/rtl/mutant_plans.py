"""The cores that mutants are put into, and what is done to each to tell it from a whole one.

They are small, so that what does not die can be proved equivalent; their counters are narrow,
so that every bit of them moves; between them they have every kind of logic a core can have.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from testbench.rtl.cases import BUSY, QUIET, redrawn
from testbench.rtl.plan import (
    BadTraffic,
    Images,
    Limit,
    Load,
    LoadBetweenPhases,
    Plan,
    ResetMidRun,
    Step,
    Threshold,
    Traffic,
)
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat

COUNTER_BITS = 6
MAX_SWEEPS = 7
STARVED = Traffic(idle=0.9)
TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8


@dataclass(frozen=True)
class Base:
    """A core to be harmed. seed: of the mutants drawn."""

    name: str
    plan: Plan
    seed: int = 1


def bases() -> tuple[Base, ...]:
    """Ternary without a multiplier; both formats, signed, self-coupled, stored once; INT8 on four
    lanes that update by twos, in single-port memories; ternary with a threshold."""
    return (
        Base("ternary", _plan(_ternary(), lanes=2)),
        Base("mixed", _plan(_mixed(), lanes=2, large_coupling=1)),
        Base("int8", _plan(_int8(), lanes=4, update_lanes=2, initialised=False)),
        Base("lossy", _plan(_ternary(), lanes=2, threshold=1)),
    )


def _plan(network: Network, lanes: int, **choices: Any) -> Plan:
    """Every kind of step; it begins with a load, because earlier mutants may spoil memories."""
    rng = np.random.default_rng(13)
    inputs = _images(rng, network, 10)
    labels = np.arange(len(inputs)) % network.output.size
    full = np.full_like(inputs[:2], network.input.state_max)
    full[1] = network.input.state_min
    both = np.concatenate([full, inputs[1:3]])
    some = np.arange(len(both)) % network.output.size
    steps: tuple[Step, ...] = (
        Load(network),
        Images(inputs, labels),
        Images(inputs[2:6], labels[2:6], BUSY),
        Images(inputs, None, QUIET),
        LoadBetweenPhases(inputs[1], int(labels[1])),
        Load(network, shuffled=True),
        *(ResetMidRun(inputs[1], after=after) for after in (2, 9, 23, 40, 400)),
        BadTraffic(0),
        BadTraffic(1),
        BadTraffic(2),
        *(Images(inputs[k : k + 1], None, STARVED) for k in (3, 4, 5)),
        Load(_steepest(network, 1)),
        Images(both, some),
        Load(_steepest(network, -1)),
        Images(both, some, Traffic(idle=0.6, stall=0.2)),
        Load(_climbing(network)),
        Images(both, some),
        *(
            step
            for seed in range(6, 14)  # some relax for long: many events, high counters
            for step in (Load(redrawn(network, seed)), Images(inputs[2:6], labels[2:6]))
        ),
        Load(redrawn(network, 5)),
        Images(inputs[1:4], labels[1:4], BUSY),
        Images(inputs[4:6], None, QUIET),
        Limit(2),
        Images(inputs[1:3], labels[1:3]),
        Limit(1),
        Images(inputs[3:5], labels[3:5]),
        Limit(5),
        Load(_climbing(network)),
        Images(both, some, BUSY),
    )
    if "threshold" in choices:
        for threshold in (2, 0, 7, 1):
            steps += (Threshold(threshold), Images(inputs[1:7], labels[1:7]))
        steps += (Load(network), *steps[1:4], Limit(2), *steps[1:3], BadTraffic(1))
    choices |= {"max_sweeps": MAX_SWEEPS, "counter_bits": COUNTER_BITS}
    return Plan(network, lanes, steps, 13, choices)


def _images(rng: np.random.Generator, network: Network, count: int) -> npt.NDArray[np.int16]:
    population = network.input
    inputs = rng.integers(population.state_min, population.state_max + 1, (count, population.size))
    inputs[0] = 0
    inputs[-3:] *= rng.integers(0, 2, inputs[-3:].shape)
    return inputs.astype(np.int16)


def _with(network: Network, weights: list[npt.NDArray[np.int8]], bias: int) -> Network:
    """The same shape with other contents; `bias` goes to every neuron."""
    couplings = [
        DenseCoupling(c.pre, c.post, weight.astype(np.int8), c.fraction_bits, c.weight_format)
        for c, weight in zip(network.couplings, weights, strict=True)
    ]
    biases = {p.name: np.full(p.size, bias, dtype=np.int32) for p in network.relaxing}
    return Network(
        network.populations, tuple(couplings), biases, network.schedule, network.beta_shift
    )


def _steepest(network: Network, sign: int) -> Network:
    """All weights and biases at their limits: the ends of every accumulator."""
    weights = []
    for coupling in network.couplings:
        weight = np.full(coupling.parameters.shape, sign * coupling.weight_format.limit)
        if coupling.is_self_coupling:
            np.fill_diagonal(weight, 0)
        weights.append(weight)
    values = np.concatenate([network.biases[p.name] for p in network.relaxing])
    return _with(network, weights, int(values.max() if sign > 0 else values.min()))


def _climbing(network: Network) -> Network:
    """Pairs of neurons that lift each other by one in each sweep: the longest relaxations."""
    weights = []
    for coupling in network.couplings:
        weight = np.zeros(coupling.parameters.shape)
        if network.input.name != coupling.pre and not coupling.is_self_coupling:
            np.fill_diagonal(weight, 1 << coupling.fraction_bits)
        weights.append(weight)
    return _with(network, weights, 1 << network.accumulator_fraction_bits(network.output.name))


def _ternary() -> Network:
    rng = np.random.default_rng(11)
    populations = (
        Population("input", 4, Role.INPUT, 2),
        Population("hidden", 5, Role.HIDDEN, 3),
        Population("output", 3, Role.OUTPUT, 3),
    )
    first, second = rng.integers(-1, 2, (4, 5)), rng.integers(-1, 2, (5, 3))
    biases = {p.name: rng.integers(-4, 4, p.size).astype(np.int32) for p in populations[1:]}
    couplings = (
        DenseCoupling("input", "hidden", first.astype(np.int8), 1, TERNARY),
        DenseCoupling("hidden", "output", second.astype(np.int8), 0, TERNARY),
    )
    return Network(populations, couplings, biases, Schedule.PARITY, beta_shift=0)


def _mixed() -> Network:
    rng = np.random.default_rng(12)
    populations = (
        Population("input", 3, Role.INPUT, 3, signed=True),
        Population("hidden1", 3, Role.HIDDEN, 2),
        Population("hidden2", 2, Role.HIDDEN, 3, signed=True),
        Population("output", 3, Role.OUTPUT, 3),
    )
    upper = np.triu(rng.integers(-1, 2, (3, 3)), 1)
    drawn = (
        ("input", "hidden1", rng.integers(-1, 2, (3, 3)), 1, TERNARY),
        ("hidden1", "hidden1", upper + upper.T, 0, TERNARY),
        ("hidden1", "hidden2", rng.integers(-3, 4, (3, 2)), 1, INT8),
        ("hidden2", "output", rng.integers(-3, 4, (2, 3)), 1, INT8),
    )
    couplings = tuple(
        DenseCoupling(pre, post, weight.astype(np.int8), fraction_bits, kind)
        for pre, post, weight, fraction_bits, kind in drawn
    )
    biases = {p.name: rng.integers(-8, 8, p.size).astype(np.int32) for p in populations[1:]}
    return Network(populations, couplings, biases, Schedule.SEQUENTIAL, beta_shift=1)


def _int8() -> Network:
    rng = np.random.default_rng(14)
    populations = (
        Population("input", 6, Role.INPUT, 2),
        Population("hidden", 6, Role.HIDDEN, 3, signed=True),
        Population("output", 4, Role.OUTPUT, 3),
    )
    first, second = rng.integers(-5, 6, (6, 6)), rng.integers(-5, 6, (6, 4))
    biases = {p.name: rng.integers(-8, 8, p.size).astype(np.int32) for p in populations[1:]}
    couplings = (
        DenseCoupling("input", "hidden", first.astype(np.int8), 2, INT8),
        DenseCoupling("hidden", "output", second.astype(np.int8), 2, INT8),
    )
    return Network(populations, couplings, biases, Schedule.PARITY, beta_shift=3)
