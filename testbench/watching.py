"""Observers of tests, and what the ticks of every machine must add up to."""

from collections.abc import Sequence

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.ticks import PhaseStart, Tick, Ticks
from toreq_hw.network import Network


class Registers:
    """An observer that reads all registers after every tick."""

    def __init__(self) -> None:
        self.ticks = Ticks()
        self.states: list[np.ndarray] = []
        self.accumulators: list[np.ndarray] = []
        self.energies: list[np.ndarray] = []
        self.results: list[sim.PhaseResult] = []

    def begin(self, start: PhaseStart) -> None:
        self.ticks.begin(start)

    def tick(self, tick: Tick) -> None:
        self.ticks.tick(tick)
        self.states.append(tick.registers.states)
        self.accumulators.append(tick.registers.accumulators)
        self.energies.append(tick.registers.energy)

    def end(self, result: sim.PhaseResult) -> None:
        self.results.append(result)


def check_ticks(network: Network, ticks: Sequence[Tick], expected: sim.PhaseResult) -> None:
    """The ticks add up to the result: changes, counters, who runs and who ends when."""
    assert expected.trace is not None
    rows = [np.zeros((0, 5), dtype=np.int64)]
    for tick in ticks:
        numbers = np.full(len(tick.sample), tick.number)
        columns = (tick.sample, numbers, tick.neuron, tick.before, tick.after)
        rows.append(np.stack(columns, axis=1).astype(np.int64))
    found = np.concatenate(rows)
    assert np.array_equal(found[np.lexsort((found[:, 1], found[:, 0]))], expected.trace.rows)
    for counter in ("events", "synops"):
        total = sum(getattr(tick, counter) for tick in ticks)
        walked = expected.input_events * sum(p.fan_out for p in network.out_of(network.input.name))
        wanted = getattr(expected, counter) - (walked if counter == "synops" else 0)
        assert np.array_equal(total, wanted)
    assert [tick.number for tick in ticks] == list(range(1, int(expected.ticks.max()) + 1))
    for tick in ticks:
        assert np.array_equal(tick.running, tick.number <= expected.ticks)
        assert np.array_equal(tick.ended, tick.number == expected.ticks)
        assert divmod(tick.number - 1, len(network.colours)) == (tick.sweep - 1, tick.colour)
        assert tick.blocks == network.colours[tick.colour]
