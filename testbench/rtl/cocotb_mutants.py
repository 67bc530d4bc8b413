"""Runs inside the simulator: the whole plan on every mutant, each from a reset.

What NUDGE_NEGATIVE keeps of s+ shows at no port: the bench reads it from the states memory itself.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock

from testbench.rtl.bench import Bench
from testbench.rtl.checker import Checker, MismatchError, Seen
from testbench.rtl.model import Phase
from testbench.rtl.plan import Plan
from testbench.rtl.ports import Ports
from testbench.rtl.rejected_words import RejectedWords
from toreq_hw.rtl.live_page import LivePage
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel


@cocotb.test()
async def kill_mutants(dut: Any) -> None:
    """Writes why each mutant died (null for a survivor); the unharmed core must live."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    plan = Plan.load(path)
    unharmed = int(os.environ["TOREQ_HW_UNHARMED"])
    Clock(dut.clk, 10, unit="ns").start()

    async def verdict(mutant: int, bench: Bench) -> str | None:
        dut.mutant.value = mutant
        try:
            await bench.run()
        except (MismatchError, AssertionError) as error:
            return str(error).splitlines()[0]
        return None

    whole = MutantBench(dut, plan)
    before = await verdict(unharmed, whole)
    reasons = []
    for mutant in range(int(os.environ["TOREQ_HW_MUTANTS"])):
        reasons.append(await verdict(mutant, MutantBench(dut, plan)))
        dut._log.info("mutant %d: %s", mutant, reasons[-1])
    after = await verdict(unharmed, MutantBench(dut, plan))
    failure = before or after
    record = {
        "failure": failure,
        "simulator": f"{cocotb.SIM_NAME} {cocotb.SIM_VERSION}",
        "reasons": reasons,
        "kept": whole.checker.kept,
        "phases": whole.checker.phases,
        "cycles": whole.checker.cycles,
        "coverage": dict(whole.coverage.hits),
    }
    path.with_suffix(".json").write_text(json.dumps(record))
    assert failure is None, failure


class MutantBench(Bench):
    """The bench of the core's own tests, with an eye on the states memory."""

    def __init__(self, dut: Any, plan: Plan) -> None:
        super().__init__(dut, plan)
        self.checker: KeepChecker = KeepChecker(self.parameters, TimingModel(self.parameters))
        self.ports = KeepPorts(dut, self.parameters, plan.seed)
        self.rejected_words = RejectedWords(self.ports, self.checker, self.coverage)


@dataclass
class SeenKept(Seen):
    """kept: int64 (neurons,), page BIAS_AND_POSITIVE of the states memory when the summary was taken."""

    kept: npt.NDArray[np.int64]


class KeepPorts(Ports):
    """The streams, and with every summary what the states memory keeps."""

    def __init__(self, dut: Any, parameters: CoreParameters, seed: int) -> None:
        super().__init__(dut, parameters, seed)
        self._page = LivePage.of_states(parameters)

    def _take_summary(self, word: int) -> None:
        super()._take_summary(word)
        self.seen[-1] = SeenKept(**vars(self.seen[-1]), kept=self._kept())

    def _kept(self) -> npt.NDArray[np.int64]:
        page, memory = self._page, self.dut.states_memory
        first = Page.BIAS_AND_POSITIVE * page.rows
        return page.neurons([int(memory[first + row].value) for row in range(page.rows)])


class KeepChecker(Checker):
    """Compares also what NUDGE_NEGATIVE kept with s+; `kept` counts the phases where it did."""

    kept = 0
    _raised: npt.NDArray[np.int16]

    def check(self, image: int, expected: Phase, seen: Seen, *, report: bool) -> None:
        """Raises MismatchError for s+ as well."""
        super().check(image, expected, seen, report=report)
        if expected.command is Command.NUDGE_POSITIVE:
            self._raised = expected.states
        if expected.command is Command.NUDGE_NEGATIVE:
            assert isinstance(seen, SeenKept)
            for neuron in np.flatnonzero(self._raised != seen.kept).tolist():
                raise MismatchError(
                    f"image {image}, phase NUDGE_NEGATIVE, kept of s+, neuron {neuron}: expected "
                    f"{self._raised[neuron]}, got {seen.kept[neuron]}"
                )
            self.kept += 1
