"""Breaks the link to a board on purpose; see `source_mutants`.

    python testbench/link_mutants.py    (make link-mutants)

Writes build/link-mutants.json; status 1 if one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, campaign

FRAMES = (
    Mutant("boards/link/frames.py", "                & crc.match_detected\n", ""),
    Mutant("boards/link/frames.py", "& (self.end == (count - CRC_BYTES)[: len(count)])", ""),
    Mutant("boards/link/frames.py", "                & ~escaped\n", ""),
    Mutant(
        "boards/link/frames.py",
        "m.d.sync += [self.held.eq(0), inside.eq(0)]",
        "m.d.sync += self.held.eq(0)",
    ),
    Mutant("boards/link/frames.py", "(byte == FLAG) | (byte == ESCAPE)", "byte == FLAG"),
    Mutant("boards/link/uart.py", "(self._cycles - 1) // 2 - 1", "self._cycles - 1"),
    Mutant("boards/link/uart.py", "self.valid.eq(rx)", "self.valid.eq(1)"),
    Mutant(
        "boards/link/protocol.py", "binascii.crc_hqx(data, 0xFFFF)", "binascii.crc_hqx(data, 0)"
    ),
)
LOADS = (
    Mutant(
        "boards/link/loading.py",
        "good = steps.check_holds & ~steps.core.faults.any()",
        "good = ~steps.core.faults.any()",
    ),
    Mutant(
        "boards/link/loading.py",
        "good = steps.check_holds & ~steps.core.faults.any()",
        "good = steps.check_holds",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "steps.loaded.eq(0), steps.loading.eq(1)",
        "steps.loading.eq(1)",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "[steps.reset_core.eq(1), steps.restart_check.eq(1)]",
        "steps.restart_check.eq(1)",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "[steps.reset_core.eq(1), steps.restart_check.eq(1)]",
        "steps.reset_core.eq(1)",
    ),
    Mutant("boards/link/dispatch.py", "steps.reply(m, Code.REPEATED)", "pass"),
    Mutant(
        "boards/link/exchange.py",
        "(reply.sequence, reply.type) != (frame.sequence, frame.type | REPLY)",
        "reply.type != frame.type | REPLY",
    ),
    Mutant("boards/link/exchange.py", "self._sequence = (self._sequence + 1) % 256", "pass"),
    Mutant("boards/link/protocol.py", "        if frame_crc(body):", "        if False:"),
    Mutant("boards/link/host.py", "if State.LOADED not in state:", "if False:"),
)
RUNS = (
    Mutant("boards/link/commands.py", "word.dense.eq(~steps.sparse)", "word.dense.eq(1)"),
    Mutant(
        "boards/link/commands.py",
        "word.last.eq(steps.final & steps.at_end)",
        "word.last.eq(steps.at_end)",
    ),
    Mutant(
        "boards/link/commands.py",
        "word.last.eq(steps.final & steps.at_end)",
        "word.last.eq(steps.final)",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "with m.Elif(steps.open == asks[Request.NUDGE]):",
        "with m.Elif(steps.open & asks[Request.NUDGE]):",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "            m.d.comb += steps.reset_core.eq(1)\n            m.d.sync += steps.open.eq(0)\n",
        "            m.d.sync += steps.open.eq(0)\n",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "[steps.reset_core.eq(1), frame.clear.eq(1)]",
        "frame.clear.eq(1)",
    ),
    Mutant("boards/link/running.py", "        with m.If(core.idle):", "        with m.If(0):"),
    Mutant("boards/link/payload.py", "with m.Elif(steps.partial):", "with m.Elif(0):"),
    Mutant("boards/link/requests.py", "limit = parameters.max_sweeps", "limit = 10_000"),
)
"""Gateware that hangs is found by the host's patience."""

REPLIES = (
    Mutant(
        "boards/link/replies.py",
        "[steps.left.eq(SUMMARY_BYTES - 1), steps.spent.eq(0)]",
        "steps.left.eq(SUMMARY_BYTES - 1)",
    ),
    Mutant(
        "boards/link/replies.py",
        "summary.ready.eq(body.ready & steps.spent)",
        "summary.ready.eq(body.ready)",
    ),
    Mutant(
        "boards/link/frames.py",
        "                    with m.If(taken.last):\n",
        "                    with m.If(self.body.payload.last):\n",
    ),
)

MISUSE = (
    Mutant("boards/link/exchange.py", "garbage += len(received)", "pass"),
    Mutant("boards/link/transport.py", "exclusive=True", "exclusive=False"),
    Mutant("toreq_hw/targets/board.py", "sample + 1, len(samples)", "sample, len(samples)"),
)
"""Of the host alone."""

PARTS = (
    (FRAMES, ("testbench/boards/test_gateware.py",)),
    (LOADS, ("testbench/boards/test_faults.py",)),
    (RUNS, ("testbench/boards/test_link.py",)),
    (REPLIES, ("testbench/boards/test_commands.py",)),
    (MISUSE, ("testbench/boards/test_unruly_boards.py",)),
)

if __name__ == "__main__":
    trials = [(mutant, tests) for mutants, tests in PARTS for mutant in mutants]
    sys.exit(campaign(trials, "link-mutants"))
