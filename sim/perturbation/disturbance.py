"""A phase's misfortunes, spelled out: which neuron, which tick, what happens.

Everything digital is drawn before the phase starts and listed, so that a list, once made, can be
replayed on any machine. Only analog noise is drawn on the way, from a hash of (seed, sample,
tick, neuron): it too is the same whoever computes it, and in whatever order.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.faults import FREE, NEVER
from toreq_hw.contract.layout import Layout
from toreq_hw.network import Network


class Noise(NamedTuple):
    """Analog noise that each update of a neuron sees on its accumulator (and does not keep).

    scale: int64 (neurons,), standard deviation in 1/256 of an accumulator LSB. octaves: 1 is white;
    K sums K noises held for 1, 2, 4 .. 2^(K-1) ticks (1/f). last_tick: none after it.
    """

    scale: npt.NDArray[np.int64]
    octaves: int
    last_tick: int
    seed: int


class ReadNoise(NamedTuple):
    """Noise of reading weights: whatever is delivered along one direction of a coupling in a tick
    leaves an error in each accumulator it reaches, which stays.

    source, target: numbers of relaxing populations, -1 the input. scale: standard deviation, in
    1/256 of the target's accumulator LSB, that a change of 1 leaves; changes add in squares.
    """

    source: int
    target: int
    scale: int
    last_tick: int
    seed: int

    def deviation(self, delta_square_sum: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Of reads whose changes have this sum of squares, in 1/256 LSB.

        Any shape; returns int64 of the same shape.
        """
        return (self.scale * np.sqrt(delta_square_sum)).astype(np.int64)


@named_type_errors
@dataclass(frozen=True, eq=False)
class Disturbance:
    """Neurons are global, in `Layout` order; ticks count from 1.

    stuck: int16 (neurons,), the state a dead neuron keeps from the start on, or `FREE`.
    state_xor_mask: int16 (neurons,), mask of state bits that are written inverted at every update.
    frozen_from: int64 (colours,), the first tick in which a colour is no longer updated.
    converter: int64 (neurons, 4): ADC step shift, lowest and highest accumulator it gives, DAC
        step shift; a shift of 0 and the widest range change nothing.
    faults: int64 (n, 5), rows of sample, tick, neuron, `Fault`, bit; sorted.
    message_xor_mask: int16 (neurons,), mask of message bits that arrive inverted in every event.
    stuck_bits: int32 (neurons, 2), masks of the accumulator bits that every update reads as 0,
        and as 1, whatever the sum holds; no bit is in both.
    weight_flips: int64 (n, 5), rows of sample, tick, number of the coupling, parameter (of a
        dense self-coupling right of the diagonal), bit of its word; by sample and tick. They take
        effect at the start of their tick, before its `faults`, and stay to the end of the sample.
    """

    stuck: npt.NDArray[np.int16]
    state_xor_mask: npt.NDArray[np.int16]
    frozen_from: npt.NDArray[np.int64]
    converter: npt.NDArray[np.int64]
    faults: npt.NDArray[np.int64]
    message_xor_mask: npt.NDArray[np.int16]
    stuck_bits: npt.NDArray[np.int32]
    weight_flips: npt.NDArray[np.int64]
    noise: tuple[Noise, ...] = ()
    reads: tuple[ReadNoise, ...] = ()

    @classmethod
    def none(cls, network: Network) -> "Disturbance":
        """Nothing goes wrong."""
        neurons = Layout(network).neurons
        widest = np.iinfo(np.int32)
        return cls(
            stuck=np.full(neurons, FREE, dtype=np.int16),
            state_xor_mask=np.zeros(neurons, dtype=np.int16),
            frozen_from=np.full(len(network.colours), NEVER, dtype=np.int64),
            converter=np.tile(np.array([0, widest.min, widest.max, 0], np.int64), (neurons, 1)),
            faults=np.zeros((0, 5), dtype=np.int64),
            message_xor_mask=np.zeros(neurons, dtype=np.int16),
            stuck_bits=np.zeros((neurons, 2), dtype=np.int32),
            weight_flips=np.zeros((0, 5), dtype=np.int64),
        )

    def with_faults(self, rows: npt.NDArray[np.int64]) -> "Disturbance":
        """The same with more lines, int64 (n, 5), in any order."""
        joined = np.concatenate([self.faults, rows])
        order = np.lexsort(joined.T[::-1])
        return replace(self, faults=joined[order])

    def with_weight_flips(self, rows: npt.NDArray[np.int64]) -> "Disturbance":
        """The same with more flips of weight bits, int64 (n, 5), in any order."""
        joined = np.concatenate([self.weight_flips, rows])
        return replace(self, weight_flips=joined[np.lexsort(joined.T[::-1])])

    @property
    def sound(self) -> npt.NDArray[np.bool_]:
        """Neurons whose update has no stuck or inverted bit and no converter, bool (neurons,)."""
        widest = np.iinfo(np.int32)
        exact = (self.converter == (0, widest.min, widest.max, 0)).all(axis=1)
        whole = (self.state_xor_mask == 0) & ~self.stuck_bits.any(axis=1)
        sound: npt.NDArray[np.bool_] = whole & exact
        return sound

    @property
    def quiet_after(self) -> int:
        """The last tick in which noise or a listed fault acts of itself (0: none).

        Reads need an event, so noise on them and flips of weights hold up no quiet sweep.
        """
        last = max((n.last_tick for n in self.noise), default=0)
        return max(last, int(self.faults[:, 1].max(initial=0)))
