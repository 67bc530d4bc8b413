"""How a population runs on Lava's model of a Loihi core, in fixed point.

Every `Dense` between populations delays by exactly one time step, so what is sent in one tick
is in the neighbours' accumulators before the next: updating colour by colour is the same here
as in docs/numerics.md. A phase starts in a time step of its own, in which nothing is updated.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from toreq_hw.contract.arithmetic import nudge, to_state
from toreq_hw.lava_backend.command import Command
from toreq_hw.lava_backend.population.process import OutputPopulation, Population

Ints = npt.NDArray[np.int32]


class RelaxingModel(PyLoihiProcessModel):
    """Integers only; one rounding. What all populations share."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    command_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    state_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    activity_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    bias: Ints = LavaPyType(np.ndarray, np.int32, precision=24)
    colour: Ints = LavaPyType(np.ndarray, np.int32, precision=24)
    accumulator: Ints = LavaPyType(np.ndarray, np.int32, precision=24)
    state: Ints = LavaPyType(np.ndarray, np.int32, precision=24)
    equilibrium_accumulator: Ints = LavaPyType(np.ndarray, np.int32, precision=24)
    equilibrium: Ints = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._fraction_bits: int = proc_params["fraction_bits"]
        self._state_min: int = proc_params["state_min"]
        self._state_max: int = proc_params["state_max"]

    def run_spk(self) -> None:
        """One time step: receive, update if it is this colour's tick, send what changed."""
        command = int(self.command_in.recv()[0])
        arrived = self.a_in.recv()
        if command >= 0:
            self.accumulator = self.accumulator + arrived
            change = self._update(command)
        else:
            self._start(Command(command))
            change = np.zeros_like(self.state)
        self.s_out.send(change)
        self.state_out.send(self.state)
        self.activity_out.send(np.count_nonzero(change.reshape(len(change), -1), axis=0))

    def _update(self, colour: int) -> Ints:
        """Updates the neurons of `colour`; returns the change of every state."""
        due = to_state(self.accumulator, self._fraction_bits, self._state_min, self._state_max)
        new = np.where(self.colour == colour, due, self.state)
        change = new - self.state
        self.state = new
        return change

    def _start(self, command: Command) -> None:
        """Prepares a phase. Nothing is under way then: the phase before has settled."""
        if command is Command.FREE:
            self.state = np.zeros_like(self.state)
            self.accumulator = self.bias.copy()
        elif command is Command.POSITIVE:
            self.equilibrium = self.state.copy()
            self.equilibrium_accumulator = self.accumulator.copy()
        elif command is Command.NEGATIVE:
            self.state = self.equilibrium.copy()
            self.accumulator = self.equilibrium_accumulator.copy()


@implements(proc=Population, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PopulationModel(RelaxingModel):
    """A hidden population."""


@implements(proc=OutputPopulation, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class OutputPopulationModel(RelaxingModel):
    """The output: a constant drive on the accumulators during nudged phases."""

    target_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    drive: Ints = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._beta_shift: int = proc_params["beta_shift"]
        self._target = np.zeros(0, dtype=np.int32)

    def run_spk(self) -> None:
        """Receives the target, then does what every population does."""
        self._target = self.target_in.recv()
        super().run_spk()

    def _start(self, command: Command) -> None:
        super()._start(command)
        if command is Command.POSITIVE:
            error = self._target - self.equilibrium
            self.drive = nudge(error, self._fraction_bits, self._beta_shift)
            self.accumulator = self.accumulator + self.drive
        elif command is Command.NEGATIVE:
            self.accumulator = self.accumulator - self.drive
