"""What the compiled disturbed engine works on: a `Disturbance` in arrays, and its registers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.sim.plan import Ints, Plan


class Damage(NamedTuple):
    """A `Disturbance` in arrays. first_fault: int64 (batch + 1,), where each sample's lines begin
    in `faults`. noise: int64 (sources, 3) of octaves, last tick, seed; scale: (sources, neurons).
    plain: neurons whose update nothing but noise can touch. simple: blocks of neurons that are
    plain or stuck. noise_until: the last noisy tick. garbles: whether any bit of any message is
    inverted for good. reads: int64 (n, 5), the fields of `ReadNoise`. stuck_bits: int32
    (neurons, 2), accumulator bits stuck at 0 and at 1. flips: int64 (n, 5), see
    `weight_flips.stored`; first_flip: where each sample's begin.
    """

    stuck: npt.NDArray[np.int16]
    inverted: npt.NDArray[np.int16]
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
    garbled: npt.NDArray[np.int16]
    garbles: bool
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
    garbled: which bits of its message arrive inverted; squares: per population, those of all
    changes that this tick delivered, the input last.
    """

    accumulator: npt.NDArray[np.int32]
    population: Ints
    times: Ints
    garbled: Ints
    squares: Ints


def new_registers(plan: Plan) -> Registers:
    """Fresh working memory; `population` says where each neuron belongs."""
    neurons = len(plan.bias)
    numbers = np.arange(len(plan.population_size))
    return Registers(
        accumulator=np.empty(neurons, dtype=np.int32),
        population=np.repeat(numbers, plan.population_size).astype(np.int64),
        times=np.ones(neurons, dtype=np.int64),
        garbled=np.zeros(neurons, dtype=np.int64),
        squares=np.zeros(len(plan.population_size) + 1, dtype=np.int64),
    )
