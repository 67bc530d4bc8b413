"""Breaks the link to a board on purpose; see `source_mutants`.

    python testbench/link_mutants.py    (make link-mutants)

Writes build/link-mutants.json; status 1 if one survives. What asks a board frame by frame comes
first: it needs one small model, and most mutants of the command unit die there within seconds.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.learning_link_mutants import LEARNERS, TRAINED
from testbench.source_mutants import Mutant, main

FRAMES = (
    Mutant("boards/link/frames.py", " & crc.match_detected", ""),
    Mutant("boards/link/frames.py", " & (self.end == (count - CRC_BYTES)[: len(count)])", ""),
    Mutant("boards/link/frames.py", "inside & ~escaped & ~overflow", "inside & ~overflow"),
    Mutant("boards/link/frames.py", "good.eq(whole & ~late &", "good.eq(whole &"),
    Mutant("boards/link/frames.py", "write.en.eq(~late)", "write.en.eq(1)"),
    Mutant("boards/link/frames.py", "late.eq(good | (self.held & ~self.release))", "late.eq(good)"),
    Mutant(
        "boards/link/frames.py",
        "short & self.empty & self._urgent",
        "short & self._urgent",
    ),
    Mutant(
        "boards/link/frames.py",
        "short & self.empty & self._urgent",
        "short & self.empty",
    ),
    Mutant(
        "boards/link/frames.py",
        "short & self.empty & self._urgent",
        "short & self.empty & self._urgent & self._resets",
    ),
    Mutant("boards/link/frames.py", "self.interrupts.eq(self.held | ", "self.interrupts.eq(1 | "),
    Mutant("boards/link/frames.py", "(byte == FLAG) | (byte == ESCAPE)", "byte == FLAG"),
    Mutant("boards/link/uart.py", "(self._cycles - 1) // 2 - 1", "self._cycles - 1"),
    Mutant("boards/link/uart.py", "self.valid.eq(rx)", "self.valid.eq(1)"),
    Mutant(
        "boards/link/protocol.py", "binascii.crc_hqx(data, 0xFFFF)", "binascii.crc_hqx(data, 0)"
    ),
)
REJECTED = (
    Mutant(
        "boards/link/loading.py",
        " & whole & registers.at_end",
        " & registers.at_end",
    ),
    Mutant("boards/link/loading.py", "(place != registers.address) | ", ""),
    Mutant("boards/link/loading.py", " | (space != registers.space)", ""),
    Mutant("boards/link/loading.py", " | is_over(registers.space)\n", "\n"),
    Mutant("boards/link/loading.py", "registers.address == rows - 1", "registers.address == rows"),
    Mutant("boards/link/loading.py", "            m.d.sync += registers.address.eq(0)\n", ""),
    Mutant(
        "boards/link/loading.py",
        "& whole & registers.at_end",
        "& whole",
    ),
    Mutant("boards/link/loading.py", "with m.If(~registers.at_end):", "with m.If(0):"),
    Mutant("boards/link/payload.py", "with m.Elif(registers.faults.any()):", "with m.Elif(0):"),
    Mutant(
        "boards/link/replies.py",
        "registers.space.eq(broken(registers))",
        "registers.space.eq(registers.space)",
    ),
    Mutant(
        "boards/link/replies.py",
        "            m.d.sync += registers.open.eq(0)\n",
        "            pass\n",
    ),
    Mutant("boards/link/dispatch.py", "with m.Elif(bare & ~frame.empty):", "with m.Elif(0):"),
    Mutant(
        "boards/link/dispatch.py", "registers.space.eq(Space.WEIGHTS), registers.address.eq(0)", ""
    ),
    Mutant("boards/link/commands.py", " | no_nudge.replicate(bits)", ""),
    Mutant("boards/link/commands.py", "(asked == Command.FREE) | above", "above"),
    Mutant("boards/link/commands.py", " | above\n", "\n"),
    Mutant("boards/link/commands.py", " | Mux(wide_label, classes, 0)", ""),
    Mutant("boards/link/commands.py", " | Mux(wide_index, size, 0)", ""),
    Mutant("boards/link/commands.py", "                registers.open.eq(0),\n", ""),
    Mutant("boards/link/commands.py", "                registers.loading.eq(0),\n", ""),
    Mutant(
        "boards/link/commands.py",
        "            m.d.comb += registers.reset_core.eq(1)\n            m.d.sync += [\n",
        "            m.d.sync += [\n",
    ),
    Mutant(
        "boards/link/commands.py", "_framer.abort.eq(self._frame.interrupts)", "_framer.abort.eq(0)"
    ),
    Mutant("boards/link/running.py", "with m.If(_means_nothing(registers)):", "with m.If(0):"),
    Mutant(
        "boards/link/running.py",
        "        with m.If(~registers.at_end):\n",
        "        with m.If(0):\n",
    ),
    Mutant("boards/link/running.py", "    with m.If(~fits):\n", "    with m.If(0):\n"),
    Mutant("boards/link/running.py", "with m.Elif(~core.idle):", "with m.Elif(0):"),
    Mutant("boards/link/running.py", " | (registers.images & registers.faults.any())", ""),
    Mutant(
        "boards/link/running.py",
        "registers.reports.eq(registers.report)",
        "registers.reports.eq(0)",
    ),
    Mutant(
        "boards/link/replies.py",
        "Mux(registers.reports, rows, 0)",
        "Mux(registers.report, rows, 0)",
    ),
    Mutant(
        "boards/link/replies.py",
        "with m.Elif(registers.reports):",
        "with m.Elif(registers.report):",
    ),
    Mutant("boards/link/replies.py", "registers.last_sequence)", "frame.sequence)"),
    Mutant(
        "boards/link/command_registers.py",
        "self.wide_value.eq(0)",
        "self.wide_value.eq(self.wide_value)",
    ),
)
"""What a host should not send."""

LOADS = (
    Mutant("boards/link/loading.py", "good = registers.check_holds & ", "good = "),
    Mutant(
        "boards/link/dispatch.py",
        "registers.loaded.eq(0), registers.loading.eq(1)",
        "registers.loading.eq(1)",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "[registers.reset_core.eq(1), registers.restart_check.eq(1)]",
        "registers.restart_check.eq(1)",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "[registers.reset_core.eq(1), registers.restart_check.eq(1)]",
        "registers.reset_core.eq(1)",
    ),
    Mutant("boards/link/dispatch.py", "registers.reply(m, Code.REPEATED)", "pass"),
    Mutant(
        "boards/link/exchange.py",
        "(reply.sequence, reply.type) != (frame.sequence, frame.type | REPLY)",
        "reply.type != frame.type | REPLY",
    ),
    Mutant("boards/link/exchange.py", "(Code.UNLOADED, Code.REFUSED)", "(Code.UNLOADED,)"),
    Mutant("boards/link/exchange.py", "self._sequence = (self._sequence + 1) % 256", "pass"),
    Mutant("boards/link/protocol.py", "        if frame_crc(body):", "        if False:"),
    Mutant("boards/link/host.py", "if State.LOADED not in state:", "if False:"),
)
RUNS = (
    Mutant("boards/link/commands.py", "word.dense.eq(~registers.sparse)", "word.dense.eq(1)"),
    Mutant(
        "boards/link/commands.py",
        "word.last.eq(registers.final & registers.at_end",
        "word.last.eq(registers.at_end",
    ),
    Mutant(
        "boards/link/commands.py",
        "word.last.eq(registers.final & registers.at_end",
        "word.last.eq(registers.final",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "with m.Elif(registers.open == (asks[Request.NUDGE] | registers.reads)):",
        "with m.Elif(registers.open & asks[Request.NUDGE]):",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "            m.d.comb += registers.reset_core.eq(1)\n            m.d.sync += registers.open.eq(0)\n",
        "            m.d.sync += registers.open.eq(0)\n",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "[registers.reset_core.eq(1), frame.clear.eq(1)]",
        "frame.clear.eq(1)",
    ),
    Mutant("boards/link/running.py", "with m.If(core.idle | ", "with m.If("),
    Mutant("boards/link/payload.py", "with m.Elif(registers.partial):", "with m.Elif(0):"),
    Mutant("boards/link/requests.py", "return parameters.max_sweeps", "return (10_000)"),
)
"""Gateware that hangs is found by the host's patience."""

REPLIES = (
    Mutant(
        "boards/link/replies.py",
        "                        registers.last_byte_done.eq(0),\n",
        "",
    ),
    Mutant(
        "boards/link/replies.py",
        "summary.ready.eq(body.ready & registers.last_byte_done)",
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

PROTOCOL = "testbench/boards/test_protocol.py"
LEARNING = (
    "testbench/boards/test_learning_requests.py",
    "testbench/boards/test_learning_link.py",
    "testbench/boards/test_sent_ahead.py",
)
HANDED = ("testbench/boards/test_learning_faults.py", "testbench/boards/test_board_training.py")
PARTS = (
    (FRAMES, ("testbench/boards/test_gateware.py", PROTOCOL)),
    (REJECTED, (PROTOCOL, "testbench/boards/test_link_fuzz.py")),
    (LOADS, (PROTOCOL, "testbench/boards/test_faults.py")),
    (RUNS, (PROTOCOL, "testbench/boards/test_link.py")),
    (REPLIES, ("testbench/boards/test_commands.py",)),
    (TRAINED, LEARNING),
    (LEARNERS, HANDED),
    (MISUSE, ("testbench/boards/test_faulty_boards.py",)),
)

if __name__ == "__main__":
    main("link-mutants", [(mutant, tests) for mutants, tests in PARTS for mutant in mutants])
