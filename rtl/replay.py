"""A fault map on a core with a fault port: what a bench does each time the core waits.

The core waits between blocks, its pipeline empty. Whatever the map lists for the ticks that come
next is then done: states and accumulators are written into the memories, everything else is a
level on the port. Simulators differ only in how they read and write memories and wires.

Ticks are aligned so: a block is due in the tick of its colour. Before the core starts a block, all
faults of its tick and of the ticks before it have acted; ticks of which no block is due have no
work on the core; their faults act together with those of the next one, in order.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import WORD_SIGN, flip_bits, flip_state, wrap32
from toreq_hw.contract.faults import Fault, faults_by_tick
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.placement import PopulationPlacement

Wide = npt.NDArray[np.int64]
Rows = Mapping[str, Sequence[Sequence[Any]]]
"""Entries of a fault map by name (docs/robustness.md, "Fault maps")."""


@named_type_errors
def replay_parameters(
    network: Network, lanes: int, max_sweeps: int, **choices: Any
) -> CoreParameters:
    """The core of `network` with accumulators of 32 bits, so that a flipped one wraps as the map
    says (docs/robustness.md); a core for use has only as many as sound sums need.

    choices: keyword arguments of `CoreParameters.of` beyond these.

    Raises NetworkError where no core can be made.
    """
    parameters = CoreParameters.of(network, lanes, max_sweeps, **choices)
    return replace(parameters, accumulator_bits=32)


def lasting_levels(rows: Rows, parameters: CoreParameters) -> dict[str, int]:
    """What entries `stuck` and `inverted` of a map put on the port for as long as they last."""
    first = {p.name: p.first_group * parameters.lanes for p in parameters.relaxing}
    stuck = sum(1 << first[name] + k for name, k, _ in rows["stuck"])
    bits = parameters.state_bits
    inverted = sum(mask << bits * (first[name] + k) for name, k, mask in rows["inverted"])
    return {"stuck": stuck, "state_xor_mask": inverted}


@dataclass(frozen=True)
class Wires:
    """Levels of the fault port until the core waits again; see `upset_signature`."""

    set_pending: int
    force_unsettled: bool
    frozen: int
    lost: int
    doubled: int
    message_xor_mask: int


WIRES = tuple(entry.name for entry in fields(Wires))
"""Their names at the port."""


@dataclass
class Replay:
    """One sample of a map.

    network: with the map's weights. rows: the map's other entries. start: int64 (neurons,), where
    the phase begins, before stuck neurons take their places. snapshots: (tick, states) of every
    tick at whose end the core waited.

    Raises InputError for faults at ticks of a population that couples to itself: the core takes
    its neurons in one pass, without a stop between their ticks.
    """

    parameters: CoreParameters
    network: Network
    rows: Rows
    sample: int
    start: Wide
    snapshots: list[tuple[int, list[int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        parameters = self.parameters
        self._colours = len(self.network.colours)
        names = [placement.name for placement in parameters.relaxing]
        self._first = dict(
            zip(names, np.cumsum([0, *(s.size for s in parameters.relaxing)]), strict=False)
        )
        self._halves = np.concatenate(
            [np.full(s.size, s.half, dtype=np.int64) for s in parameters.relaxing]
        )
        self._colour_of = [min(self._colours_of(names[k])) for k in parameters.order]
        self._last_colour_of = [max(self._colours_of(names[k])) for k in parameters.order]
        self._by_tick = faults_by_tick(self.rows["faults"], self.sample, self._first)
        self._quiet_after = max((row[1] for row in self.rows["faults"]), default=0)
        loops = any(placement.self_coupled for placement in parameters.relaxing)
        if loops and (self.rows["faults"] or self.rows["frozen"]):
            raise InputError(
                "faults at ticks must be of networks without self-coupling on the core, which has "
                "no stop between the ticks of such a population"
            )
        self._stuck = {int(self._first[n]) + k: state for n, k, state in self.rows["stuck"]}
        self._begun = False
        self._applied = 0
        self._changed_in = 0

    def levels(self) -> dict[str, int]:
        """`stuck` and `state_xor_mask` of the port, which stand for the whole phase."""
        return lasting_levels(self.rows, self.parameters)

    def step(
        self, states: Wide, accumulators: Wide, sweep: int, position: int, pending_blocks: int
    ) -> Wires:
        """Applies what is due, in place on `states` and `accumulators`, int64 (neurons,).

        accumulators: as the memory holds them, each with its rounding half; a fault acts on the
        sum without. sweep, position, pending_blocks: as the port shows them.
        """
        sums = wrap32(accumulators - self._halves)
        if not self._begun:
            self._begin(states, sums)
        self._note(states, sweep, position)
        blocks = len(self._colour_of)
        frozen = sum(
            (self._tick(sweep, colour) >= self._frozen_from(colour)) << k
            for k, colour in enumerate(self._colour_of)
        )
        set_pending = 0
        while True:
            frozen |= self._over(sweep)
            ahead = (pending_blocks | set_pending) & ~frozen & ~((1 << position) - 1)
            due = next((k for k in range(blocks) if ahead >> k & 1), blocks)
            colour = self._colour_of[due] if due < blocks else self._colours - 1
            last = self._tick(sweep, colour)
            waiting = [tick for tick in sorted(self._by_tick) if self._applied < tick <= last]
            if not waiting:
                break
            self._applied = waiting[0]
            set_pending |= self._apply(states, sums, waiting[0], sweep)
        accumulators[:] = wrap32(sums + self._halves)
        events = self._by_tick.get(last, [])
        return Wires(
            set_pending=set_pending,
            force_unsettled=self._changed_in == sweep
            or (sweep - 1) * self._colours < self._quiet_after,
            frozen=frozen,
            message_xor_mask=self._message_masks(events),
            **self._arrivals(events),
        )

    def _begin(self, states: Wide, accumulators: Wide) -> None:
        """Standing states take their places, and every neighbour has heard of them."""
        self._begun = True
        wanted = self.start.copy()
        for neuron, state in self._stuck.items():
            wanted[neuron] = state
        for neuron in np.flatnonzero(wanted != states).tolist():
            self._deliver(accumulators, neuron, int(wanted[neuron] - states[neuron]))
        states[:] = wanted

    def _apply(self, states: Wide, accumulators: Wide, tick: int, sweep: int) -> int:
        """The faults of one tick on registers; returns the blocks that are due because of them."""
        touched = 0
        for neuron, fault, bit in self._by_tick[tick]:
            if fault == Fault.ACCUMULATOR_FLIP:
                accumulators[neuron] = flip_bits(int(accumulators[neuron]), 1 << bit, WORD_SIGN)
                touched |= self._block_of(neuron)
            elif fault in (Fault.STATE_FLIP, Fault.SILENT_FLIP) and neuron not in self._stuck:
                before = int(states[neuron])
                placement = self._placement_of(neuron)
                states[neuron] = flip_state(
                    before, 1 << bit, placement.state_min, placement.state_max
                )
                delta = int(states[neuron]) - before
                if delta:
                    self._changed_in = sweep
                    touched |= self._block_of(neuron)
                if fault == Fault.STATE_FLIP:
                    touched |= self._deliver(accumulators, neuron, delta)
        return touched

    def _deliver(self, accumulators: Wide, neuron: int, delta: int) -> int:
        """Adds W delta to every neighbour, in 32 bits; returns the blocks that heard it."""
        placement = self._placement_of(neuron)
        source = self.parameters.relaxing.index(placement)
        local = neuron - int(self._first[placement.name])
        weights = {coupling.name: coupling.weight for coupling in self.network.dense_couplings}
        touched = 0
        for walk in self.parameters.walks_of(source):
            matrix = weights[walk.coupling].astype(np.int64)
            row = matrix[:, local] if walk.by_column else matrix[local]
            target = self.parameters.relaxing[walk.target]
            first = int(self._first[target.name])
            span = slice(first, first + target.size)
            sums = accumulators[span] + ((row * delta) << walk.shift)
            accumulators[span] = wrap32(sums)
            touched |= 1 << self.parameters.order.index(walk.target)
        return touched

    def _arrivals(self, events: Sequence[tuple[int, Fault, int]]) -> dict[str, int]:
        """Slots whose event of this tick is lost or walked twice."""
        lost = doubled = 0
        for neuron, fault, _ in events:
            lost |= (fault == Fault.EVENT_DROP) << self._address(neuron)
            doubled |= (fault == Fault.EVENT_DUPLICATE) << self._address(neuron)
        return {"lost": lost, "doubled": doubled}

    def _message_masks(self, events: Sequence[tuple[int, Fault, int]]) -> int:
        """Message bits inverted in this tick, or for good; the sign bit is spread by the core."""
        masks: dict[int, int] = defaultdict(int)
        for name, k, mask in self.rows["messages"]:
            masks[int(self._first[name]) + k] ^= mask
        for neuron, fault, bit in events:
            if fault == Fault.EVENT_FLIP:
                masks[neuron] ^= 1 << bit
        width = self.parameters.delta_bits
        total = 0
        for neuron, mask in masks.items():
            sign = self._placement_of(neuron).state_bits
            spread = mask | -(mask >> sign & 1) << sign
            total |= (spread & (1 << width) - 1) << width * self._address(neuron)
        return total

    def _note(self, states: Wide, sweep: int, position: int) -> None:
        """Keeps the states of a tick that has just ended, where a colour has."""
        ended = self._last_colour_of[position - 1] if position else -1
        inside = position < len(self._colour_of) and self._colour_of[position] == ended
        if not inside:
            self.snapshots.append((self._tick(sweep, ended), states.tolist()))

    def _over(self, sweep: int) -> int:
        """Blocks whose tick is over, because faults of a later one have acted in this sweep."""
        return sum(
            (self._tick(sweep, colour) < self._applied) << k
            for k, colour in enumerate(self._colour_of)
        )

    def _tick(self, sweep: int, colour: int) -> int:
        return (sweep - 1) * self._colours + colour + 1

    def _frozen_from(self, colour: int) -> float:
        return next((tick for c, tick in self.rows["frozen"] if c == colour), float("inf"))

    def _colours_of(self, name: str) -> list[int]:
        """The colours in which a population has neurons: one, unless it couples to itself."""
        colours = enumerate(self.network.colours)
        return [k for k, colour in colours if any(b.population == name for b in colour)]

    def _placement_of(self, neuron: int) -> PopulationPlacement:
        return next(
            placement
            for placement in self.parameters.relaxing
            if neuron < int(self._first[placement.name]) + placement.size
        )

    def _address(self, neuron: int) -> int:
        """The core's number for a neuron: group * lanes + lane."""
        placement = self._placement_of(neuron)
        return (
            placement.first_group * self.parameters.lanes
            + neuron
            - int(self._first[placement.name])
        )

    def _block_of(self, neuron: int) -> int:
        number = self.parameters.relaxing.index(self._placement_of(neuron))
        return 1 << self.parameters.order.index(number)
