"""What a probe is: a simulation device that writes down every change of a population."""

from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess


class Probe(AbstractProcess):
    """Listens to a population's states; shape is that of the population's ports.

    record: path of the binary file that takes rows of six int32: time step of the phase's
    start, tick, neuron, sample of the round, state before, state after. A file, because
    Lava's own `get` moves one array element at a time.
    """

    def __init__(self, *, shape: tuple[int, ...], record: str) -> None:
        super().__init__(record=record)
        self.command_in = InPort(shape=(1,))
        self.state_in = InPort(shape=shape)
