"""An observer that keeps what the pictures show: phases of one sample, tick by tick."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.energy import doubled_energy, energy_of_changes, sums_energy_by_changes
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.operations import dense_synops, fan_outs
from toreq_hw.contract.phases import NUDGED_PHASES, Phase
from toreq_hw.contract.results import PhaseResult
from toreq_hw.contract.ticks import PhaseStart, Tick
from toreq_hw.network import Network
from toreq_hw.observatory.history import History, Step
from toreq_hw.observatory.panels import Plan, plan_of

MOST_CELLS = 1 << 23
"""Cells of the matrices of a network whose whole energy is computed after every tick.

That of a larger network is the sum of what changes did, counted from 0 where the phase starts.
"""


@dataclass(frozen=True)
class Source:
    """What a recording shows. network_sha256: of the network. name: of the machine that ran it.

    rows: classes that the output names at once.
    """

    network_sha256: str
    name: str
    rows: int


class Recording:
    """The phases of one sample. plan: where its neurons lie in pictures.

    sample: which of a batch is watched. keep: phases that are kept, the first and the last ones.
    damaged: whether faults change states outside of updates; then the energy of a network too large
    to be computed whole is unknown.
    """

    def __init__(
        self, network: Network, *, name: str = "simulator", sample: int = 0, keep: int = 3
    ) -> None:
        self.plan: Plan = plan_of(network)
        self.source = Source(
            network.sha256, name, 1 if network.readout is None else network.readout.rows
        )
        self.phases: list[History] = []
        self.damaged = False
        self._network, self._sample, self._keep = network, sample, keep

    @classmethod
    def of_phases(cls, plan: Plan, source: Source, phases: Sequence[History]) -> "Recording":
        """A recording that a file held; nothing is added to it."""
        found = cls.__new__(cls)
        found.plan, found.source, found.phases = plan, source, list(phases)
        return found

    @property
    def last(self) -> History:
        """The phase that was begun last. Raises IndexError before the first."""
        return self.phases[-1]

    def equilibrium(self, phase: History) -> npt.NDArray[np.int16] | None:
        """What a phase is compared with, int16 (neurons,); None of the first one.

        Of a nudged phase: where the one before, without a nudge, ended. Of one that goes on under
        other damage: where the first one ended.
        """
        before = self.phases[: self.phases.index(phase)]
        if phase.phase in NUDGED_PHASES:
            before = [one for one in reversed(before) if one.phase not in NUDGED_PHASES]
        return before[0].states(before[0].last) if before else None

    def begin(self, start: PhaseStart) -> None:
        """Opens a phase; a free one that starts afresh closes the phases of the sample before."""
        network, sample = start.network, self._sample
        self._network = network
        inputs, initial = start.inputs[sample], start.states[sample]
        if start.phase == Phase.FREE:
            self.phases.clear()
        synops = 0
        if start.phase == Phase.FREE:
            synops = int(((inputs != 0) * fan_outs(network, network.input.name)).sum())
        sweeps = np.arange(2, dtype=np.int32)
        continued = start.phase != Phase.FREE
        read, more = (int(n) for n in dense_synops(network, sweeps, continued=continued))
        self._energy = self._start_energy(start)
        first = Step(
            neuron=np.zeros(0, np.int32),
            before=np.zeros(0, np.int16),
            after=np.zeros(0, np.int16),
            energy=self._energy,
            events=0,
            synops=synops,
            scores=np.zeros(network.output.size, np.int64),
        )
        self.phases.append(
            History(
                phase=start.phase,
                inputs=inputs,
                initial=initial,
                colours=len(network.colours),
                dense=(read, more - read),
                start=first,
            )
        )
        del self.phases[1 : 1 - self._keep]

    def tick(self, tick: Tick) -> None:
        """Keeps what a tick did to the sample."""
        sample, history = self._sample, self.last
        if not tick.running[sample]:
            return
        mine = tick.sample == sample
        neuron, before, after = tick.neuron[mine], tick.before[mine], tick.after[mine]
        accumulators = tick.registers.accumulators[sample]
        self._energy = self._energy_after(tick, neuron, before, after)
        output = Layout(self._network).of(self._network.output)
        ranked = accumulators if self._network.readout else tick.registers.states[sample]
        latest = history.step(history.last)
        history.append(
            Step(
                neuron=neuron,
                before=before,
                after=after,
                energy=self._energy,
                events=latest.events + int(tick.events[sample]),
                synops=latest.synops + int(tick.synops[sample]),
                scores=ranked[output].astype(np.int64),
            )
        )

    def end(self, result: PhaseResult) -> None:
        """Notes how the phase ended."""
        history = self.last
        history.status = int(result.status[self._sample]) if len(result.status) else None
        history.sweeps = int(result.sweeps[self._sample])
        history.period = int(result.periods[self._sample]) if len(result.status) else 0

    @property
    def _whole(self) -> bool:
        """Whether the network is small enough for its whole energy after every tick."""
        sizes = [c.shape[0] * c.shape[1] for c in self._network.couplings]
        return sum(sizes) <= MOST_CELLS

    def _start_energy(self, start: PhaseStart) -> int | None:
        network, sample = start.network, self._sample
        if not network.has_energy:
            return None
        if not self._whole:
            return 0 if sums_energy_by_changes(network) and not self.damaged else None
        states = Layout(network).split(start.states[sample : sample + 1])
        inputs, drive = start.inputs[sample : sample + 1], start.drive[sample : sample + 1]
        return int(doubled_energy(network, inputs, states, drive)[0])

    def _energy_after(
        self,
        tick: Tick,
        neuron: npt.NDArray[np.int32],
        before: npt.NDArray[np.int16],
        after: npt.NDArray[np.int16],
    ) -> int | None:
        if self._energy is None:
            return None
        if self._whole:
            return int(tick.registers.energy[self._sample])
        accumulators = tick.registers.accumulators[self._sample]
        return self._energy + energy_of_changes(self._network, neuron, before, after, accumulators)
