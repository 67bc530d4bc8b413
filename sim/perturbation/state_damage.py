"""Standing states disturbed once: the equilibrium is knocked away and relaxes again.

The neighbours feel the new states (their accumulators follow). What happens next is the plain
relaxation of docs/numerics.md, on every engine, and always ends by itself.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import flip_state
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Population
from toreq_hw.sim.perturbation.layer import StartLayer, States
from toreq_hw.sim.perturbation.random_values import pick


def flip_states(
    states: npt.NDArray[np.int16], mask: npt.NDArray[np.int16], population: Population
) -> npt.NDArray[np.int16]:
    """State words XOR mask as the population's registers read them; see `flip_state`.

    All of one shape.
    """
    read = flip_state(states, mask, population.state_min, population.state_max)
    flipped: npt.NDArray[np.int16] = read.astype(np.int16)
    return flipped


@dataclass(frozen=True)
class StateBitFlip(StartLayer):
    """Each bit of each relaxing neuron's state flips once with probability `level`."""

    kind: ClassVar[str] = "state_bit_flip"
    unit: ClassVar[str] = "probability per state bit"

    def disturb(self, network: Network, states: States) -> States:
        """Draws sample by sample, population by population in file order; shapes stay."""
        rng = self.generator()
        result = dict(states)
        for population in self.populations(network):
            before = states[population.name]
            bits = population.state_bits
            hits = pick(rng, before.size * bits, self.level)
            mask = np.zeros(before.size, dtype=np.int16)
            np.bitwise_xor.at(mask, hits // bits, np.left_shift(1, hits % bits).astype(np.int16))
            result[population.name] = flip_states(before, mask.reshape(before.shape), population)
        return result


@dataclass(frozen=True)
class SingleStateFlip(StartLayer):
    """In each sample, bit round(level) - 1 of one random relaxing neuron flips (level 0: none).

    A population with fewer state bits is not chosen.
    """

    kind: ClassVar[str] = "single_state_flip"
    unit: ClassVar[str] = "number of the bit, 1 the lowest, 0 for none"
    domain: ClassVar[tuple[float, float]] = (0.0, 8.0)

    def disturb(self, network: Network, states: States) -> States:
        """One neuron a sample, each equally likely; shapes stay."""
        bit = round(self.level) - 1
        if bit < 0:
            return states
        chosen = [p for p in self.populations(network) if p.state_bits > bit]
        if not chosen:
            raise InputError(f"level of {self.kind} must be a bit that states have, not {bit + 1}")
        rng = self.generator()
        result = {name: s.copy() for name, s in states.items()}
        batch = len(next(iter(states.values())))
        neurons = rng.integers(0, sum(p.size for p in chosen), batch)
        first = 0
        for population in chosen:
            here = np.flatnonzero((neurons >= first) & (neurons < first + population.size))
            where = (here, neurons[here] - first)
            mask = np.full(len(here), 1 << bit, dtype=np.int16)
            result[population.name][where] = flip_states(
                states[population.name][where], mask, population
            )
            first += population.size
        return result


@dataclass(frozen=True)
class StateNoise(StartLayer):
    """Every state moves by a uniform integer within +-level * (s_max - s_min), and is clipped."""

    kind: ClassVar[str] = "state_noise"
    unit: ClassVar[str] = "largest move over the range of states"

    def disturb(self, network: Network, states: States) -> States:
        """One draw a neuron and sample; shapes stay."""
        rng = self.generator()
        result = dict(states)
        for population in self.populations(network):
            low, high = population.state_min, population.state_max
            largest_move = round(self.level * (high - low))
            before = states[population.name]
            moves = rng.integers(-largest_move, largest_move + 1, before.shape)
            result[population.name] = np.clip(before + moves, low, high).astype(np.int16)
        return result
