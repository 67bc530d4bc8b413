"""Breaks boards, fit, parsers and flow on purpose; see `source_mutants`.

    python testbench/synth_mutants.py    (make synth-mutants)

Writes build/synth-mutants.json; status 1 if one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, main

FIELDS = "toreq_hw/reading/fields.py"
REPORTS = "boards/tool_reports"

PARSERS = (
    Mutant(f"{REPORTS}/yosys_stat.py", "        if design.count(name):", "        if False:"),
    Mutant(f"{REPORTS}/yosys_stat.py", "if not sum(mapped.values()):", "if False:"),
    Mutant(FIELDS, "        if name not in self.content:", "        if False:"),
    Mutant(FIELDS, "        if found <= 0:", "        if found < 0:"),
    Mutant(f"{REPORTS}/nextpnr_report.py", "    _compare_with_log(log, name, fmax)\n", ""),
    Mutant(f"{REPORTS}/nextpnr_report.py", 'if unit != "MHz":', "if False:"),
    Mutant(f"{REPORTS}/nextpnr_report.py", "> 1e-3 * clock_hz", "> 1e3 * clock_hz"),
    Mutant(f"{REPORTS}/nextpnr_report.py", "abs(path[2] * fmax - 1000) > 10", "False"),
    Mutant(f"{REPORTS}/nextpnr_report.py", "if not any(used.values()):", "if False:"),
    Mutant(f"{REPORTS}/bitstream.py", "if not _is_bitstream(content, family):", "if False:"),
)
CONTENTS = (
    Mutant(f"{REPORTS}/contents.py", "ones is not None and ones != wanted", "False"),
    Mutant(f"{REPORTS}/contents.py", "        if store not in found:", "        if False:"),
)
FIT = (
    Mutant(f"{REPORTS}/plausible.py", "        if number < least:", "        if False:"),
    Mutant(f"{REPORTS}/plausible.py", "    if held < weights:", "    if False:"),
    Mutant("boards/fit/check.py", "if sum(parts.values()) > available:", "if False:"),
    Mutant("boards/fit/check.py", "if capacity.spram and not memory.initialised:", "if False:"),
    Mutant("boards/fit/shrink.py", "        if fits(shrunk(", "        if not fits(shrunk("),
)
MEMORIES = (
    Mutant(
        "rtl/parameters.py",
        "row_bits = len(Page) * self.groups, self.lanes",
        "row_bits = len(Page), self.lanes",
    ),
    Mutant("boards/fit/memories.py", "family is not Family.GOWIN\n", "True\n"),
    Mutant("boards/fit/memories.py", "MemorySpec(name, name, 2 * buffer_bytes(parameters), 8)", ""),
    Mutant("boards/fit/memories.py", "_TABLE_RAM_COST = 4", "_TABLE_RAM_COST = 40"),
    Mutant("boards/fit/memories.py", "_CHOICE_COST = 0.5", "_CHOICE_COST = 0.0"),
)
ENERGY_DRIVER = "boards/energy/activity_driver.cpp"
ENERGY = (
    Mutant(ENERGY_DRIVER, "base[k] ^ value[k]", "value[k]"),
    Mutant(ENERGY_DRIVER, "written_bits += widths.at(base)", "written_bits += 1"),
    Mutant("boards/energy/activity.py", "initialised=True)", "initialised=False)"),
    Mutant("boards/energy/estimate.py", "_times(work.cycles * flip_flops", "_times(flip_flops"),
    Mutant("boards/energy/estimate.py", "self.clock + self.flip_flops + ", "self.clock + "),
    Mutant("boards/energy/coefficients.py", "            _SHANG,\n", '            "",\n'),
    Mutant("boards/energy/coefficients.py", "(volts / 0.9) ** 2", "volts / 0.9"),
)
INTERRUPTS = (
    Mutant("boards/flow/threads.py", "            stop()\n", ""),
    Mutant("boards/flow/tools.py", "                process.kill()\n", ""),
    Mutant(
        "toreq_hw/commands/__init__.py",
        "watched, ending_in_order():",
        "watched:",
    ),
)
KEPT_ROWS = (
    Mutant("toreq_hw/commands/reports.py", "    if found is None:", "    if True:"),
    Mutant(
        "toreq_hw/commands/reports.py", "    if found == (today.", "    if True or found == (today."
    ),
)
CLOCKS = (
    Mutant("boards/clock/pll.py", "> TOLERANCE * hz", "> hz"),
    Mutant("boards/clock/ice40_pll.py", "(17e6, 1), ", ""),
    Mutant("boards/clock/ice40_pll.py", "detector * (divf + 1)", "detector * divf"),
    Mutant("boards/clock/ecp5_pll.py", "detector * clkfb_div", "detector * (clkfb_div + 1)"),
)
TOOLS = (
    Mutant("boards/flow/tools.py", "        if status:", "        if False:"),
    Mutant("boards/flow/tools.py", " or _silence(status, folder, log)", ""),
    Mutant("boards/flow/tools.py", "            child.stop()\n", "            pass\n"),
    Mutant("boards/flow/overflow.py", "if int(used) > int(available) > 0", "if False"),
    Mutant(
        "boards/flow/stage.py", "        shutil.rmtree(draft, ignore_errors=True)", "        pass"
    ),
)
STREAM = (
    Mutant("boards/stream_register.py", " & ~taken", ""),
    Mutant("boards/stream_register.py", " & ~accepted", ""),
)
REPORT = (
    Mutant("reports/synthesis.py", "    if latency is None:", "    if False:"),
    Mutant("toreq_hw/targets/workload.py", "sweep = 1 + (run", "sweep = (run"),
)
MANY, COUNTED = "rtl/many_phases.py", "toreq_hw/targets/counted_training.py"
CYCLES = (
    Mutant(MANY, "            self._due[:] = self._saved\n", ""),
    Mutant(MANY, "            self._saved[:] = self._due\n", ""),
    Mutant(MANY, "runs & self._due[:, population]", "self._due[:, population]"),
    Mutant(MANY, "                self._due[turn, population] = False\n", ""),
    Mutant(MANY, "input_events * parameters.beats_of(INPUT)", "input_events"),
    Mutant(MANY, " + most_learn_cycles(parameters)", ""),
    Mutant(COUNTED, ".sum(axis=1) > 0", ".sum(axis=1) > 9"),
    Mutant(COUNTED, "entries[:, 1], side", "entries[:, 1] - 1, side"),
    Mutant("sim/learning/recorded_kernel.py", "used > len(changes) // 2", "False"),
)
LEARNERS = (
    Mutant("reports/learning.py", "        and row.synthesis.met\n", ""),
    Mutant("reports/learning.py", "and not any(run.unsettled for run in row.runs)", "and True"),
    Mutant("reports/learning.py", "found <= limit for", "True for"),
    Mutant("reports/learning.py", "_BITS_A_BYTE = 10", "_BITS_A_BYTE = 8"),
    Mutant("toreq_hw/studies/learning.py", "row.settings != case.described", "False"),
    Mutant("toreq_hw/studies/learning.py", "built.design != today", "False"),
    Mutant("toreq_hw/targets/learning_energy.py", "list(counted.classes) != wanted", "False"),
    Mutant("toreq_hw/targets/learning_energy.py", "    learn_epoch(trainer, training)\n", ""),
)

SYNTH = "testbench/synth/test_synth.py"

TRIALS = [
    *((mutant, ["testbench/synth/test_tampered_reports.py"]) for mutant in PARSERS),
    *((mutant, ["testbench/synth/test_contents.py"]) for mutant in CONTENTS),
    *((mutant, ["testbench/synth/test_fit.py"]) for mutant in FIT),
    *((mutant, ["testbench/synth/test_memories.py"]) for mutant in MEMORIES),
    *((mutant, ["testbench/synth/test_energy.py"]) for mutant in ENERGY),
    *((mutant, [SYNTH, "-k", "interrupt"]) for mutant in INTERRUPTS),
    *((mutant, [SYNTH, "-k", "report or kept or another"]) for mutant in KEPT_ROWS),
    *((mutant, ["testbench/synth/test_pll.py"]) for mutant in CLOCKS),
    *((mutant, ["testbench/synth/test_tools.py"]) for mutant in TOOLS),
    *((mutant, ["testbench/synth/test_stream_register.py"]) for mutant in STREAM),
    *(
        (mutant, ["testbench/synth/test_report.py", "testbench/synth/test_workload.py"])
        for mutant in REPORT
    ),
    *((mutant, ["testbench/synth/test_counted_training.py"]) for mutant in CYCLES),
    *((mutant, ["testbench/synth/test_learning_report.py"]) for mutant in LEARNERS),
]

if __name__ == "__main__":
    main("synth-mutants", TRIALS)
