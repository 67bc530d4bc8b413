"""What the phase controller is: on a chip, the embedded processor beside the neurocores."""

import numpy as np
import numpy.typing as npt
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var


class PhaseController(AbstractProcess):
    """Presents samples, calls the ticks, and goes on when a whole sweep had no events.

    inputs: int32 (rounds, n_input, ...) and targets: int32 (rounds, n_output, ...), one round a
    batch of samples (a last axis) or one sample (no last axis). colours: ticks in a sweep.
    record: path of the .npy file that takes the counters, int64
    (rounds, phases, 3, samples of a round): sweeps, events, input events.

    Ports: `command_out`, `input_out` (graded input events, in the step that starts a free
    phase), `target_out`; `activity_in` receives how many events each sample caused.
    """

    def __init__(
        self,
        *,
        inputs: npt.NDArray[np.int32],
        targets: npt.NDArray[np.int32],
        colours: int,
        record: str,
    ) -> None:
        super().__init__(inputs=inputs, targets=targets, colours=colours, record=record)
        self.command_out = OutPort(shape=(1,))
        self.input_out = OutPort(shape=inputs.shape[1:])
        self.target_out = OutPort(shape=targets.shape[1:])
        self.activity_in = InPort(shape=inputs.shape[2:] or (1,))
        self.finished = Var(shape=(1,), init=0)
