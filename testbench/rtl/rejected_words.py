"""Wrong words: each must be flagged and counted, and have no other effect."""

from functools import partial

import numpy as np

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.coverage import Coverage
from testbench.rtl.model import Model, Phase
from testbench.rtl.plan import LoadBetweenPhases, Traffic
from testbench.rtl.ports import Ports
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command

IMAGE_FIRST = 2
"""The turn of `BadTraffic` in which the image comes before the commands."""


class RejectedWords:
    """Sends what a core must refuse. `model` is of what the core holds; a reset comes after all.

    fault_slack: how many words the count may have taken beyond where it stops.
    """

    def __init__(self, ports: Ports, checker: Checker, coverage: Coverage) -> None:
        self._ports = ports
        self._parameters = ports.parameters
        self._checker = checker
        self._coverage = coverage
        self.fault_slack = 0

    async def bad_traffic(self, turn: int, model: Model) -> None:
        """Wrong words among right ones: flagged, counted, and without any other effect."""
        self._ports.set_traffic(Traffic())
        faults: list[Fault] = []
        # After an image NUDGE_POSITIVE would fit, and words that are refused do not change that.
        wrong = Command.NUDGE_NEGATIVE if turn == IMAGE_FIRST else Command.NUDGE_POSITIVE
        commands, loads = partial(self._bad_commands, wrong), self._bad_loads
        image = partial(self._bad_image, model)
        orders = ((commands, loads, image), (loads, commands, image), (image, loads, commands))
        for group in orders[turn]:
            await group(faults)
        for fault in faults:
            self._coverage.hit(f"fault {fault.name}")

    async def load_between_phases(self, step: LoadBetweenPhases, model: Model) -> None:
        """A refused load leaves the next nudge possible; one that is taken does not."""
        ports, label, faults = self._ports, step.label, [Fault.LOAD_ADDRESS]
        ports.set_traffic(Traffic())
        free, raised, _ = model.phases(step.inputs[None], np.array([label]))[0]
        ports.send_image(step.inputs, Traffic())
        await self._phase(free, label)
        ports.send_load(Space.MAX_SWEEPS, 1, 1)
        await ports.settle()
        self.check(faults)
        await self._phase(raised, label)
        self._coverage.hit("refused load between phases")
        ports.send_load(Space.MAX_SWEEPS, 0, 1)
        await ports.settle()
        ports.send_command(Command.NUDGE_NEGATIVE, label, report=False)
        await ports.settle()
        self.check([*faults, Fault.COMMAND])
        self._coverage.hit("load between phases")
        ports.images += 1

    async def _phase(self, expected: Phase, label: int) -> None:
        ports = self._ports
        ports.send_command(expected.command, label, report=True)
        await ports.phases(len(ports.seen) + 1)
        self._checker.check(ports.images, expected, ports.seen[-1], report=True)

    def check(self, faults: list[Fault]) -> None:
        """Raises MismatchError unless exactly these words were refused since the reset."""
        flags, count = int(self._ports.dut.faults.value), int(self._ports.dut.fault_count.value)
        wanted = sum(1 << fault for fault in set(faults))
        stops = (1 << self._parameters.sweep_bits) - 4  # three ports may refuse at once
        least = min(len(faults), stops)
        if flags != wanted or not least <= count <= least + self.fault_slack:
            raise MismatchError(
                f"faults: expected flags {wanted:#b} count {least}, got {flags:#b} {count}"
            )

    async def _bad_commands(self, wrong: Command, faults: list[Fault]) -> None:
        """Commands out of order, the second with a wrong label too, and one that does not exist."""
        for command, label in (
            (wrong, 0),
            (Command.NUDGE_NEGATIVE, self._parameters.classes),
            (3, 0),
        ):
            self._ports.send_command(command, label, report=False)
            await self._ports.settle()
            faults.append(Fault.COMMAND)
            self.check(faults)

    async def _bad_loads(self, faults: list[Fault]) -> None:
        for fault, space, address, word in self._wrong_loads():
            self._ports.send_load(space, address, word)
            await self._ports.settle()
            faults.append(fault)
            self.check(faults)

    def _wrong_loads(self) -> list[tuple[Fault, int, int, int]]:
        """Rows and spaces that the core does not have, and values that are no weights."""
        parameters = self._parameters
        stores = len(parameters.stores)
        wrong: list[tuple[Fault, int, int, int]] = [
            (Fault.LOAD_ADDRESS, Space.BIAS, parameters.groups * parameters.lanes, 1),
            (Fault.LOAD_ADDRESS, Space.MAX_SWEEPS, 1, 1),
            (Fault.LOAD_DATA, Space.MAX_SWEEPS, 0, 0),
        ]
        spaces = set(range(stores, 1 << parameters.space_bits)) - {Space.BIAS, Space.MAX_SWEEPS}
        if parameters.lossy:
            spaces.remove(Space.THRESHOLD)
            wrong += [
                (Fault.LOAD_ADDRESS, Space.THRESHOLD, 1, 0),
                (Fault.LOAD_DATA, Space.THRESHOLD, 0, parameters.highest_threshold + 1),
            ]
        wrong += [(Fault.LOAD_ADDRESS, space, 0, 0) for space in sorted(spaces)]
        for number, store in enumerate(parameters.stores):
            wrong.append((Fault.LOAD_ADDRESS, number, store.words, 0))
            for lane in range(parameters.lanes):
                lowest = 1 << (store.width - 1)
                wrong.append((Fault.LOAD_DATA, number, 0, lowest << (lane * store.width)))
        return wrong

    async def _bad_image(self, model: Model, faults: list[Fault]) -> None:
        """An image full of wrong words is the image without them; then a wrong label.

        The phase comes first, or an image longer than what the port works ahead would wait for it.
        """
        placement = self._parameters.input
        self._ports.send_command(Command.FREE, 0, report=True)
        for index in range(placement.size):
            self._ports.send_input(index=index, value=placement.state_max)
            self._ports.send_input(index=index, value=placement.state_max)
            faults.append(Fault.INPUT_INDEX)
            await self._ports.settle()
            self.check(faults)
        if len(faults) + 3 > (1 << self._parameters.sweep_bits) - 4:
            self.fault_slack = 2  # refused in one cycle, these may pass the end of the count
        if placement.signed:
            self._ports.send_input(index=placement.size, value=placement.state_min - 1)
            faults += [Fault.INPUT_VALUE]
        self._ports.send_input(dense=1, value=placement.state_max, last=1)
        faults.append(Fault.INPUT_INDEX)
        self._ports.send_command(Command.NUDGE_POSITIVE, self._parameters.classes, report=False)
        faults.append(Fault.LABEL)
        inputs = np.full((1, placement.size), placement.state_max, dtype=np.int16)
        (phase,) = model.phases(inputs, None)[0]
        await self._ports.phases(len(self._ports.seen) + 1)
        await self._ports.settle()
        self._checker.check(self._ports.images, phase, self._ports.seen[-1], report=True)
        self.check(faults)
