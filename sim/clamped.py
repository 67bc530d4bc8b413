"""Phases that clamp other populations than the input, and sequences of inputs.

states = clamped_phase(network, {"output": classes}).states      # generation: the input relaxes
frames = sequence(network, images)                               # states are carried on
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.phases import Phase
from toreq_hw.contract.results import FRAME, PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import Network, check_states, clamping
from toreq_hw.sim.phases import Engine, make_engine, make_start


@named_type_errors
def clamped_phase(
    network: Network,
    clamped: Mapping[str, npt.ArrayLike],
    *,
    engine: str = "event",
    threshold: int = 0,
    **choices: Any,
) -> PhaseResult:
    """Relaxes from zero all populations but those given, the input too unless it is among them.

    clamped: integers (batch, size) for each population that keeps its states. engine, threshold,
    choices (max_sweeps, trace): as in `relax`. The result has the states of all populations that
    `clamping` does not make the input. Raises InputError and NetworkError.
    """
    phase_network = clamping(network, clamped)
    driver = phase_network.input.name
    inputs = check_states(phase_network.input, clamped[driver])
    blank = np.zeros((len(inputs), Layout(phase_network).neurons), dtype=np.int16)
    states = Layout(phase_network).split(blank)
    for name in phase_network.clamped - {driver}:
        held = check_states(phase_network.population(name), clamped[name])
        if len(held) != len(inputs):
            raise InputError(
                f"states of {name!r}: must have as many samples as those of {driver!r} "
                f"({len(inputs)}), not {len(held)}"
            )
        states[name][:] = held
    start = make_start(
        phase_network, inputs, phase=Phase.FREE, states=states, threshold=threshold, **choices
    )
    return make_engine(phase_network, engine).relax(replace(start, continued=False))


@named_type_errors
def sequence(
    network: Network,
    frames: npt.ArrayLike,
    *,
    engine: str | Engine = "event",
    threshold: int = 0,
    **choices: Any,
) -> list[PhaseResult]:
    """One phase a frame of inputs; each starts from the states in which the last one ended.

    frames: integers (frames, batch, input.size). The first frame is presented to a network at rest;
    of each later one an input that changed is an event. engine, threshold, choices: as in `relax`.
    Raises InputError.
    """
    shown = np.asarray(frames)
    if shown.ndim != 3 or not len(shown):
        raise InputError(
            f"frames must be of shape (frames, batch, inputs), at least one, not {shown.shape}"
        )
    runner = make_engine(network, engine) if isinstance(engine, str) else engine
    found: list[PhaseResult] = []
    before: npt.NDArray[np.int16] | None = None
    for inputs in shown:
        start = make_start(
            network,
            inputs,
            phase=Phase.FREE if before is None else FRAME,
            states=found[-1].states if found else None,
            threshold=threshold,
            **choices,
        )
        found.append(runner.relax(replace(start, continued=False, before=before)))
        before = start.inputs
    return found
