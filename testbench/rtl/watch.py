"""Sees in which state of the sequencer the streams had to wait: back-pressure in every state."""

from typing import Any

from cocotb.triggers import FallingEdge

from testbench.rtl.coverage import Coverage
from toreq_hw.rtl.interfaces import command_payload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.sequencer import Sequencer

SOURCES = ("inputs", "commands", "loads")


class SequencerWatch:
    """Samples the sequencer's state and the handshakes in every cycle."""

    def __init__(self, dut: Any, parameters: CoreParameters, coverage: Coverage) -> None:
        self._dut = dut
        self._coverage = coverage
        self._state = dut.sequencer.phase_state
        self._names = Sequencer(parameters).state_names()
        self._command = command_payload(parameters)["command"]

    async def run(self) -> None:
        """Samples for ever."""
        dut, hit = self._dut, self._coverage.hit
        ports = {
            name: (getattr(dut, f"{name}__valid"), getattr(dut, f"{name}__ready"))
            for name in (*SOURCES, "states", "summary")
        }
        before, idle_cycles = "", 0
        while True:
            await FallingEdge(dut.clk)
            if dut.rst.value:
                before = ""
                continue
            state = self._names[int(self._state.value)]
            waits = {
                name for name, (valid, ready) in ports.items() if valid.value and not ready.value
            }
            hit(f"a source waits in {state}", bool(waits & set(SOURCES)))
            hit("states held back in REPORT", state == "REPORT" and "states" in waits)
            hit("summary held back in SUMMARY", state == "SUMMARY" and "summary" in waits)
            hit("input starved in PRESENT", state == "PRESENT" and not ports["inputs"][0].value)
            idle_cycles = idle_cycles + 1 if state == "IDLE" else 0
            valid, ready = ports["commands"]
            if (
                state == "IDLE"
                and idle_cycles == 1
                and before == "SUMMARY"
                and valid.value
                and ready.value
            ):
                hit("next command taken in the cycle after the summary")
                hit("next image begun in the cycle after the summary", self._begins_image())
            before = state

    def _begins_image(self) -> bool:
        word = int(self._dut.commands__payload.value) >> self._command.offset
        return word & ((1 << self._command.width) - 1) == Command.FREE.value
