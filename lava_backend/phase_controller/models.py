"""How the phase controller runs: it sends before it receives, so no process waits for another."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from toreq_hw.lava_backend.command import PHASE_COMMANDS, Command
from toreq_hw.lava_backend.phase_controller.process import PhaseController


@implements(proc=PhaseController, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PhaseControllerModel(PyLoihiProcessModel):
    """Round by round, phase by phase, sweep by sweep; a sweep without events ends a phase."""

    command_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    input_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    target_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    activity_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    finished: npt.NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._inputs: npt.NDArray[np.int32] = proc_params["inputs"]
        self._targets: npt.NDArray[np.int32] = proc_params["targets"]
        self._colours: int = proc_params["colours"]
        self._record: str = proc_params["record"]
        self._activity = np.zeros(self._inputs.shape[2:] or (1,), dtype=np.int32)
        self._steps = self._step_through_phases()

    def run_spk(self) -> None:
        """One time step; after the last sample, idle steps."""
        command, presented = next(self._steps, (Command.IDLE, 0))
        self.command_out.send(np.array([command], dtype=np.int32))
        nothing = np.zeros(self._inputs.shape[1:], dtype=np.int32)
        starts = command == Command.FREE
        self.input_out.send(self._inputs[presented] if starts else nothing)
        self.target_out.send(self._targets[presented])
        self._activity = self.activity_in.recv()

    def _step_through_phases(self) -> Iterator[tuple[int, int]]:
        """Yields (command, round) of every time step; `_activity` is what it caused."""
        rounds, samples = len(self._inputs), len(self._activity)
        counters = np.zeros((rounds, len(PHASE_COMMANDS), 3, samples), dtype=np.int64)
        for index in range(rounds):
            for phase, command in enumerate(PHASE_COMMANDS):
                yield command, index
                yield from self._relax(index, counters[index, phase])
            presented = self._inputs[index].reshape(-1, samples)
            counters[index, 0, 2] = np.count_nonzero(presented, axis=0)
        np.save(self._record, counters)
        self.finished[0] = 1

    def _relax(self, index: int, counters: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Sweeps until no sample sent an event during a whole sweep."""
        settled = np.zeros(len(self._activity), dtype=bool)
        while not settled.all():
            active = np.zeros_like(settled)
            for colour in range(self._colours):
                yield colour, index
                counters[1] += self._activity
                active |= self._activity > 0
            counters[0] += ~settled
            settled |= ~active
