"""Breaks the link to a board that learns, and its host; `link_mutants` runs these too."""

from testbench.source_mutants import Mutant

TRAINED = (
    Mutant("boards/link/training.py", "with m.Elif(number != own.samples):", "with m.Elif(0):"),
    Mutant(
        "boards/link/training.py",
        "with m.Elif(label >= registers.parameters.classes):",
        "with m.Elif(0):",
    ),
    Mutant("boards/link/training.py", ".any() | both | reports)", ".any() | reports)"),
    Mutant(
        "boards/link/training.py",
        "own.updates.eq(own.step == Command.NUDGE_NEGATIVE)",
        "own.updates.eq(own.step == Command.NUDGE_POSITIVE)",
    ),
    Mutant("boards/link/training.py", ", own.samples.eq(own.samples + 1)]", "]"),
    Mutant("boards/link/commands.py", "with m.If(registers.learning.updates):", "with m.If(0):"),
    Mutant("boards/link/commands.py", ", command.label.eq(own.label)]", "]"),
    Mutant("boards/link/commands.py", "own.index | Mux(beyond, size, 0)", "own.index"),
    Mutant(
        "rtl/learning/registers.py",
        "Signal(32, init=1, reset_less=True)",
        "Signal(32, init=1)",
    ),
    Mutant("boards/link/dispatch.py", " & ~registers.reads", ""),
    Mutant("boards/link/dispatch.py", " | registers.sets", ""),
    Mutant("boards/link/dispatch.py", "(registers.trains & first)", "registers.trains"),
    Mutant("boards/link/training.py", " | both | reports)", " | both)"),
    Mutant(
        "boards/link/dispatch.py",
        "m.d.sync += registers.learning.wrong_moment.eq(1)",
        "pass",
    ),
    Mutant("boards/link/loading.py", "registers.learning.samples.eq(0)", "registers.code.eq(0)"),
    Mutant("boards/link/read_back.py", "exists.eq(address < rows)", "exists.eq(address <= rows)"),
    Mutant("boards/link/read_back.py", " | (length == 0)", ""),
    Mutant("boards/link/read_back.py", " | length.all()", ""),
    Mutant("boards/link/read_back.py", "~registers.at_end | ", ""),
    Mutant("boards/link/read_back.py", "with m.Elif(~registers.core.idle):", "with m.Elif(0):"),
    Mutant(
        "boards/link/read_back.py", "fits.eq(~_above(address, registers.address))", "fits.eq(1)"
    ),
    Mutant(
        "boards/link/running.py", "registers.partial.eq(own.run != 1)", "registers.partial.eq(0)"
    ),
    Mutant("boards/link/running.py", "own.pass_by(m, Const(1))", "pass"),
    Mutant("boards/link/running.py", "m.d.sync += own.index.eq(0)", "pass"),
    Mutant("boards/link/running.py", "m.d.sync += own.run.eq(0)", "pass"),
    Mutant("boards/link/learning_registers.py", "with m.If(~self.index[-1]):", "with m.If(1):"),
    Mutant("boards/link/learning_registers.py", "self.wrong_label.eq(0),", ""),
    Mutant("rtl/load_port.py", "& ~word[THETA_BITS : space.bits].any()", ""),
    Mutant("rtl/load_port.py", "rate = word[: space.bits]", "rate = word[:5]"),
)
"""Of a board that learns."""

LEARNERS = (
    Mutant("boards/link/learning_host.py", "        self.samples += more\n", ""),
    Mutant(
        "boards/link/learning_host.py", "            if self.count_samples():", "            if 0:"
    ),
    Mutant("boards/link/learning_host.py", "        if more > 1:", "        if 0:"),
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
        "            del self._since[learned:]\n",
        "            pass\n",
    ),
    Mutant(
        "toreq_hw/studies/training.py",
        "history=(*notes.history, epoch), part=None",
        "history=(*notes.history, epoch)",
    ),
    Mutant(
        "sim/learning/training_samples.py",
        "range(before.samples, len(order), run)",
        "range(0, len(order), run)",
    ),
    Mutant("toreq_hw/studies/board_training.py", "        learner.begin_epoch()\n", ""),
)
"""Of the host, and of what is handed over."""
