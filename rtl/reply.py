"""What a core answers to a command, on whatever wire, and the result of a phase that it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.contract.trace import trace_of_states
from toreq_hw.network import Network

_COSTS = ("cycles", "beats", "saturations")


@dataclass(frozen=True)
class CoreReply:
    """The answer to one command for one image, as it came over the wire.

    states: int16 (neurons,), relaxing neurons in file order; None without a report. summary:
    unsigned counters by the names of docs/rtl.md, those that the wire brings.
    """

    states: npt.NDArray[np.int16] | None
    summary: dict[str, int]


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


def phase_results(
    network: Network, phases: Sequence[str], images: Sequence[Sequence[CoreReply]]
) -> list[PhaseResult]:
    """The result of each phase of a batch. images: per image its replies, one a phase."""
    columns = [[replies[k] for replies in images] for k in range(len(phases))]
    return [phase_result(network, *one) for one in zip(phases, columns, strict=True)]


def replay_result(network: Network, phase: str, samples: Sequence[dict[str, Any]]) -> PhaseResult:
    """The result of a replayed fault map, of what a bench kept of each sample.

    samples: "states" at the end, (neurons,) in file order; "sweeps"; "settled"; and "snapshots",
    pairs of a tick and the states at its end, of every tick at whose end the core waited.
    """
    layout = Layout(network)
    sweeps = np.array([one["sweeps"] for one in samples], dtype=np.int32)
    settled = np.array([one["settled"] for one in samples], dtype=np.bool_)
    seen = [
        {int(tick): np.array(states, dtype=np.int16) for tick, states in one["snapshots"]}
        for one in samples
    ]
    ends = np.array([one["states"] for one in samples], dtype=np.int16)
    return PhaseResult(
        network=network,
        phase=phase,
        states=layout.split(ends.reshape(-1, layout.neurons)),
        sweeps=sweeps,
        status=np.where(settled, Status.SETTLED, Status.SWEEP_LIMIT).astype(np.uint8),
        trace=trace_of_states(layout, sweeps * len(network.colours), seen),
    )
