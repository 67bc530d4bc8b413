"""What the external-step controller is: it takes each step from outside and waits for no events."""

import numpy as np
import numpy.typing as npt
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var


class ExternalStepController(AbstractProcess):
    """Presents the sample `present` names, then calls colour after colour until told another.

    inputs: int32 (samples, n_input). outputs: size of the output population. colours: ticks in a
    sweep. present: number of the sample to present in the next step; -1 goes on with the ticks.

    Ports are those of `PhaseController`; the target is always 0, and activity is ignored.
    """

    def __init__(self, *, inputs: npt.NDArray[np.int32], outputs: int, colours: int) -> None:
        super().__init__(inputs=inputs, outputs=outputs, colours=colours)
        self.command_out = OutPort(shape=(1,))
        self.input_out = OutPort(shape=inputs.shape[1:])
        self.target_out = OutPort(shape=(outputs,))
        self.activity_in = InPort(shape=(1,))
        self.present = Var(shape=(1,), init=0)
