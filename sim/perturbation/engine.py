"""Relaxing under a disturbance: the compiled engine, the reference, and the front door to both."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import Network, check_states
from toreq_hw.sim.perturbation import layer
from toreq_hw.sim.perturbation.damage_arrays import damage_of, new_registers, start_arrays
from toreq_hw.sim.perturbation.dense import DisturbedDense
from toreq_hw.sim.perturbation.digital_check import check_disturbance
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.disturbed_event import DisturbedEventRun
from toreq_hw.sim.perturbation.disturbed_kernel import relax_disturbed
from toreq_hw.sim.perturbation.layer import Layer, LearningLayer, PhaseLayer, States
from toreq_hw.sim.perturbation.reference import DisturbedReference, prepare
from toreq_hw.sim.perturbation.weight_flips import flips_of_cells
from toreq_hw.sim.phases import Engine, EngineName, relax
from toreq_hw.sim.plan import compile_plan
from toreq_hw.sim.recorder import Recorder, run_twice
from toreq_hw.sim.scratch import new_scratch
from toreq_hw.sim.start import Start
from toreq_hw.suggestions import none_of


@named_type_errors
def relax_with(
    network: Network,
    inputs: npt.ArrayLike,
    layers: Sequence[Layer],
    *,
    engine: str = "event",
    states: States | None = None,
    max_sweeps: int = MAX_SWEEPS,
    trace: bool = False,
) -> PhaseResult:
    """`sim.relax` of a network under layers: weights, then standing states, then the phase.

    states: continues from these (disturbed by start layers, which need them). Without phase
    layers undisturbed code runs. The record's network is the damaged one. Raises InputError.
    """
    for one in layers:
        if isinstance(one, LearningLayer):
            raise InputError(f"layer {one.kind} must have learning to act on, not a phase")
    checked = check_states(network.input, inputs)
    damaged = layer.program(network, layers)
    if states is not None:
        states = layer.disturb(network, states, layers)
    runner: str | Engine = engine
    if any(isinstance(one, PhaseLayer) for one in layers):
        given = layer.disturbance(damaged, len(checked), layers)
        runner = disturbed_engine(damaged, given, engine)
    return relax(damaged, checked, engine=runner, states=states, max_sweeps=max_sweeps, trace=trace)


@named_type_errors
def disturbed_engine(network: Network, disturbance: Disturbance, name: str = "event") -> Engine:
    """The engine called `name` under a disturbance; the same bits. Raises InputError.

    It runs the default lowering: costs are those of whole matrices. A flip of a parameter's bit
    hits all cells that the parameter lies in.
    """
    check_disturbance(network, disturbance)
    flips = flips_of_cells(network, disturbance.weight_flips)
    network, disturbance = network.lowered, replace(disturbance, weight_flips=flips)
    if name == EngineName.EVENT:
        return DisturbedEventEngine(network, disturbance)
    if name == EngineName.DENSE:
        return DisturbedDense(network, disturbance)
    if name == EngineName.REFERENCE:
        return DisturbedReference(network, disturbance)
    raise InputError(none_of("engine", name, [engine.value for engine in EngineName]))


class DisturbedEventEngine:
    """One thread of compiled code; campaigns run many processes."""

    def __init__(self, network: Network, disturbance: Disturbance) -> None:
        check_disturbance(network, disturbance)
        self._layout = Layout(network)
        self._plan = compile_plan(network)
        self._disturbance = disturbance

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`. Lossless events only."""
        start = prepare(start, self._disturbance)
        return run_twice(self._layout, start, partial(self._run, start))

    def begin(self, start: Start, *, watched: bool = False) -> DisturbedEventRun:
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""
        start = prepare(start, self._disturbance)
        recorder = Recorder(self._layout, start, watched=watched)
        return DisturbedEventRun(self._plan, self._layout, self._disturbance, start, recorder)

    def _run(
        self, start: Start, changes: npt.NDArray[np.int64], first_change: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        states = start.states.copy()
        counters = np.zeros((len(states), 6), dtype=np.int64)
        relax_disturbed(
            plan=self._plan,
            damage=damage_of(self._layout.network, self._plan, self._disturbance, len(states)),
            start=start_arrays(start),
            output_start=self._layout.starts[self._layout.network.output.name],
            states=states,
            work=(new_scratch(self._plan, start.inputs.shape[1]), new_registers(self._plan)),
            counters=counters,
            changes=changes,
            first=first_change,
        )
        return states, counters
