"""How a probe runs: it compares states from step to step and appends what changed to a file."""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from toreq_hw.lava_backend.command import Command
from toreq_hw.lava_backend.probe.process import Probe


@implements(proc=Probe, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ProbeModel(PyLoihiProcessModel):
    """Counts phases and ticks from the commands it receives too."""

    command_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    state_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._record: str = proc_params["record"]
        self._before = np.zeros(0, dtype=np.int32)
        self._phase = -1
        self._tick = 0

    def run_spk(self) -> None:
        """One time step; only ticks leave rows."""
        command = int(self.command_in.recv()[0])
        state = self.state_in.recv()
        state = state.reshape(len(state), -1)
        if command >= 0:
            self._tick += 1
            self._write(state)
        elif command != Command.IDLE:
            self._phase += 1
            self._tick = 0
        self._before = state.copy()

    def _write(self, state: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        neurons, samples = np.nonzero(state != self._before)
        if len(neurons):
            rows = np.empty((len(neurons), 6), dtype=np.int32)
            rows[:, 0], rows[:, 1] = self._phase, self._tick
            rows[:, 2], rows[:, 3] = neurons, samples
            rows[:, 4], rows[:, 5] = self._before[neurons, samples], state[neurons, samples]
            with open(self._record, "ab") as file:
                file.write(rows.tobytes())
