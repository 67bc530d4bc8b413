"""What the compiled disturbed engine works on: a `Disturbance` in arrays, and its registers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.faults import FREE
from toreq_hw.network import Network
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.weight_flips import stored_lines
from toreq_hw.sim.plan import Ints, Plan
from toreq_hw.sim.start import Start


class Damage(NamedTuple):
    """A `Disturbance` in arrays. first_fault: int64 (batch + 1,), where each sample's lines begin
    in `faults`. noise: int64 (sources, 3) of octaves, last tick, seed; scale: (sources, neurons).
    plain: neurons whose update nothing but noise can touch. simple: blocks of neurons that are
    plain or stuck. noise_until: the last noisy tick. masks_messages: whether any bit of any
    message is inverted for good. reads: int64 (n, 5), the fields of `ReadNoise`. stuck_bits: int32
    (neurons, 2), accumulator bits stuck at 0 and at 1. flips: int64 (n, 5), see
    `weight_flips.stored_lines`; first_flip: where each sample's begin.
    """

    stuck: npt.NDArray[np.int16]
    state_xor_mask: npt.NDArray[np.int16]
    frozen_from: Ints
    converter: Ints
    faults: Ints
    first_fault: Ints
    quiet_after: int
    noise: Ints
    scale: Ints
    plain: npt.NDArray[np.bool_]
    simple: npt.NDArray[np.bool_]
    noise_until: int
    message_xor_mask: npt.NDArray[np.int16]
    masks_messages: bool
    reads: Ints
    stuck_bits: npt.NDArray[np.int32]
    flips: Ints
    first_flip: Ints


class Presented(NamedTuple):
    """A batch as it starts, see `relaxation.Start`. inputs: int16 (batch, input.size); drive: int32
    (batch, output.size or 0).
    """

    inputs: npt.NDArray[np.int16]
    drive: npt.NDArray[np.int32]
    max_sweeps: int
    continued: bool


class Registers(NamedTuple):
    """Working memory of one thread. times: how often each neuron's event of this tick arrives;
    message_xor_mask: which bits of its message arrive inverted. delta_square_sum: per population,
    the sum of squares of all changes that this tick delivered, the input last.
    """

    accumulator: npt.NDArray[np.int32]
    population: Ints
    times: Ints
    message_xor_mask: Ints
    delta_square_sum: Ints


def new_registers(plan: Plan) -> Registers:
    """Fresh working memory; `population` says where each neuron belongs."""
    neurons = len(plan.bias)
    numbers = np.arange(len(plan.population_size))
    return Registers(
        accumulator=np.empty(neurons, dtype=np.int32),
        population=np.repeat(numbers, plan.population_size).astype(np.int64),
        times=np.ones(neurons, dtype=np.int64),
        message_xor_mask=np.zeros(neurons, dtype=np.int64),
        delta_square_sum=np.zeros(len(plan.population_size) + 1, dtype=np.int64),
    )


def damage_of(network: Network, plan: Plan, given: Disturbance, batch: int) -> Damage:
    """The disturbance of `batch` samples of a network, for its plan."""
    neurons = len(plan.bias)
    simple = given.sound | (given.stuck != FREE)
    blocks = zip(plan.block_start, plan.block_stop, strict=True)
    noise = [(n.octaves, n.last_tick, n.seed) for n in given.noise]
    return Damage(
        stuck=given.stuck,
        state_xor_mask=given.state_xor_mask,
        frozen_from=given.frozen_from,
        converter=given.converter,
        faults=given.faults,
        first_fault=np.searchsorted(given.faults[:, 0], np.arange(batch + 1)),
        quiet_after=given.quiet_after,
        noise=np.array(noise, dtype=np.int64).reshape(-1, 3),
        scale=np.array([n.scale for n in given.noise], dtype=np.int64).reshape(-1, neurons),
        plain=given.sound & (given.stuck == FREE),
        simple=np.array([simple[a:b].all() for a, b in blocks]),
        noise_until=max((n.last_tick for n in given.noise), default=0),
        message_xor_mask=given.message_xor_mask,
        masks_messages=bool(given.message_xor_mask.any()),
        reads=np.array(given.reads, dtype=np.int64).reshape(-1, 5),
        stuck_bits=given.stuck_bits,
        flips=stored_lines(network, plan, given.weight_flips),
        first_flip=np.searchsorted(given.weight_flips[:, 0], np.arange(batch + 1)),
    )


def start_arrays(start: Start) -> Presented:
    """A checked start in arrays."""
    return Presented(
        inputs=start.inputs,
        drive=start.drive,
        max_sweeps=start.max_sweeps,
        continued=start.continued,
    )
