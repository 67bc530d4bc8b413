"""Inside the simulator: every sample of a fault map on a core with a fault port."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

from testbench.replay.replay_plan import ReplayPlan
from testbench.rtl.bench import Bench
from testbench.rtl.checker import MismatchError
from testbench.rtl.plan import Load, Traffic
from toreq_hw.records import plain
from toreq_hw.records.replay import CoreReplay
from toreq_hw.rtl.datapath import DRAIN_CYCLES
from toreq_hw.rtl.live_page import LivePage
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.replay import WIRES, Replay


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
    record = {"failure": failure, "samples": plain(bench.found), "simulator": cocotb.SIM_NAME}
    path.with_suffix(".json").write_text(json.dumps(record) + "\n")
    assert failure is None, failure


class ReplayBench(Bench):
    """The bench of the core's own tests, with a hand on the fault port and the memories."""

    def __init__(self, dut: Any, plan: ReplayPlan) -> None:
        super().__init__(dut, plan.plan)
        self.replay_plan = plan
        self.parameters = plan.parameters
        self.pages = (
            LivePage.of_states(self.parameters),
            LivePage.of_accumulators(self.parameters),
        )
        self.found: list[CoreReplay] = []

    async def run(self) -> None:
        """Loads the map's weights, then relaxes sample after sample."""
        for name in (*WIRES, "stuck", "state_xor_mask"):
            self._wire(name).value = 0
        self._wire("hold").value = 1
        await super().run()

    async def _step(self, step: Any) -> None:
        plan = self.replay_plan
        await self.load(Load(plan.damaged))
        self.ports.send_load(Space.MAX_SWEEPS, 0, plan.max_sweeps)
        await self.ports.drained(self.ports.loads)
        for sample, inputs in enumerate(plan.inputs):
            start = plan.start[sample].astype(np.int64)
            one = Replay(self.parameters, plan.damaged, plan.rows, sample, start)
            for name, level in one.levels().items():
                self._wire(name).value = level
            self.ports.send_image(inputs, Traffic())
            self.ports.send_command(Command.FREE, 0, report=True)
            await self._attend(one)
            seen = self.ports.seen[-1]
            assert seen.states is not None
            self.found.append(
                CoreReplay(
                    states=seen.states[list(self.pages[0].addresses)].tolist(),
                    sweeps=seen.summary["sweeps"],
                    settled=bool(seen.summary["settled"]),
                    snapshots=one.snapshots,
                )
            )

    async def _attend(self, one: Replay) -> None:
        """Acts whenever the core waits, until it has answered."""
        answered, patience = len(self.ports.seen), 200_000
        while len(self.ports.seen) == answered:
            await FallingEdge(self.dut.clk)
            patience -= 1
            if patience < 0:
                raise MismatchError(f"sample {one.sample}: the core never answered")
            if self._wire("waits").value:
                await ClockCycles(self.dut.clk, DRAIN_CYCLES)
                await FallingEdge(self.dut.clk)
                await self._act(one)

    async def _act(self, one: Replay) -> None:
        memories = self.dut.datapath.states, self.dut.datapath.accumulators
        words = [
            [int(memory[row].value) for row in range(page.rows)]
            for page, memory in zip(self.pages, memories, strict=True)
        ]
        states, accumulators = (
            page.neurons(rows) for page, rows in zip(self.pages, words, strict=True)
        )
        sweep, position, pending_blocks = (
            int(self._wire(name).value) for name in ("sweep", "position", "pending_blocks")
        )
        wires = one.step(states, accumulators, sweep, position, pending_blocks)
        after = (states, accumulators)
        for page, memory, rows, neurons in zip(self.pages, memories, words, after, strict=True):
            for row, word in page.changed_rows(rows, neurons).items():
                memory[row].value = word
        for name in WIRES:
            self._wire(name).value = int(getattr(wires, name))
        await FallingEdge(self.dut.clk)
        self._wire("set_pending").value = 0
        self._wire("hold").value = 0
        await FallingEdge(self.dut.clk)
        self._wire("hold").value = 1

    def _wire(self, name: str) -> Any:
        return getattr(self.dut, f"upsets__{name}")
