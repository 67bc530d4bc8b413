"""Simulated boards for tests, small enough to compile in seconds; each is compiled once."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from testbench.networks import random_case
from testbench.rtl.model import Model, Phase
from toreq_hw import sim
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.simulated import SimulatedTransport, compile_system
from toreq_hw.boards.link.transport import Transport
from toreq_hw.network import Network, Schedule
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.reply import CoreReply, phase_result

CLOCK_HZ = 24_000_000
RUN_LIMIT_S = 20_000 / CLOCK_HZ
"""No phase of these networks takes as many cycles."""


@dataclass(frozen=True)
class Example:
    """A compiled system, with images, and another network that fits the same hardware."""

    network: Network
    other: Network
    parameters: CoreParameters
    library: Path
    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]

    def transport(self, sender_cycles: float | None = None) -> SimulatedTransport:
        """A board just switched on."""
        return SimulatedTransport(self.library, CLOCK_HZ, sender_cycles=sender_cycles)

    def link(self, transport: Transport | None = None) -> BoardLink:
        """A host that has identified it."""
        return BoardLink(transport or self.transport(), self.parameters, RUN_LIMIT_S)

    def expected(self, network: Network) -> list[list[Phase]]:
        """What the simulator says, phase by phase."""
        model = Model(network, self.parameters, self.parameters.max_sweeps)
        return model.phases(self.inputs, self.labels)


@cache
def example(seed: int = 6, lanes: int = 8) -> Example:
    """Two hidden layers, both weight formats, signed and unsigned states."""
    case = random_case(seed, schedule=Schedule.PARITY)
    network = case.network
    weights = [c.with_parameters(-c.parameters) for c in network.couplings]
    biases = {name: bias[::-1].copy() for name, bias in network.biases.items()}
    other = replace(network, couplings=tuple(weights), biases=biases)
    parameters = CoreParameters.of(network, lanes)
    images = MemoryImages.of(network, parameters)
    library = compile_system(parameters, images, CLOCK_HZ)
    return Example(network, other, parameters, library, case.inputs, case.labels)


def differences(replies: tuple[CoreReply, ...], expected: list[Phase]) -> list[str]:
    """What is not as the simulator says, of each phase: states, label and counters."""
    found = []
    for reply, phase in zip(replies, expected, strict=False):
        wanted = phase.result
        if reply.states is None:
            wanted = replace(wanted, states={}, own_classes=wanted.classes)
        got = phase_result(wanted.network, wanted.phase, [reply])
        if difference := sim.first_difference(wanted, got):
            found.append(str(difference))
    return found
