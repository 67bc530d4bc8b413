"""Cores that learn and what they are given: shapes, rates, latents, samples, drawn from seeds."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.learning import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT, LATENT_BITS, LATENT_LIMIT
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.rtl.learning.state import LearnedState, kept_bits
from toreq_hw.rtl.learning.tables import HIGHEST_RATE, LOWEST_RATE
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Rule

TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8

FAR_SEED, SILENT_SEED = 3, 8
"""Of so many seeds the last has biases at the ends, or a hidden population that stays at 0."""


@dataclass(frozen=True)
class LearningShape:
    """A core that learns. choices: keyword arguments of `CoreParameters.of` beyond the lanes."""

    name: str
    network: Network
    lanes: int
    choices: dict[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> CoreParameters:
        """Of the core."""
        return CoreParameters.of(self.network, self.lanes, **self.choices)


@dataclass(frozen=True)
class Task:
    """What one core learns: from `state`, by `rule`, samples in order.

    inputs: int16 (samples, input.size); labels: int64 (samples,).
    """

    state: LearnedState
    rule: Rule
    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]


def shape_of(
    name: str,
    lanes: int,
    populations: tuple[tuple[int, int, bool], ...],
    couplings: tuple[tuple[int, int, WeightFormat, int], ...],
    schedule: Schedule = Schedule.PARITY,
    beta_shift: int = 0,
    **choices: Any,
) -> LearningShape:
    """populations: (size, state_bits, signed), the input first; couplings: (pre, post, format,
    fraction bits), ends by number.
    """
    last = len(populations) - 1
    roles = [Role.INPUT, *[Role.HIDDEN] * (last - 1), Role.OUTPUT]
    own = tuple(
        Population(f"p{number}", size, role, bits, signed=signed)
        for number, ((size, bits, signed), role) in enumerate(zip(populations, roles, strict=True))
    )
    dense = tuple(
        DenseCoupling(
            own[pre].name,
            own[post].name,
            np.zeros((own[pre].size, own[post].size), dtype=np.int8),
            fraction_bits,
            kind,
        )
        for pre, post, kind, fraction_bits in couplings
    )
    return LearningShape(name, Network(own, dense, {}, schedule, beta_shift), lanes, choices)


SHAPES = (
    shape_of(
        "single-port",
        4,
        ((12, 8, False), (9, 8, False), (5, 8, False)),
        ((0, 1, INT8, 6), (1, 2, INT8, 7)),
        learn_lanes=1,
        initialised=False,
    ),
    shape_of(
        "deep-mixed",
        8,
        ((11, 8, False), (10, 8, False), (9, 6, True), (7, 5, False), (5, 8, False)),
        ((0, 1, TERNARY, 3), (1, 2, INT8, 6), (2, 3, INT8, 6), (3, 4, TERNARY, 2)),
        learn_lanes=2,
        update_lanes=4,
        latent_bits={"p0-p1": 8, "p1-p2": 12, "p2-p3": 12, "p3-p4": 11},
        accumulator_register=True,
    ),
    shape_of(
        "signed-ternary",
        4,
        ((10, 7, True), (11, 8, True), (6, 8, True)),
        ((0, 1, TERNARY, 3), (1, 2, TERNARY, 3)),
        beta_shift=1,
        learn_lanes=4,
        latent_bits=8,
    ),
    shape_of(
        "skips",
        8,
        ((9, 4, False), (13, 8, False), (6, 8, False), (5, 8, True)),
        ((0, 1, INT8, 6), (1, 2, INT8, 9), (1, 3, INT8, 9), (2, 3, INT8, 9), (0, 3, INT8, 6)),
        Schedule.SEQUENTIAL,
        learn_lanes=8,
        latent_bits=9,
        initialised=False,
    ),
    shape_of(
        "far-biases",
        4,
        ((8, 8, False), (7, 8, False), (6, 8, True)),
        ((0, 1, INT8, 15), (0, 2, INT8, 8), (1, 2, INT8, 15)),
        learn_lanes=2,
        update_lanes=2,
    ),
    shape_of(
        "single-bits",
        2,
        ((3, 1, False), (2, 1, False), (3, 2, True), (1, 1, False)),
        ((0, 1, TERNARY, 0), (1, 2, TERNARY, 0), (2, 3, TERNARY, 1)),
        learn_lanes=1,
        latent_bits=10,
    ),
    shape_of(
        "loops",
        4,
        ((7, 8, False), (11, 8, False), (4, 8, True)),
        ((0, 1, INT8, 7), (1, 1, INT8, 7), (1, 2, TERNARY, 3), (2, 2, TERNARY, 3)),
        Schedule.SEQUENTIAL,
        learn_lanes=2,
        latent_bits={"p0-p1": 16, "p1-p1": 16, "p1-p2": 10, "p2-p2": 10},
        accumulator_register=True,
    ),
    shape_of("no-hidden", 2, ((5, 8, False), (4, 8, False)), ((0, 1, INT8, 7),), learn_lanes=2),
)
"""Between them: each number of learn lanes, one and two ports, all depths, both formats, skips,
self-couplings, signed and unsigned, 8 to 16 latent bits, the last chunk whole and in part, with an
accumulator register and without.
"""


SMALL = shape_of(
    "small",
    4,
    ((5, 8, False), (6, 8, False), (3, 8, False)),
    ((0, 1, INT8, 6), (1, 2, TERNARY, 3)),
    learn_lanes=2,
    update_lanes=2,
    latent_bits={"p0-p1": 12, "p1-p2": 8},
    initialised=False,
)
"""For simulators that are slow: both kinds of store, both formats."""


def task_of(shape: LearningShape, seed: int, samples: int) -> Task:
    """Rates, latents, biases, generator and samples; of some seeds, everything is at an end."""
    rng = np.random.default_rng(seed)
    network, bits = shape.network, kept_bits(shape.parameters)
    rule = _rule(rng, network, bits, seed)
    latents = {c.name: c.mirrored(_latents(rng, c.shape, bits[c.name])) for c in network.couplings}
    biases = {p.name: _biases(rng, network, p, seed) for p in network.relaxing}
    if seed % SILENT_SEED == SILENT_SEED - 1 and len(network.relaxing) > 2:
        silent = network.relaxing[1].name
        biases[silent] = np.full_like(biases[silent], -BIAS_LATENT_LIMIT)
    generator = int(rng.integers(1, 1 << 32))
    population = network.input
    inputs = rng.integers(
        population.state_min, population.state_max + 1, (samples, population.size), dtype=np.int16
    )
    inputs[rng.random(inputs.shape) < 0.4] = 0
    far = int(seed % FAR_SEED == FAR_SEED - 1)  # before anything drives biases away from the ends
    inputs[far], inputs[1 - far] = 0, population.state_max
    labels = rng.integers(0, network.output.size, samples)
    return Task(LearnedState(latents, biases, generator), rule, inputs, labels)


def _rule(rng: np.random.Generator, network: Network, bits: dict[str, int], seed: int) -> Rule:
    """The first seeds have the lowest and the highest rates a core can do."""
    shifts = {}
    for name, own in bits.items():
        dropped = LATENT_BITS - own
        low, high = max(0, LOWEST_RATE - dropped), min(own, HIGHEST_RATE - dropped)
        drawn = int(rng.integers(low, high + 1))
        shifts[name] = (low, high, drawn)[min(seed, 2) % 3]
    biases = {
        p.name: (LOWEST_RATE, HIGHEST_RATE, int(rng.integers(LOWEST_RATE, HIGHEST_RATE + 1)))[
            min(seed, 2) % 3
        ]
        for p in network.relaxing
    }
    if seed % FAR_SEED == FAR_SEED - 1:
        biases = dict.fromkeys(biases, LOWEST_RATE)
    theta = int(rng.integers(1, LATENT_LIMIT + 1)) if seed > 3 else 4096
    if seed % 2:  # each bit alone in turn
        theta = 1 << seed // 2 % (LATENT_BITS - 1)
    return Rule(
        shift=min(5, *bits.values()),
        shifts=shifts,
        bias_shifts=biases,
        theta=theta,
        own_latent_bits=dict(bits),
    )


def _latents(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> npt.NDArray[np.int16]:
    """Some anywhere, some at the very ends, some around the usual threshold and near 0."""
    dropped = LATENT_BITS - bits
    limit = LATENT_LIMIT >> dropped
    anywhere = rng.integers(-limit, limit + 1, shape)
    ends = rng.choice(np.array([-limit, limit, 1 - limit, limit - 1]), shape)
    near = rng.choice(np.array([-1, 0, 1]), shape) * (4096 >> dropped) + rng.integers(-2, 3, shape)
    kind = rng.integers(0, 3, shape)
    chosen = np.where(kind == 0, anywhere, np.where(kind == 1, ends, near))
    latents: npt.NDArray[np.int16] = (chosen << dropped).astype(np.int16)
    return latents


def _biases(
    rng: np.random.Generator, network: Network, population: Population, seed: int
) -> npt.NDArray[np.int32]:
    """Bias latents: such that neurons can move; of every third seed, most of them at the ends."""
    half_range = (population.state_max + 1) << network.accumulator_fraction_bits(population.name)
    limit = min(BIAS_LATENT_LIMIT, half_range << BIAS_GUARD_BITS - 1)
    drawn = rng.integers(-limit, limit + 1, population.size)
    ends = rng.choice(np.array([-1, 1]), population.size) * BIAS_LATENT_LIMIT
    at_end = (rng.random(population.size) < 0.8) & (seed % FAR_SEED == FAR_SEED - 1)
    latents: npt.NDArray[np.int32] = np.where(at_end, ends, drawn).astype(np.int32)
    return latents
