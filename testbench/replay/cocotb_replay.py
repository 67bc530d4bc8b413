"""Inside the simulator: every sample of a fault map on a core with a fault port."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

from testbench.replay.replay_plan import ReplayPlan
from testbench.rtl.bench import Bench
from testbench.rtl.checker import MismatchError
from testbench.rtl.plan import Load, Traffic
from testbench.rtl.streams import signed
from toreq_hw.rtl.interfaces import Command, Space
from toreq_hw.rtl.replay import SETTLE_CYCLES, Replay, replay_parameters, words

Wide = npt.NDArray[np.int64]


@cocotb.test(timeout_time=200, timeout_unit="ms")
async def replay(dut: Any) -> None:
    """Leaves states, sweeps and snapshots of every sample beside the plan."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    bench = ReplayBench(dut, ReplayPlan.load(path))
    Clock(dut.clk, 10, unit="ns").start()
    failure: str | None = None
    try:
        await bench.run()
    except MismatchError as mismatch:
        failure = str(mismatch)
    record = {"failure": failure, "samples": bench.found, "simulator": cocotb.SIM_NAME}
    path.with_suffix(".json").write_text(json.dumps(record) + "\n")
    assert failure is None, failure


class ReplayBench(Bench):
    """The bench of the core's own tests, with a hand on the fault port and the memories."""

    def __init__(self, dut: Any, plan: ReplayPlan) -> None:
        super().__init__(dut, plan.plan)
        self.replay_plan = plan
        self.parameters = replay_parameters(plan.plan.network, plan.plan.lanes, plan.max_sweeps)
        self.found: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Loads the map's weights, then relaxes sample after sample."""
        for name in ("touch", "keep", "frozen", "stuck", "inverted", "garbled", "lost", "doubled"):
            self._wire(name).value = 0
        self._wire("hold").value = 1
        await super().run()

    async def _step(self, step: Any) -> None:
        plan = self.replay_plan
        await self._load(Load(plan.damaged))
        self._send_load(Space.MAX_SWEEPS, 0, plan.max_sweeps)
        await self._drained(self.loads)
        for sample, inputs in enumerate(plan.inputs):
            start = plan.start[sample].astype(np.int64)
            one = Replay(self.parameters, plan.damaged, plan.rows, sample, start)
            for name, level in one.levels().items():
                self._wire(name).value = level
            self._send_image(inputs, Traffic())
            self._send_command(Command.FREE, 0, report=True)
            await self._attend(one)
            seen = self.seen[-1]
            assert seen.states is not None
            self.found.append(
                {
                    "states": self._neurons(seen.states).tolist(),
                    "sweeps": seen.summary["sweeps"],
                    "settled": seen.summary["settled"],
                    "snapshots": one.snapshots,
                }
            )

    async def _attend(self, one: Replay) -> None:
        """Acts whenever the core waits, until it has answered."""
        answered, patience = len(self.seen), 200_000
        while len(self.seen) == answered:
            await FallingEdge(self.dut.clk)
            patience -= 1
            if patience < 0:
                raise MismatchError(f"sample {one.sample}: the core never answered")
            if self._wire("waits").value:
                await ClockCycles(self.dut.clk, SETTLE_CYCLES)
                await FallingEdge(self.dut.clk)
                await self._act(one)

    async def _act(self, one: Replay) -> None:
        states = self._states()
        accumulators = words(self._accumulators() - one.halves)
        before = states.copy(), accumulators.copy()
        sweep, position, news = (
            int(self._wire(name).value) for name in ("sweep", "position", "news")
        )
        wires = one.step(states, accumulators, sweep, position, news)
        self._write(self.dut.datapath.states, before[0], states, self.parameters.state_bits)
        halves = one.halves
        memory = self.dut.datapath.accumulators
        self._write(memory, before[1] + halves, accumulators + halves, 32)
        for name in ("touch", "keep", "frozen", "lost", "doubled", "garbled"):
            self._wire(name).value = int(getattr(wires, name))
        await FallingEdge(self.dut.clk)
        self._wire("touch").value = 0
        self._wire("hold").value = 0
        await FallingEdge(self.dut.clk)
        self._wire("hold").value = 1

    def _states(self) -> Wide:
        fields = self._rows_of(self.dut.datapath.states, self.parameters.state_bits)
        if not self.parameters.has_signed_states:
            fields = [field & (1 << self.parameters.state_bits) - 1 for field in fields]
        return self._neurons(np.array(fields, dtype=np.int64))

    def _accumulators(self) -> Wide:
        return self._neurons(
            np.array(self._rows_of(self.dut.datapath.accumulators, 32), dtype=np.int64)
        )

    def _rows_of(self, memory: Any, bits: int) -> list[int]:
        """The live page's fields, two's complement, in slot order."""
        found = []
        for row in range(self.parameters.groups):
            word = int(memory[row].value)
            for lane in range(self.parameters.lanes):
                found.append(signed(word >> bits * lane & (1 << bits) - 1, bits))
        return found

    def _write(self, memory: Any, before: Wide, after: Wide, bits: int) -> None:
        """Writes the rows of the neurons that differ."""
        lanes = self.parameters.lanes
        slots = self._slots()
        for row in sorted({slots[i] // lanes for i in np.flatnonzero(before != after).tolist()}):
            word = int(memory[row].value)
            for neuron, slot in enumerate(slots):
                if slot // lanes == row:
                    mask = (1 << bits) - 1 << bits * (slot % lanes)
                    field = int(after[neuron]) << bits * (slot % lanes)
                    word = word & ~mask | field & mask
            memory[row].value = word

    def _neurons(self, slots: Wide) -> Wide:
        return slots[self._slots()]

    def _slots(self) -> list[int]:
        lanes = self.parameters.lanes
        return [s.first_group * lanes + k for s in self.parameters.relaxing for k in range(s.size)]

    def _wire(self, name: str) -> Any:
        return getattr(self.dut, f"upsets__{name}")
