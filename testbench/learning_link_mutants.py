"""Breaks the link to a board that learns, and its host; `link_mutants` runs these too."""

from testbench.source_mutants import Mutant

TRAINED = (
    Mutant("boards/link/training.py", "with m.Elif(number != own.samples):", "with m.Elif(0):"),
    Mutant(
        "boards/link/training.py",
        "with m.Elif(~below(label, registers.parameters.classes)):",
        "with m.Elif(0):",
    ),
    Mutant("boards/link/training.py", "(registers.flags & NOT_TRAINING).any() | ", ""),
    Mutant(
        "boards/link/training.py",
        "own.updates.eq(own.step == Command.NUDGE_NEGATIVE)",
        "own.updates.eq(own.step == Command.NUDGE_POSITIVE)",
    ),
    Mutant("boards/link/training.py", ", own.samples.eq(own.samples + 1)]", "]"),
    Mutant("boards/link/commands.py", "with m.If(registers.learning.updates):", "with m.If(0):"),
    Mutant("boards/link/commands.py", ", command.label.eq(own.label)]", "]"),
    Mutant("boards/link/commands.py", "own.counts & ~registers.last_byte_done", "Const(0)"),
    Mutant("boards/link/commands.py", "own.counts & ~registers.last_byte_done", "own.counts"),
    Mutant(
        "rtl/learning/registers.py",
        "Signal(32, init=1, reset_less=True)",
        "Signal(32, init=1)",
    ),
    Mutant("boards/link/dispatch.py", " & ~registers.reads", ""),
    Mutant("boards/link/dispatch.py", " | registers.sets", ""),
    Mutant("boards/link/dispatch.py", "(registers.trains & first)", "registers.trains"),
    Mutant("boards/link/training.py", ".any() | reports)", ".any())"),
    Mutant("boards/link/training.py", "m.d.comb += registers.frame.works.eq(1)", "pass"),
    Mutant(
        "boards/link/training.py", "m.d.sync += registers.read_address.eq(HEADER_BYTES)", "pass"
    ),
    Mutant(
        "boards/link/training.py", '    with m.If(ends & trains):\n        m.next = "WAIT"\n', ""
    ),
    Mutant(
        "boards/link/training.py", "Mux(own.step == Command.LEARN, LEARN_BYTES - 1,", "Mux(0, 0,"
    ),
    Mutant("boards/link/replies.py", "frame.release.eq(registers.trains)", "frame.release.eq(0)"),
    Mutant(
        "boards/link/command_registers.py",
        "self.waits if self.learning is not None else 1",
        "1",
    ),
    Mutant("boards/link/frames.py", "beside = late | self.works", "beside = late"),
    Mutant(
        "boards/link/frames.py",
        "self.interrupts.eq(self.held | self.works)",
        "self.interrupts.eq(self.held)",
    ),
    Mutant(
        "boards/link/dispatch.py",
        "m.d.sync += registers.learning.wrong_moment.eq(1)",
        "pass",
    ),
    Mutant("boards/link/loading.py", "registers.learning.samples.eq(0)", "registers.code.eq(0)"),
    Mutant(
        "boards/link/read_back.py", "with m.If(core.faults[Fault.LOAD_ADDRESS]):", "with m.If(0):"
    ),
    Mutant("boards/link/read_back.py", "~length[1:LENGTH_BITS].any() | ", ""),
    Mutant("boards/link/read_back.py", "~length[1:LENGTH_BITS].any()", "~length.any()"),
    Mutant("boards/link/read_back.py", " | length[LENGTH_BITS:].any()", ""),
    Mutant("boards/link/read_back.py", "~registers.at_end | ", ""),
    Mutant("boards/link/read_back.py", "with m.Elif(~registers.core.idle):", "with m.Elif(0):"),
    Mutant("boards/link/read_back.py", "address[len(registers.address) :].any() | ", ""),
    Mutant("boards/link/read_back.py", " | space[len(registers.space) :].any()", ""),
    Mutant("boards/link/read_back.py", "m.d.sync += registers.space.eq(~0)", "pass"),
    Mutant("boards/link/read_back.py", ", registers.partial.eq(0)]", "]"),
    Mutant("boards/link/running.py", "registers.row[:8].eq(0)]", "]"),
    Mutant(
        "boards/link/running.py", "own.counts.eq(1), registers.partial.eq(1)", "own.counts.eq(1)"
    ),
    Mutant(
        "boards/link/running.py",
        "[own.counts.eq(0), registers.bytes_left.eq(0)]",
        "own.counts.eq(0)",
    ),
    Mutant(
        "boards/link/running.py",
        "[own.counts.eq(0), registers.bytes_left.eq(0)]",
        "registers.bytes_left.eq(0)",
    ),
    Mutant("boards/link/running.py", "Mux(nudges, flags[4], flags[2])", "flags[2]"),
    Mutant("boards/link/running.py", "Mux(nudges, flags[4], flags[2])", "Mux(nudges, flags[4], 0)"),
    Mutant("boards/link/running.py", "flags[5:].any() | ", ""),
    Mutant("boards/link/dispatch.py", ", registers.learning.counts.eq(0)]", "]"),
    Mutant("boards/link/learning_registers.py", "[self.wrong_label.eq(0), ", "["),
    Mutant("boards/link/learning_registers.py", "self.left == 2", "self.left == 1"),
    Mutant("rtl/load_port.py", "& ~word[THETA_BITS : space.bits].any()", ""),
    Mutant("rtl/load_port.py", "rate = word[: space.bits]", "rate = word[:5]"),
)
"""Of a board that learns."""

LEARNERS = (
    Mutant("boards/link/learning_host.py", "        self.samples += min(more, 1)\n", ""),
    Mutant(
        "boards/link/learning_host.py", "            if self.count_samples():", "            if 0:"
    ),
    Mutant("boards/link/learning_host.py", "        if more > most:", "        if 0:"),
    Mutant("boards/link/exchange.py", "if attempt or not is_sent:", "if 1:"),
    Mutant(
        "boards/link/learning_host.py",
        "known.get(place, LoadWord(*place, 0))",
        "known[place]",
    ),
    Mutant(
        "toreq_hw/targets/board_learner.py",
        "        _compare_counts(sample, replies, progress)\n",
        "",
    ),
    Mutant(
        "toreq_hw/targets/board_learner.py",
        "self._kept, self._since = found, []",
        "self._since = []",
    ),
    Mutant(
        "toreq_hw/targets/board_learner.py",
        "self._since = sent[:learned]",
        "self._since = sent",
    ),
    Mutant(
        "toreq_hw/studies/kept_training.py",
        "history=(*self.notes.history, epoch), part=None",
        "history=(*self.notes.history, epoch)",
    ),
    Mutant(
        "sim/learning/training_samples.py",
        "while (first := total.samples) < len(order)",
        "while (first := total.samples - before.samples) < len(order)",
    ),
    Mutant("toreq_hw/studies/board_training.py", "        learner.begin_epoch()\n", ""),
)
"""Of the host, and of what is handed over."""
