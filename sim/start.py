"""What goes into a relaxation, the same for every engine."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.cycles import Cycles
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError


@dataclass(frozen=True, eq=False)
class Start:
    """A checked request: where every sample starts and what drives it.

    inputs: int16 (batch, n_input); states: int16 (batch, neurons) in `Layout` order;
    drive: int32 (batch, n_output), added to the output accumulators (the nudge).
    phase: its name, see `PhaseResult`.
    continued: the phase starts from standing states and accumulators (a nudged phase, or a
    state disturbed on purpose), so the inputs are not presented again.
    cycles: those that the phase ends in.
    before: int16 (batch, n_input), the inputs of the phase whose states are carried on, where these
    follow others; then only what changed is presented.
    threshold: 0 is lossless; above it, a neuron sends only when its state is further than
    the threshold from the state it last sent.
    """

    phase: str
    inputs: npt.NDArray[np.int16]
    states: npt.NDArray[np.int16]
    drive: npt.NDArray[np.int32]
    continued: bool
    threshold: int
    max_sweeps: int
    trace: bool
    cycles: Cycles
    before: npt.NDArray[np.int16] | None = None


def check_start(layout: Layout, start: Start) -> None:
    """Raises InputError where a start does not fit the network that an engine was made for."""
    network, batch = layout.network, len(start.inputs)
    for what, array, shape, dtype in (
        ("inputs", start.inputs, (batch, network.input.size), np.int16),
        ("states", start.states, (batch, layout.neurons), np.int16),
        ("drive", start.drive, (batch, network.output.size), np.int32),
    ):
        if array.shape != shape or array.dtype != dtype:
            raise InputError(
                f"{what} of a start must be {np.dtype(dtype)} of shape {shape} for this engine's "
                f"network, not {array.dtype} {array.shape}"
            )
