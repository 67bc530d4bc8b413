"""What a population is: ports and variables. How it runs is in models.py."""

import numpy as np
import numpy.typing as npt
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var


class Population(AbstractProcess):
    """Neurons that keep an accumulator, round it to a state, and send only changes.

    shape: (size,) for one sample at a time, (size, batch) for many. bias, colour: int32 arrays
    of that shape; a neuron is updated in the ticks of its colour. The update is
    s <- clip((accumulator + 2^(F-1)) >> F, state_min, state_max), with F = fraction_bits.

    Ports: `a_in` takes weighted changes of the neighbours, `command_in` the controller's command;
    `s_out` sends graded events (0 is no event), `activity_out` how many were sent, per sample,
    `state_out` the states, for a probe.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        bias: npt.NDArray[np.int32],
        colour: npt.NDArray[np.int32],
        fraction_bits: int,
        state_min: int,
        state_max: int,
        **others: object,
    ) -> None:
        super().__init__(
            fraction_bits=fraction_bits, state_min=state_min, state_max=state_max, **others
        )
        self.a_in = InPort(shape=shape)
        self.command_in = InPort(shape=(1,))
        self.s_out = OutPort(shape=shape)
        self.state_out = OutPort(shape=shape)
        self.activity_out = OutPort(shape=shape[1:] or (1,))
        self.bias = Var(shape=shape, init=bias)
        self.colour = Var(shape=shape, init=colour)
        self.accumulator = Var(shape=shape, init=0)
        self.state = Var(shape=shape, init=0)
        self.equilibrium_accumulator = Var(shape=shape, init=0)
        self.equilibrium = Var(shape=shape, init=0)


class OutputPopulation(Population):
    """A population that is nudged towards the target it receives on `target_in`.

    beta_shift: the nudge is (error << F) >> beta_shift, error = target - equilibrium.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        bias: npt.NDArray[np.int32],
        colour: npt.NDArray[np.int32],
        fraction_bits: int,
        state_min: int,
        state_max: int,
        beta_shift: int,
    ) -> None:
        super().__init__(
            shape=shape,
            bias=bias,
            colour=colour,
            fraction_bits=fraction_bits,
            state_min=state_min,
            state_max=state_max,
            beta_shift=beta_shift,
        )
        self.target_in = InPort(shape=shape)
        self.drive = Var(shape=shape, init=0)
