"""The bench around one core inside the simulator: what to send, and what to make of replies."""

import random
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from testbench.rtl.checker import Checker, MismatchError, Seen
from testbench.rtl.coverage import Coverage
from testbench.rtl.model import Model
from testbench.rtl.plan import (
    BadTraffic,
    Images,
    Limit,
    Load,
    Plan,
    ResetMidRun,
    Step,
    Threshold,
    Traffic,
)
from testbench.rtl.streams import EventMonitor, StreamDriver, StreamMonitor, signed
from testbench.rtl.watch import SequencerWatch
from toreq_hw.rtl.images import LoadWord, load_words, threshold_word
from toreq_hw.rtl.interfaces import (
    SPACE_BITS,
    Command,
    Fault,
    Space,
    command_payload,
    input_payload,
    load_payload,
    pack,
    states_payload,
    summary_payload,
    unpack,
)
from toreq_hw.rtl.timing import TimingModel

LIMIT_CYCLES = 10_000
"""No phase of these tests takes longer; a core that hangs fails instead of waiting."""


class Bench:
    """Drives the steps of a plan and checks everything the core answers."""

    def __init__(self, dut: Any, plan: Plan) -> None:
        self.dut = dut
        self.watches = hasattr(dut, "sequencer")  # a flat netlist has lost it
        self.plan = plan
        self.parameters = plan.parameters
        self.network = plan.network
        self._forget_settings()
        self.coverage = Coverage()
        self.checker = Checker(self.parameters, TimingModel(self.parameters))
        self.images = 0
        rng = random.Random(plan.seed)
        self.inputs = StreamDriver(dut, "inputs", rng)
        self.commands = StreamDriver(dut, "commands", rng)
        self.loads = StreamDriver(dut, "loads", rng)
        self.summary = StreamMonitor(dut, "summary", rng, self._take_summary)
        self.states = StreamMonitor(dut, "states", rng, self._take_states)
        self.monitor = EventMonitor(dut, self.parameters.delta_bits)
        self.seen: list[Seen] = []
        self._rows: list[int] = []
        self._fault_slack = 0

    async def run(self) -> None:
        """All steps, in order."""
        await self.reset()
        ports = (self.inputs, self.commands, self.loads, self.summary, self.states, self.monitor)
        watches = [SequencerWatch(self.dut, self.parameters, self.coverage)] if self.watches else []
        tasks = [cocotb.start_soon(part.run()) for part in (*ports, *watches)]
        try:
            if not all(store.initialised for store in self.parameters.stores):
                await self._load(Load(self.network))
            for step in self.plan.steps:
                await self._step(step)
                self._check_streams()
        finally:
            for task in tasks:
                task.cancel()
        for name, part in (("states", self.states), ("summary", self.summary)):
            self.coverage.hit(f"{name} held back", part.waited)
        self.coverage.hit("input held back", self.inputs.waited)
        self.coverage.hit("command held back", self.commands.waited)
        self.coverage.hit("load held back", self.loads.waited)

    def _check_streams(self) -> None:
        for sink in (self.states, self.summary):
            if sink.error:
                raise MismatchError(f"image {self.images}, {sink.error}")

    async def reset(self) -> None:
        """Two cycles of reset; forgets everything under way."""
        for driver in (self.inputs, self.commands, self.loads):
            driver.drop()
        self.states.in_reset = self.summary.in_reset = True
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)
        self.states.in_reset = self.summary.in_reset = False
        self.monitor.take()
        self.seen.clear()
        self._rows.clear()
        self._fault_slack = 0
        self._forget_settings()

    def _forget_settings(self) -> None:
        """What a reset does to loaded registers, unlike loaded memories."""
        self.max_sweeps = self.parameters.max_sweeps
        self.threshold = self.parameters.threshold or 0

    @property
    def model(self) -> Model:
        """Of what the core holds now."""
        return Model(self.network, self.parameters, self.max_sweeps, self.threshold)

    async def _step(self, step: Step) -> None:
        match step:
            case Images():
                await self._run_images(step)
            case Load():
                await self._load(step)
            case Limit():
                self._send_load(Space.MAX_SWEEPS, 0, step.max_sweeps)
                await self._drained(self.loads)
                self.max_sweeps = step.max_sweeps
            case Threshold():
                self._send_word(threshold_word(self.parameters, step.threshold))
                await self._drained(self.loads)
                self.threshold = step.threshold
                self.coverage.hit("threshold loaded between images")
            case ResetMidRun():
                await self._reset_mid_run(step)
            case BadTraffic():
                await self._bad_traffic(step.turn)

    async def _run_images(self, step: Images) -> None:
        """Queues all images at once: the core alone decides when it takes what."""
        self._set_traffic(step.traffic)
        expected = self.model.phases(step.inputs, step.labels)
        first = len(self.seen)
        starved = self.inputs.sent
        for image, phases in enumerate(expected):
            self._send_image(step.inputs[image], step.traffic)
            for phase in phases:
                label = 0 if step.labels is None else int(step.labels[image])
                self._send_command(phase.command, label, report=step.traffic.report)
        if step.labels is None:
            await self._load_between_images()
        wanted = [(k, phase) for k, phases in enumerate(expected) for phase in phases]
        await self._phases(first + len(wanted))
        self.coverage.hit("input starved", step.traffic.idle > 0 and self.inputs.sent > starved)
        for (image, phase), seen in zip(wanted, self.seen[first:], strict=True):
            self.checker.check(self.images + image, phase, seen, report=step.traffic.report)
            self.coverage.of_phase(self.parameters, phase)
        self._cover_inputs(step)
        self.images += len(expected)

    async def _load_between_images(self) -> None:
        """A load that comes while the core works waits until it is idle, and changes nothing."""
        await ClockCycles(self.dut.clk, 5)
        self._send_load(Space.MAX_SWEEPS, 0, self.max_sweeps)

    def _cover_inputs(self, step: Images) -> None:
        self.coverage.hit("empty input", int(np.sum(~step.inputs.any(axis=1))))
        self.coverage.hit("sparse input" if step.traffic.sparse else "dense input")
        self.coverage.hit("report" if step.traffic.report else "no report")
        if not step.traffic.sparse:
            self.coverage.hit("zero input dropped", int(np.sum(step.inputs == 0)))

    async def _phases(self, count: int) -> None:
        """Waits for `count` summaries; a hang is an error."""
        patience, seen = LIMIT_CYCLES, len(self.seen)
        while len(self.seen) < count:
            if patience <= 0:
                raise MismatchError(
                    f"image {self.images}: expected {count} phases, {LIMIT_CYCLES} cycles each at "
                    f"most, got {len(self.seen)}"
                )
            patience = LIMIT_CYCLES if len(self.seen) > seen else patience - 20
            seen = len(self.seen)
            await ClockCycles(self.dut.clk, 20)

    async def _load(self, step: Load) -> None:
        """Every row of every memory, while the commands of the next images already wait."""
        for word in load_words(step.network, self.parameters):
            self._send_word(word)
        await self._drained(self.loads)
        self.network = step.network
        self.coverage.hit("weights reloaded between images")

    async def _reset_mid_run(self, step: ResetMidRun) -> None:
        self._set_traffic(Traffic())
        self.states.stall = self.summary.stall = 1.0
        self._send_image(step.inputs, Traffic())
        self._send_command(Command.FREE, 0, report=True)
        await ClockCycles(self.dut.clk, step.after)
        await FallingEdge(self.dut.clk)
        if self.dut.states__valid.value:
            self.coverage.hit("reset while results wait")
        elif self.monitor.events:
            self.coverage.hit("reset while relaxing")
        elif self.monitor.inputs:
            self.coverage.hit("reset while presenting")
        await self.reset()

    async def _bad_traffic(self, turn: int) -> None:
        """Wrong words among right ones: flagged, counted, and without any other effect."""
        self._set_traffic(Traffic())
        faults: list[Fault] = []
        commands, loads, image = self._bad_commands, self._bad_loads, self._bad_image
        orders = ((commands, loads, image), (loads, commands, image), (image, loads, commands))
        for group in orders[turn]:
            await group(faults)
        for fault in faults:
            self.coverage.hit(f"fault {fault.name}")
        await self.reset()
        self._check_faults([])

    async def _settle(self) -> None:
        """Until every word is taken, and what it did can be seen."""
        for driver in (self.loads, self.commands, self.inputs):
            await self._drained(driver)
        await ClockCycles(self.dut.clk, 3)

    def _check_faults(self, faults: list[Fault]) -> None:
        flags, count = int(self.dut.faults.value), int(self.dut.fault_count.value)
        wanted = sum(1 << fault for fault in set(faults))
        stops = (1 << self.parameters.sweep_bits) - 4  # three ports may refuse at once
        least = min(len(faults), stops)
        if flags != wanted or not least <= count <= least + self._fault_slack:
            raise MismatchError(
                f"faults: expected flags {wanted:#b} count {least}, got {flags:#b} {count}"
            )

    async def _bad_commands(self, faults: list[Fault]) -> None:
        """Commands out of order, the second with a wrong label too, and one that does not exist."""
        for command, label in (
            (Command.RAISE, 0),
            (Command.LOWER, self.parameters.classes),
            (3, 0),
        ):
            self._send_command(command, label, report=False)
            await self._settle()
            faults.append(Fault.COMMAND)
            self._check_faults(faults)

    async def _bad_loads(self, faults: list[Fault]) -> None:
        for fault, space, address, word in self._wrong_loads():
            self._send_load(space, address, word)
            await self._settle()
            faults.append(fault)
            self._check_faults(faults)

    def _wrong_loads(self) -> list[tuple[Fault, int, int, int]]:
        """Rows and spaces that the core does not have, and values that are no weights."""
        parameters = self.parameters
        stores = len(parameters.stores)
        wrong: list[tuple[Fault, int, int, int]] = [
            (Fault.LOAD_ADDRESS, Space.BIAS, parameters.groups * parameters.lanes, 1),
            (Fault.LOAD_ADDRESS, Space.MAX_SWEEPS, 1, 1),
            (Fault.LOAD_DATA, Space.MAX_SWEEPS, 0, 0),
        ]
        spaces = set(range(stores, 1 << SPACE_BITS)) - {Space.BIAS, Space.MAX_SWEEPS}
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

    async def _bad_image(self, faults: list[Fault]) -> None:
        """An image full of wrong words is the image without them; then a wrong label.

        The phase comes first, or an image longer than what the port works ahead would wait for it.
        """
        slot = self.parameters.input
        self._send_command(Command.FREE, 0, report=True)
        for index in range(slot.size):
            self._send_input(index=index, value=slot.state_max)
            self._send_input(index=index, value=slot.state_max)
            faults.append(Fault.INPUT_INDEX)
            await self._settle()
            self._check_faults(faults)
        if len(faults) + 3 > (1 << self.parameters.sweep_bits) - 4:
            self._fault_slack = 2  # refused in one cycle, these may pass the end of the count
        if slot.signed:
            self._send_input(index=slot.size, value=slot.state_min - 1)
            faults += [Fault.INPUT_VALUE]
        self._send_input(dense=1, value=slot.state_max, last=1)
        faults.append(Fault.INPUT_INDEX)
        self._send_command(Command.RAISE, self.parameters.classes, report=False)
        faults.append(Fault.LABEL)
        inputs = np.full((1, slot.size), slot.state_max, dtype=np.int16)
        (phase,) = self.model.phases(inputs, None)[0]
        await self._phases(len(self.seen) + 1)
        await self._settle()
        self.checker.check(self.images, phase, self.seen[-1], report=True)
        self._check_faults(faults)

    def _set_traffic(self, traffic: Traffic) -> None:
        for driver in (self.inputs, self.commands, self.loads):
            driver.idle = traffic.idle
        for sink in (self.states, self.summary):
            sink.stall = traffic.stall

    def _send_image(self, values: npt.NDArray[np.int16], traffic: Traffic) -> None:
        if not traffic.sparse:
            for index, value in enumerate(values.tolist()):
                self._send_input(dense=1, value=value, last=index == len(values) - 1)
            return
        indices = np.flatnonzero(values).tolist() or [0]
        for index in indices:
            self._send_input(index=index, value=int(values[index]), last=index == indices[-1])

    def _send_input(self, **fields: int) -> None:
        self.inputs.send(pack(input_payload(self.parameters), **fields))

    def _send_command(self, command: "Command | int", label: int, *, report: bool) -> None:
        number = command.value if isinstance(command, Command) else command
        layout = command_payload(self.parameters)
        self.commands.send(pack(layout, command=number, label=label, report=report))

    def _send_word(self, word: LoadWord) -> None:
        self._send_load(word.space, word.address, word.data)

    def _send_load(self, space: int, address: int, word: int) -> None:
        layout = load_payload(self.parameters)
        self.loads.send(pack(layout, space=space, address=address, data=word))

    async def _drained(self, driver: StreamDriver) -> None:
        """Waits until every word is taken; a stream that stands still is an error."""
        pending, patience = driver.pending, LIMIT_CYCLES
        while driver.pending:
            if patience == 0:
                raise MismatchError(f"{pending} words were never taken in {LIMIT_CYCLES} cycles")
            patience = LIMIT_CYCLES if driver.pending < pending else patience - 1
            pending = driver.pending
            await RisingEdge(self.dut.clk)

    def _take_states(self, word: int) -> None:
        self._rows.append(word)

    def _take_summary(self, word: int) -> None:
        events, inputs = self.monitor.take()
        fields = unpack(summary_payload(self.parameters), word)
        self.seen.append(Seen(fields, events, inputs, self._taken_states()))

    def _taken_states(self) -> npt.NDArray[np.int64] | None:
        rows, self._rows = self._rows, []
        if not rows:
            return None
        layout = states_payload(self.parameters)
        states = []
        for number, row in enumerate(rows):
            fields = unpack(layout, row)
            last = number == self.parameters.slices - 1
            if (fields["slice"], fields["last"]) != (number, last):
                self.states.error = self.states.error or (
                    f"states: expected slice {number} last {int(last)}, got {fields['slice']} "
                    f"{fields['last']}"
                )
            states += self._lanes(fields["states"])
        return np.array(states, dtype=np.int64)

    def _lanes(self, word: int) -> list[int]:
        bits = self.parameters.state_bits
        values = [
            (word >> (k * bits)) & ((1 << bits) - 1) for k in range(self.parameters.update_lanes)
        ]
        if self.parameters.has_signed_states:
            values = [signed(value, bits) for value in values]
        return values
