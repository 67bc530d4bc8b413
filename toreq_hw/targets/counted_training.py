"""A training of the simulator that also says how many cycles each sample would take on a core.

Exact, without the core: what happens in the phases comes from the simulator, what it costs from the
core's timing model, which the core's own counter is tested against.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.code_digest import code_digest, digest_of_imports
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.rtl import many_phases
from toreq_hw.rtl import timing as phase_timing
from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.learning import timing as learn_timing
from toreq_hw.rtl.learning.timing import LearnedSample, learn_cycles
from toreq_hw.rtl.many_phases import ManyPhases, PhaseCounts
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.readout import READOUT_LATENCY
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.recorded_kernel import learn_recorded


def timing_digest() -> str:
    """Names the code that trains and that says how long a sample takes."""
    files = [Path(__file__), *(Path(str(module.__file__)) for module in _TIMING)]
    latencies = f"{UPDATE_LATENCY} {READOUT_LATENCY}"
    training = digest_of_imports("toreq_hw.sim.learning.recorded_kernel", "toreq_hw.sim.learning")
    return f"{training} {code_digest(files)} {latencies}"


_TIMING = (learn_timing, many_phases, phase_timing)
"""Where cycles come from; all else of the core is in its parameters."""


_ROOM = 1 << 20
"""Changes of states that are kept at once."""

Ints = npt.NDArray[np.int64]
States = npt.NDArray[np.int16]


class CountedTrainer(Trainer):
    """A `Trainer` that keeps, of every sample it learns, the cycles of FREE, NUDGE_POSITIVE,
    NUDGE_NEGATIVE and LEARN on the core of `parameters`.

    Raises InputError for a network whose readout is clamped, or a core that is no learning one.
    """

    def __init__(self, network: Network, rule: Rule, seed: int, parameters: CoreParameters) -> None:
        if network.readout is not None or parameters.learning is None:
            raise InputError("cycles must be those of a core that learns, and of a relaxing output")
        super().__init__(network, rule, seed)
        self._parameters = parameters
        self._counted: list[Ints] = []
        self._learn_samples = self._learn_and_count

    def cycles(self) -> Ints:
        """Of the samples learned since the last call, in their order: int64 (samples, 4)."""
        found, self._counted = self._counted, []
        return np.concatenate([np.empty((0, 4), dtype=np.int64), *found])

    def _learn_and_count(self, **given: Any) -> np.uint32:
        order, inputs = given.pop("order"), given["inputs"]
        neurons = len(given["plan"].bias)
        changes = np.empty((_ROOM, 4), dtype=np.int64)
        while len(order):
            phases = np.zeros((len(order), 3, 2), dtype=np.int64)
            ends = np.empty((len(order), 2, neurons), dtype=np.int16)
            record = {"changes": changes, "phases": phases, "ends": ends}
            state, done = learn_recorded(order=order, **given, **record)
            if phases[..., 1].sum() > _ROOM:
                raise InputError(f"a sample must have at most {_ROOM // 2} changes of state")
            given["random_state"] = np.uint32(state)
            learned, order = inputs[order[:done]], order[done:]
            self._counted.append(self._cost(learned, changes, phases[:done], ends[:done]))
        return np.uint32(given["random_state"])

    def _cost(self, inputs: States, changes: Ints, phases: Ints, ends: States) -> Ints:
        """int64 (samples, 4)."""
        parameters = self._parameters
        model = ManyPhases(parameters, len(inputs))
        input_events = np.count_nonzero(inputs, axis=1)
        places = self._places(changes, phases)
        found = np.empty((len(inputs), 4), dtype=np.int64)
        for number, phase in enumerate(parameters.phases[:3]):
            sweeps = phases[:, number, 0]
            shape = (len(inputs), int(sweeps.max(initial=1)), len(parameters.relaxing))
            mine = places[:, 1] == number
            flat = np.ravel_multi_index(tuple(places[mine][:, (0, 2, 3)].T), shape)
            events = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
            found[:, number] = model.cycles(phase, PhaseCounts(sweeps, input_events, events))
        stirred = phases[:, 1:, 1].sum(axis=1) > 0
        found[:, 3] = 1
        for k in np.flatnonzero(stirred).tolist():
            sample = LearnedSample(inputs[k], ends[k, 0], ends[k, 1], stirred=True)
            found[k, 3] = learn_cycles(parameters, sample)
        return found

    def _places(self, changes: Ints, phases: Ints) -> Ints:
        """Of each change its sample, phase, sweep from 0 on, and population: int64 (changes, 4)."""
        network = self.blueprint
        counts = phases[..., 1].ravel()
        entries = changes[: counts.sum()]
        of_phase = np.repeat(np.arange(len(counts)), counts)
        layout = Layout(network)
        starts = np.array([layout.of(p).start for p in network.relaxing])
        population = np.searchsorted(starts, entries[:, 1], side="right") - 1
        sweep = (entries[:, 0] - 1) // len(network.colours)
        return np.stack([of_phase // 3, of_phase % 3, sweep, population], axis=1)
