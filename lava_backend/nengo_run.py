"""Runs samples through the Nengo network, all three phases, and records every change."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import DeploymentError, InputError
from toreq_hw.lava_backend.nengo_network import Presentation, build, check
from toreq_hw.lava_backend.nengo_shim import nengo
from toreq_hw.lava_backend.record import RunRecord, phase_results
from toreq_hw.network import Network, check_states

SEED = 0
"""Of what Nengo draws."""

FIRST_SWEEPS = 12
"""Sweeps given to every phase at first; samples that are still changing run again, longer."""

MAX_SWEEPS = 5_000
"""Sweeps after which a sample that is still changing is given up."""

Ints = npt.NDArray[np.int64]


@named_type_errors
def run(
    network: Network, inputs: npt.NDArray[np.int16], targets: npt.NDArray[np.int16]
) -> RunRecord:
    """All three phases of every sample, one after another in one Nengo simulation.

    inputs: int16 (samples, input.size); targets: int16 (samples, output.size), s_max at the
    class and 0 elsewhere. Raises NetworkError where Nengo cannot carry the network.
    """
    check(network)
    inputs = check_states(network.input, inputs)
    targets = check_states(network.output, targets)
    if len(targets) != len(inputs):
        raise InputError(f"targets must be one per input ({len(inputs)}), not {len(targets)}")
    if not len(inputs):
        raise InputError("samples must be at least 1, found 0")
    begin = time.perf_counter()
    counters = np.zeros((3, 3, len(inputs)), dtype=np.int64)
    rows: list[list[npt.NDArray[np.int64]]] = [[], [], []]
    waiting, sweeps = np.arange(len(inputs)), FIRST_SWEEPS
    while len(waiting):
        if sweeps > MAX_SWEEPS:
            raise DeploymentError(f"a sample must settle within {MAX_SWEEPS} sweeps on nengo")
        steps = 1 + sweeps * len(network.colours)
        levels, events, sent = _simulate(network, inputs[waiting], targets[waiting], steps)
        quiet = events.reshape(*events.shape[:2], sweeps, -1).sum(axis=3) == 0
        settled = quiet[:, :, -1].all(axis=1)
        for position in np.flatnonzero(settled):
            sample = waiting[position]
            for phase in range(3):
                counters[phase, 0, sample] = int(quiet[position, phase].argmax()) + 1
                counters[phase, 1, sample] = events[position, phase].sum()
                rows[phase].append(_changes(levels[position, phase], sample))
            counters[0, 2, sample] = sent[position]
        waiting, sweeps = waiting[~settled], 2 * sweeps
    phases = phase_results(network, counters, [np.concatenate(part) for part in rows])
    return RunRecord(network, phases, time.perf_counter() - begin)


def _simulate(
    network: Network,
    inputs: npt.NDArray[np.int16],
    targets: npt.NDArray[np.int16],
    phase_steps: int,
) -> tuple[npt.NDArray[np.int16], Ints, Ints]:
    """(levels, events, input events) of one simulation over all samples.

    levels: int16 (samples, 3, phase_steps, neurons), after each step. events: int64
    (samples, 3, phase_steps - 1), non-zero outputs in each tick. input events: (samples,).
    """
    presentation = Presentation(phase_steps, phases=3)

    def presented(values: npt.NDArray[np.int16]) -> Any:
        return lambda t: values[presentation.step_of(t) // presentation.steps]

    with nengo.Network(seed=SEED) as model:
        net = build(network, presentation)
        nengo.Connection(nengo.Node(presented(inputs)), net.input, synapse=None)
        nengo.Connection(nengo.Node(presented(targets)), net.target, synapse=None)
        probes = [
            (nengo.Probe(e.neurons, "level"), nengo.Probe(e.neurons))
            for e in net.populations.values()
        ]
        sent = nengo.Probe(net.input)
    with nengo.Simulator(model, dt=presentation.dt, progress_bar=False, optimize=False) as sim:
        sim.run_steps(len(inputs) * presentation.steps, progress_bar=False)
    shape = (len(inputs), 3, phase_steps)
    levels = np.concatenate([sim.data[level] for level, _ in probes], axis=1).astype(np.int16)
    events = sum(np.count_nonzero(sim.data[event], axis=1) for _, event in probes)
    input_events = np.count_nonzero(sim.data[sent], axis=1).reshape(len(inputs), -1).sum(axis=1)
    return levels.reshape(*shape, -1), np.asarray(events).reshape(shape)[:, :, 1:], input_events


def _changes(levels: npt.NDArray[np.int16], sample: int) -> Ints:
    """Rows of `CHANGE_COLUMNS`; levels: (phase_steps, neurons), row 0 the phase's start."""
    tick, neuron = np.nonzero(levels[1:] != levels[:-1])
    columns = (np.full(len(tick), sample), tick + 1, neuron)
    return np.stack([*columns, levels[tick, neuron], levels[tick + 1, neuron]], axis=1)
