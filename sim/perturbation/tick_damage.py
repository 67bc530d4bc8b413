"""Faults that happen while a phase runs, tick by tick, from one list drawn before it.

The list is finite (ticks `first_tick` .. `last_tick`), so after its last line the energy argument
holds again, and the phase ends by itself, once settled, after that tick.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.faults import ACCUMULATOR_BITS, Fault
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.operations import message_bits
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.layer import PhaseLayer
from toreq_hw.sim.perturbation.random_values import pick

MAX_LINES = 20_000_000
"""Longest list drawn: 800 MB."""


@dataclass(frozen=True)
class TickFaults(PhaseLayer):
    """In every tick of the window each place is hit with probability `level`."""

    first_tick: int = 1
    last_tick: int = 8

    fault: ClassVar[Fault]
    quiescence: ClassVar[str] = "guaranteed once `last_tick` is over"

    def __post_init__(self) -> None:
        super().__post_init__()
        window = (self.first_tick, self.last_tick)
        if not all(isinstance(t, int) for t in window) or not 1 <= window[0] <= window[1] < 1 << 20:
            raise InputError(
                f"first_tick and last_tick of {self.kind} must be 1 <= first <= last, "
                f"not {self.first_tick!r} and {self.last_tick!r}"
            )

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Draws the lines of every population, in file order."""
        rng = self.generator()
        rows = [self._lines(network, p.name, batch, rng) for p in self.populations(network)]
        return disturbance.with_faults(np.concatenate(rows))

    def bits_of(self, network: Network, name: str) -> int:
        """How many bits of one neuron can be hit; 1 where the fault has no bit."""
        return 1

    def _lines(
        self, network: Network, name: str, batch: int, rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        population = network.population(name)
        bits = self.bits_of(network, name)
        sample, tick, neuron, bit = self.hits(population.size, bits, batch, rng)
        neuron += Layout(network).of(population).start
        what = np.full(len(tick), self.fault)
        return np.stack([sample, tick, neuron, what, bit], axis=1)

    def hits(
        self, places: int, bits: int, batch: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], ...]:
        """Samples, ticks, places below `places` and bits below `bits` that are hit, in order.

        Returns four int64 (hits,). Raises InputError for more than MAX_LINES.
        """
        ticks = self.last_tick - self.first_tick + 1
        count = batch * ticks * places * bits
        if count * self.level > MAX_LINES:
            raise InputError(
                f"{self.kind}: at most {MAX_LINES} faults are drawn at once, expected "
                f"{count * self.level:.0f}; use fewer samples or ticks"
            )
        when, bit = np.divmod(pick(rng, count, self.level), bits)
        when, place = np.divmod(when, places)
        sample, tick = np.divmod(when, ticks)
        return sample, tick + self.first_tick, place, bit


@dataclass(frozen=True)
class StateUpset(TickFaults):
    """Bits of states flip and the neighbours feel it at once (a dense or analog machine)."""

    kind: ClassVar[str] = "state_upset"
    unit: ClassVar[str] = "probability per state bit and tick"
    on_settled: ClassVar[bool] = True
    fault: ClassVar[Fault] = Fault.STATE_FLIP

    def bits_of(self, network: Network, name: str) -> int:
        """The state's bits."""
        return network.population(name).state_bits


@dataclass(frozen=True)
class SilentUpset(StateUpset):
    """Bits of state registers flip and nobody is told (a memory upset in an event machine).

    At its next update the neuron returns, and sends the difference from the *corrupt* register:
    its neighbours' accumulators stay wrong until the next sample is presented.
    """

    kind: ClassVar[str] = "silent_upset"
    fault: ClassVar[Fault] = Fault.SILENT_FLIP


@dataclass(frozen=True)
class AccumulatorUpset(TickFaults):
    """Bits of accumulators flip and stay flipped: an incremental sum never forgets.

    A constant offset is a bias, and relaxation with biases ends; but a sum pushed next to the end
    of its 32 bits wraps round with the next event, and that no energy forbids.
    """

    kind: ClassVar[str] = "accumulator_upset"
    unit: ClassVar[str] = "probability per accumulator bit and tick"
    quiescence: ClassVar[str] = "not guaranteed (sums may wrap); the limit on sweeps ends the phase"
    on_settled: ClassVar[bool] = True
    fault: ClassVar[Fault] = Fault.ACCUMULATOR_FLIP

    def bits_of(self, network: Network, name: str) -> int:
        """The bits of the contract's accumulator, the sign included."""
        return ACCUMULATOR_BITS


@dataclass(frozen=True)
class DroppedEvents(TickFaults):
    """Events that are sent and received by nobody."""

    kind: ClassVar[str] = "dropped_events"
    unit: ClassVar[str] = "probability per event"
    full_damage: ClassVar[float | None] = 1.0
    fault: ClassVar[Fault] = Fault.EVENT_DROP


@dataclass(frozen=True)
class DuplicatedEvents(TickFaults):
    """Events that everybody receives twice."""

    kind: ClassVar[str] = "duplicated_events"
    unit: ClassVar[str] = "probability per event"
    fault: ClassVar[Fault] = Fault.EVENT_DUPLICATE


@dataclass(frozen=True)
class MessageBitFlip(TickFaults):
    """Bits of event messages arrive inverted; first_tick = last_tick happens once.

    A message is a change of state, one bit wider than a state. The sender keeps its right state,
    so the sums of its neighbours stay wrong until the next sample is presented.
    """

    kind: ClassVar[str] = "message_bit_flip"
    unit: ClassVar[str] = "probability per message bit of an event"
    fault: ClassVar[Fault] = Fault.EVENT_FLIP

    def bits_of(self, network: Network, name: str) -> int:
        """The message's bits."""
        return message_bits(network.population(name))
