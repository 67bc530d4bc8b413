"""Observers of tests, and what the ticks of every machine must add up to."""

from collections.abc import Sequence

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.operations import fan_outs
from toreq_hw.contract.ticks import PhaseStart, Tick, Ticks
from toreq_hw.network import Network
from toreq_hw.sim.session import Session
from toreq_hw.targets import Samples


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


def _weights_per_input_event(network: Network) -> int:
    """The same of every input here: the result holds no inputs, only how many are not zero."""
    (walked,) = set(fan_outs(network, network.input.name).tolist())
    return int(walked)


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
        walked = expected.input_events * _weights_per_input_event(network)
        wanted = getattr(expected, counter) - (walked if counter == "synops" else 0)
        assert np.array_equal(total, wanted)
    assert [tick.number for tick in ticks] == list(range(1, int(expected.ticks.max()) + 1))
    for tick in ticks:
        assert np.array_equal(tick.running, tick.number <= expected.ticks)
        assert np.array_equal(tick.ended, tick.number == expected.ticks)
        assert divmod(tick.number - 1, len(network.colours)) == (tick.sweep - 1, tick.colour)
        assert tick.visited == network.colours[tick.colour]


def assert_same_ticks(expected: Registers, found: Registers) -> None:
    """Two machines went the same way through all phases: every field of every tick, all registers.

    Accumulators of ended samples too: a sample that has ended keeps its registers.
    """
    for (start, ticks), (other, others) in zip(
        expected.ticks.phases, found.ticks.phases, strict=True
    ):
        assert (start.phase, start.network.sha256) == (other.phase, other.network.sha256)
        for name in ("states", "inputs", "drive"):
            assert np.array_equal(getattr(start, name), getattr(other, name)), name
        for tick, same in zip(ticks, others, strict=True):
            for name in Tick.__dataclass_fields__.keys() - {"registers"}:
                wanted, got = getattr(tick, name), getattr(same, name)
                assert np.array_equal(wanted, got), (start.phase, tick.number, name)
    for name in ("states", "accumulators", "energies"):
        pairs = zip(getattr(expected, name), getattr(found, name), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs), name


def watched_session(network: Network, samples: Samples) -> Registers:
    """All three phases of a session of the simulator."""
    watched = Registers()
    session = Session(network, observers=[watched])
    session.start(samples.inputs)
    session.run()
    for sign in (1, -1):
        session.nudge(samples.labels, sign)
        session.run()
    return watched
