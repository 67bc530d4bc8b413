"""Breaks boards, fit, parsers and flow on purpose; see `source_mutants`.

    python testbench/synth_mutants.py    (make synth-mutants)

Writes build/synth-mutants.json; status 1 if one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, campaign

REPORTS = "boards/tool_reports"

PARSERS = (
    Mutant(f"{REPORTS}/yosys_stat.py", "        if design.count(name):", "        if False:"),
    Mutant(f"{REPORTS}/yosys_stat.py", "if not sum(mapped.values()):", "if False:"),
    Mutant(f"{REPORTS}/fields.py", "if name not in self.content:", "if False:"),
    Mutant(f"{REPORTS}/fields.py", "        if found <= 0:", "        if found < 0:"),
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
    Mutant("boards/fit/check.py", "if blocks > capacity.block_ram:", "if False:"),
    Mutant("boards/fit/check.py", "if single > capacity.spram:", "if False:"),
    Mutant("boards/fit/shrink.py", "        if fits(shrunk(", "        if not fits(shrunk("),
)
CLOCKS = (
    Mutant("boards/clock/pll.py", "> TOLERANCE * hz", "> hz"),
    Mutant("boards/clock/ice40_pll.py", "(17e6, 1), ", ""),
    Mutant("boards/clock/ice40_pll.py", "detector * (divf + 1)", "detector * divf"),
    Mutant("boards/clock/ecp5_pll.py", "detector * clkfb_div", "detector * (clkfb_div + 1)"),
)
TOOLS = (
    Mutant("boards/flow/tools.py", "        if status:", "        if False:"),
    Mutant("boards/flow/overflow.py", "if int(used) > int(available) > 0", "if False"),
    Mutant(
        "boards/flow/stage.py", "        shutil.rmtree(draft, ignore_errors=True)", "        pass"
    ),
)
STREAM = (
    Mutant("boards/handshake.py", " & ~taken", ""),
    Mutant("boards/handshake.py", " & ~accepted", ""),
)
REPORT = (
    Mutant("reports/synthesis.py", "    if latency is None:", "    if False:"),
    Mutant("toreq_hw/targets/workload.py", "sweep = 1 + (run", "sweep = (run"),
)

TRIALS = [
    *((mutant, ["testbench/synth/test_doctored.py"]) for mutant in PARSERS),
    *((mutant, ["testbench/synth/test_contents.py"]) for mutant in CONTENTS),
    *((mutant, ["testbench/synth/test_fit.py"]) for mutant in FIT),
    *((mutant, ["testbench/synth/test_pll.py"]) for mutant in CLOCKS),
    *((mutant, ["testbench/synth/test_tools.py"]) for mutant in TOOLS),
    *((mutant, ["testbench/synth/test_handshake.py"]) for mutant in STREAM),
    *(
        (mutant, ["testbench/synth/test_report.py", "testbench/synth/test_workload.py"])
        for mutant in REPORT
    ),
]

if __name__ == "__main__":
    sys.exit(campaign(TRIALS, "synth-mutants"))
