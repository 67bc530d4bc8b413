"""What a core answers to a command, on whatever wire, and the result of a phase that it says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import wrap
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.contract.trace import Trace, sorted_changes, trace_of_states
from toreq_hw.network import Network
from toreq_hw.records.replay import CoreReplay
from toreq_hw.rtl.parameters import CoreParameters

_COSTS = ("cycles", "beats", "saturations")


@dataclass(frozen=True)
class CoreReply:
    """The answer to one command for one image, as it came over the wire.

    states: int16 (neurons,), relaxing neurons in file order; None without a report. summary:
    unsigned counters by the names of docs/rtl.md, those that the wire brings. events: of a watched
    core, int64 (events, 3), in their order: sweep, neuron in file order, change of its state.
    """

    states: npt.NDArray[np.int16] | None
    summary: dict[str, int]
    events: npt.NDArray[np.int64] | None = None


def events_of(log: npt.NDArray[np.uint32], parameters: CoreParameters) -> npt.NDArray[np.int64]:
    """`CoreReply.events` of a log: rows of sweep, neuron address and delta as words of the core.

    log: uint32 (events, 3). Returns int64 of the same shape.
    """
    sweep, address, word = log.astype(np.int64).T
    neuron_of = {
        place.first_group * parameters.lanes + k: first + k
        for place, first in zip(parameters.relaxing, _first_neurons(parameters), strict=True)
        for k in range(place.size)
    }
    neuron = np.array([neuron_of[number] for number in address.tolist()], dtype=np.int64)
    sign = np.int64(1) << (parameters.delta_bits - 1)
    return np.stack([sweep, neuron, wrap(word, sign)], axis=1)


def _first_neurons(parameters: CoreParameters) -> list[int]:
    sizes = [place.size for place in parameters.relaxing]
    return [sum(sizes[:k]) for k in range(len(sizes))]


def phase_result(network: Network, phase: str, replies: Sequence[CoreReply]) -> PhaseResult:
    """The result of one phase of a batch, a reply for each image.

    phase: its name, see `PhaseResult`. Without a report of some image, states are left out.
    """
    layout = Layout(network)
    rows = [reply.states for reply in replies if reply.states is not None]
    states: dict[str, npt.NDArray[np.int16]] = {}
    if len(rows) == len(replies):
        states = layout.split(np.array(rows, dtype=np.int16).reshape(-1, layout.neurons))

    def counter(name: str, dtype: Any = np.int64) -> Any:
        return np.array([reply.summary[name] for reply in replies], dtype=dtype)

    settled = counter("settled", np.bool_)
    reported = replies[0].summary if replies else {}
    return PhaseResult(
        network=network,
        phase=phase,
        states=states,
        sweeps=counter("sweeps", np.int32),
        status=np.where(settled, Status.SETTLED, Status.SWEEP_LIMIT).astype(np.uint8),
        events=counter("events"),
        input_events=counter("input_events"),
        own_classes=counter("label"),
        costs={name: counter(name) for name in _COSTS if name in reported},
    )


def core_trace(
    network: Network, replies: Sequence[CoreReply], initial: npt.NDArray[np.int16]
) -> Trace | None:
    """The trace of a phase of a watched core, None of one that was not watched.

    initial: int16 (batch, neurons), where the phase began.
    """
    layout, colours = Layout(network), len(network.colours)
    colour = np.concatenate([network.sweep.colour_of(p.name) for p in network.relaxing])
    rows = []
    for sample, reply in enumerate(replies):
        if reply.events is None:
            return None
        state = initial[sample].astype(np.int64)
        for sweep, neuron, delta in reply.events.tolist():
            tick = (sweep - 1) * colours + int(colour[neuron]) + 1
            rows.append((sample, tick, neuron, state[neuron], state[neuron] + delta))
            state[neuron] += delta
    ticks = np.array([reply.summary["sweeps"] * colours for reply in replies])
    changes = sorted_changes(np.array(rows, dtype=np.int64).reshape(-1, 5))
    return Trace.of_changes(layout, initial, ticks, changes)


def phase_results(
    network: Network, phases: Sequence[str], images: Sequence[Sequence[CoreReply]]
) -> list[PhaseResult]:
    """The result of each phase of a batch. images: per image its replies, one a phase.

    phases: their names, the free phase first; of a watched core they have traces.
    """
    columns = [[replies[k] for replies in images] for k in range(len(phases))]
    results: list[PhaseResult] = []
    initial = np.zeros((len(images), Layout(network).neurons), dtype=np.int16)
    for phase, replies in zip(phases, columns, strict=True):
        trace = core_trace(network, replies, initial)
        results.append(replace(phase_result(network, phase, replies), trace=trace))
        if len(results) == 1 and trace is not None:
            initial = trace.final
    return results


def replay_result(network: Network, phase: str, samples: Sequence[CoreReplay]) -> PhaseResult:
    """The result of a replayed fault map, of what a bench kept of each sample."""
    layout = Layout(network)
    sweeps = np.array([one.sweeps for one in samples], dtype=np.int32)
    settled = np.array([one.settled for one in samples], dtype=np.bool_)
    seen = [
        {tick: np.array(states, dtype=np.int16) for tick, states in one.snapshots}
        for one in samples
    ]
    ends = np.array([one.states for one in samples], dtype=np.int16)
    return PhaseResult(
        network=network,
        phase=phase,
        states=layout.split(ends.reshape(-1, layout.neurons)),
        sweeps=sweeps,
        status=np.where(settled, Status.SETTLED, Status.SWEEP_LIMIT).astype(np.uint8),
        trace=trace_of_states(layout, sweeps * len(network.colours), seen),
    )
