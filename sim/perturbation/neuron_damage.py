"""Neurons and colours that stop working for a whole phase."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from toreq_hw.contract.faults import ACCUMULATOR_BITS
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.operations import message_bits
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Population
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.layer import PhaseLayer
from toreq_hw.sim.perturbation.random_values import exactly, pick


@dataclass(frozen=True)
class DeadNeurons(PhaseLayer):
    """A fraction `level` of the neurons keeps one state from the start, whatever it receives.

    value: "zero", "maximum", or a state. Acts on hidden neurons unless `place` names the output.
    A constant neuron is a constant drive for the others: quiescence stays guaranteed.
    """

    value: str | int = "zero"

    kind: ClassVar[str] = "dead_neurons"
    unit: ClassVar[str] = "fraction of hidden neurons"
    full_damage: ClassVar[float | None] = 1.0

    def stuck_at(self, population: Population) -> int:
        """The state that dead neurons of a population keep. Raises InputError."""
        named = {"zero": 0, "maximum": population.state_max}
        value = named.get(self.value, self.value) if isinstance(self.value, str) else self.value
        if not isinstance(value, int) or not population.state_min <= value <= population.state_max:
            raise InputError(
                f"value of {self.kind} must be zero, maximum or a state in "
                f"{population.state_min}..{population.state_max}, not {self.value!r}"
            )
        return value

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Sticks round(level * size) neurons of each population."""
        rng = self.generator()
        layout = Layout(network)
        stuck = disturbance.stuck.copy()
        for population in self.populations(network, output=False):
            dead = exactly(rng, population.size, self.level)
            stuck[layout.of(population).start + dead] = self.stuck_at(population)
        return replace(disturbance, stuck=stuck)


@dataclass(frozen=True)
class StuckStateBits(PhaseLayer):
    """Each bit of each state register is, with probability `level`, written inverted for good.

    A staircase with an inverted bit is not monotone, so the energy argument fails and a phase
    may never fall quiet: the limit on sweeps ends it then, and the record says so.
    """

    kind: ClassVar[str] = "stuck_state_bits"
    unit: ClassVar[str] = "probability per state bit"
    quiescence: ClassVar[str] = "not guaranteed; the limit on sweeps ends the phase"

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """One map of inverted bits for the whole batch."""
        rng = self.generator()
        layout = Layout(network)
        state_xor_mask = disturbance.state_xor_mask.copy()
        for population in self.populations(network):
            bits = population.state_bits
            hits = pick(rng, bits * population.size, self.level)
            neurons = layout.of(population).start + hits // bits
            np.bitwise_xor.at(
                state_xor_mask, neurons, np.left_shift(1, hits % bits).astype(np.int16)
            )
        return replace(disturbance, state_xor_mask=state_xor_mask)


@dataclass(frozen=True)
class StuckMessageBits(PhaseLayer):
    """Each bit of each neuron's message wires is, with probability `level`, inverted for good.

    What a neuron sends and what its neighbours hear drift apart with every event: there is no
    energy, and a phase may never fall quiet; the limit on sweeps ends it then.
    """

    kind: ClassVar[str] = "stuck_message_bits"
    unit: ClassVar[str] = "probability per message bit of a neuron"
    quiescence: ClassVar[str] = "not guaranteed; the limit on sweeps ends the phase"

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """One map of inverted wires for the whole batch."""
        rng = self.generator()
        layout = Layout(network)
        message_xor_mask = disturbance.message_xor_mask.copy()
        for population in self.populations(network):
            bits = message_bits(population)
            hits = pick(rng, bits * population.size, self.level)
            neurons = layout.of(population).start + hits // bits
            np.bitwise_xor.at(
                message_xor_mask, neurons, np.left_shift(1, hits % bits).astype(np.int16)
            )
        return replace(disturbance, message_xor_mask=message_xor_mask)


@dataclass(frozen=True)
class StuckAccumulatorBits(PhaseLayer):
    """A fraction `level` of the accumulators' bits is stuck, each at 0 or 1 by a fair coin.

    Every update of the phase reads its sum, a 32-bit two's complement word, with these bits; the
    sum itself stays exact, and events go on adding to it. A staircase read through stuck bits is
    not monotone, so the energy argument fails: the limit on sweeps ends a phase that never falls
    quiet. Bits F - 2 and lower, below the rounding half, show in a state only through noise or a
    converter.
    """

    kind: ClassVar[str] = "stuck_accumulator_bits"
    unit: ClassVar[str] = "fraction of accumulator bits"
    quiescence: ClassVar[str] = "not guaranteed; the limit on sweeps ends the phase"
    full_damage: ClassVar[float | None] = 1.0

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Sticks round(level * 32 * size) bits of each population, for the whole batch."""
        rng = self.generator()
        layout = Layout(network)
        words = disturbance.stuck_bits.view(np.uint32).copy()
        for population in self.populations(network):
            count = ACCUMULATOR_BITS * population.size
            broken = exactly(rng, count, self.level)
            value = rng.integers(0, 2, count)[: len(broken)]
            neurons = layout.of(population).start + broken // ACCUMULATOR_BITS
            bit = np.left_shift(1, broken % ACCUMULATOR_BITS).astype(np.uint32)
            np.bitwise_or.at(words, (neurons, value), bit)
            np.bitwise_and.at(words, (neurons, 1 - value), ~bit)
        return replace(disturbance, stuck_bits=words.view(np.int32))


@dataclass(frozen=True)
class FrozenColour(PhaseLayer):
    """From tick round(level) on, colour `colour` is no longer updated (level 0: never).

    Its neurons become constants, so quiescence stays guaranteed.
    """

    colour: int = 0

    kind: ClassVar[str] = "frozen_colour"
    unit: ClassVar[str] = "first tick without updates, 0 for none"
    domain: ClassVar[tuple[float, float]] = (0.0, 1e6)

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Freezes one colour. Raises InputError for a colour the network has not."""
        colours = len(network.colours)
        if not isinstance(self.colour, int) or not 0 <= self.colour < colours:
            raise InputError(
                f"colour of {self.kind} must be in 0..{colours - 1}, not {self.colour!r}"
            )
        frozen = disturbance.frozen_from.copy()
        if self.level > 0:
            frozen[self.colour] = min(frozen[self.colour], max(1, round(self.level)))
        return replace(disturbance, frozen_from=frozen)
