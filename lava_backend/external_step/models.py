"""How the external-step controller runs: a sample where one is named, else the next tick."""

from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from toreq_hw.lava_backend.command import Command
from toreq_hw.lava_backend.external_step.process import ExternalStepController


@implements(proc=ExternalStepController, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ExternalStepControllerModel(PyLoihiProcessModel):
    """Every step one command."""

    command_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    input_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    target_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    activity_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    present: npt.NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._inputs: npt.NDArray[np.int32] = proc_params["inputs"]
        self._no_target = np.zeros(proc_params["outputs"], dtype=np.int32)
        self._colours: int = proc_params["colours"]
        self._colour = 0

    def run_spk(self) -> None:
        """One time step."""
        sample = int(self.present[0])
        command = int(Command.FREE) if sample >= 0 else self._colour
        self._colour = 0 if sample >= 0 else (self._colour + 1) % self._colours
        self.present[0] = -1
        self.command_out.send(np.array([command], dtype=np.int32))
        nothing = np.zeros(self._inputs.shape[1:], dtype=np.int32)
        self.input_out.send(self._inputs[sample] if sample >= 0 else nothing)
        self.target_out.send(self._no_target)
        self.activity_in.recv()
