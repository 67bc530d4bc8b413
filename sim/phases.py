"""The front door: relax a network to an equilibrium, freely or nudged, with any engine."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.contract.arithmetic import nudge_drive
from toreq_hw.contract.cycles import cycles_of
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.limits import MAX_SWEEPS, MAX_THRESHOLD, MOST_SWEEPS
from toreq_hw.contract.phases import Phase
from toreq_hw.contract.readout import output_accumulators, output_errors
from toreq_hw.contract.results import CONTINUED, PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import (
    Network,
    Population,
    check_labels,
    check_states,
    nudge_limit,
    require_relaxing_output,
)
from toreq_hw.reading.fields import shown
from toreq_hw.sim.dense import DenseEngine
from toreq_hw.sim.event import EventEngine
from toreq_hw.sim.reference import ReferenceEngine
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import PhaseRun
from toreq_hw.suggestions import none_of

MAX_THREADS = 1024


class Engine(Protocol):
    """Anything that carries out a `Start`; all engines give the same bits."""

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample of the batch to its end."""

    def begin(self, start: Start, *, watched: bool = False) -> PhaseRun:
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""


class EngineName(StrEnum):
    """The engines by name."""

    REFERENCE = "reference"
    DENSE = "dense"
    EVENT = "event"


@named_type_errors
def make_engine(network: Network, name: str = "event", threads: int | None = None) -> Engine:
    """The engine called `name`, ready for many batches of one network.

    threads: event engine only, 1 or more; None takes every core at hand. Raises InputError.
    """
    if threads is not None:
        _whole_number("threads", threads, 1, MAX_THREADS)
    if name == EngineName.EVENT:
        return EventEngine(network, threads)
    if name == EngineName.DENSE:
        return DenseEngine(network)
    if name == EngineName.REFERENCE:
        return ReferenceEngine(network)
    raise InputError(none_of("engine", name, [engine.value for engine in EngineName]))


@named_type_errors
def relax(
    network: Network,
    inputs: npt.ArrayLike,
    *,
    engine: str | Engine = "event",
    states: Mapping[str, npt.NDArray[np.int16]] | None = None,
    drive: npt.ArrayLike | None = None,
    threshold: int = 0,
    max_sweeps: int = MAX_SWEEPS,
    trace: bool = False,
) -> PhaseResult:
    """Clamps `inputs` and relaxes everything else until a whole sweep changes nothing.

    inputs: integers, shape (batch, input.size), in the input population's range.
    engine: "reference", "dense" or "event" (the same bits), or an engine from `make_engine`.
    states: where to start, per relaxing population, shape (batch, size); all zero if None.
        A phase with given states continues: its accumulators stand, inputs cost no event.
    drive: integers (batch, output.size), added to the output accumulators (see `nudged_phase`);
        at most what a nudge can be, which is what 32 bits have room for. A clamped output has none.
    threshold: 0 is lossless; above it, neurons send only larger moves (lossy).
    trace: keep every state of every tick; see `Trace`.

    Raises InputError naming what must hold and what was found.
    """
    start = make_start(
        network,
        inputs,
        phase=Phase.FREE if states is None else CONTINUED,
        states=states,
        drive=drive,
        threshold=threshold,
        max_sweeps=max_sweeps,
        trace=trace,
    )
    runner = make_engine(network, engine) if isinstance(engine, str) else engine
    return runner.relax(start)


def make_start(
    network: Network,
    inputs: npt.ArrayLike,
    *,
    phase: str,
    states: Mapping[str, npt.NDArray[np.int16]] | None = None,
    drive: npt.ArrayLike | None = None,
    threshold: int = 0,
    max_sweeps: int = MAX_SWEEPS,
    trace: bool = False,
) -> Start:
    """The request of a phase, checked; arguments as those of `relax`. Raises InputError.

    So does a threshold above 0 with budget rows: what they send would not add up.
    """
    layout = Layout(network)
    for population in network.updating if threshold else ():
        if population.rows is not None:
            raise InputError(
                f"threshold must be 0 with budget rows, as in {population.name!r}, not {threshold}"
            )
    checked = check_states(network.input, inputs)
    batch = len(checked)
    return Start(
        phase=phase,
        inputs=checked,
        states=_start_states(layout, states, batch),
        drive=_checked_drive(network, drive, batch),
        continued=states is not None,
        threshold=_whole_number("threshold", threshold, 0, MAX_THRESHOLD),
        max_sweeps=_whole_number("max_sweeps", max_sweeps, 1, MOST_SWEEPS),
        trace=trace,
        cycles=cycles_of(network, threshold),
    )


@named_type_errors
def free_phase(
    network: Network,
    inputs: npt.ArrayLike,
    *,
    engine: str | Engine = "event",
    threshold: int = 0,
    trace: bool = False,
) -> PhaseResult:
    """Relaxes from all-zero states with the input clamped: s* of docs/numerics.md.

    inputs: integers (batch, input.size).
    engine, threshold, trace: as in `relax`.
    """
    return relax(network, inputs, engine=engine, threshold=threshold, trace=trace)


@named_type_errors
def nudged_phase(
    network: Network,
    inputs: npt.ArrayLike,
    free: PhaseResult,
    labels: npt.ArrayLike,
    sign: int,
    *,
    engine: str | Engine = "event",
    threshold: int = 0,
    trace: bool = False,
) -> PhaseResult:
    """Relaxes from s* with the output pushed towards (sign +1) or away from (-1) the target.

    free: the free phase of the same inputs. labels: class of each sample, shape (batch,); the
    target is s_max for that output and 0 for all others. A clamped output sends its error, or the
    negative of it. Docs/numerics.md, section 5. engine, threshold, trace: as in `relax`.
    """
    start = nudged_start(
        network, inputs, free.states, labels, sign, threshold=threshold, trace=trace
    )
    runner = make_engine(network, engine) if isinstance(engine, str) else engine
    return runner.relax(start)


def nudged_start(
    network: Network,
    inputs: npt.ArrayLike,
    equilibrium: Mapping[str, npt.NDArray[np.int16]],
    labels: npt.ArrayLike,
    sign: int,
    **choices: Any,
) -> Start:
    """The request of a nudged phase from the free equilibrium, int16 (batch, size) per population.

    choices: threshold, max_sweeps and trace, as in `relax`. Raises InputError.
    """
    if isinstance(sign, bool) or sign not in (1, -1):
        raise InputError(f"sign must be 1 or -1, not {sign!r}")
    phase = Phase.POSITIVE if sign == 1 else Phase.NEGATIVE
    output = network.output
    if network.readout is not None:
        checked = check_states(network.input, inputs)
        sums = output_accumulators(network, checked, equilibrium)
        sent = np.int16(sign) * output_errors(network, sums, labels)
        states = {**equilibrium, output.name: sent}
        return make_start(network, checked, phase=phase, states=states, **choices)
    drive = np.int32(sign) * nudge(network, equilibrium[output.name], labels)
    return make_start(network, inputs, phase=phase, states=equilibrium, drive=drive, **choices)


@named_type_errors
def nudge(
    network: Network, outputs: npt.NDArray[np.int16], labels: npt.ArrayLike
) -> npt.NDArray[np.int32]:
    """The constant n = (e << F) >> beta_shift with e = target - s*, int32 (batch, output.size).

    Raises InputError, also for a clamped readout, which has none.
    """
    require_relaxing_output(network, "for a nudge of its accumulators", InputError)
    population = network.output
    states = check_states(population, outputs)
    error = targets(population, check_labels(population, labels, len(states))) - states
    fraction_bits = network.accumulator_fraction_bits(population.name)
    return nudge_drive(error, fraction_bits, network.beta_shift)


@named_type_errors
def targets(output: Population, labels: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """s_max at each label and 0 elsewhere, int16 (batch, output.size). Raises InputError."""
    classes = check_labels(output, labels)
    target = np.zeros((len(classes), output.size), dtype=np.int16)
    target[np.arange(len(classes)), classes] = output.state_max
    return target


def _start_states(
    layout: Layout, states: Mapping[str, npt.NDArray[np.int16]] | None, batch: int
) -> npt.NDArray[np.int16]:
    if states is None:
        return np.zeros((batch, layout.neurons), dtype=np.int16)
    joined = layout.join(states)
    if len(joined) != batch:
        raise InputError(f"states must have one row per input ({batch}), not {len(joined)}")
    return joined


def _checked_drive(
    network: Network, drive: npt.ArrayLike | None, batch: int
) -> npt.NDArray[np.int32]:
    output = network.output
    if drive is None:
        return np.zeros((batch, output.size), dtype=np.int32)
    fraction_bits = network.accumulator_fraction_bits(output.name)
    clamped = network.readout is not None
    limit = 0 if clamped else nudge_limit(output, fraction_bits, network.beta_shift)
    checked = whole_numbers("drive", drive, (batch, output.size), -limit, limit)
    return np.ascontiguousarray(checked, dtype=np.int32)


def _whole_number(name: str, value: int, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} must be a whole number in {least}..{most}, not {shown(value)}")
    return value
