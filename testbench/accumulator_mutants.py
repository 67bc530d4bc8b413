"""Breaks the rows of accumulators on purpose, with their register and without; see `source_mutants`.

    python testbench/accumulator_mutants.py    (make accumulator-mutants)

Writes build/accumulator-mutants.json; status 1 if one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, main

ROWS = "rtl/accumulators.py"
REGISTERED = (
    Mutant(ROWS, "Mux(register(m, follows), write.data, fetched", "Mux(follows, write.data, fetched"),
    Mutant(ROWS, "Mux(register(m, follows), write.data, fetched", "Mux(0, write.data, fetched"),
    Mutant(ROWS, "of_two, passes = register(m, follows_two)", "of_two, passes = follows_two"),
    Mutant(ROWS, "passes.eq(follows_two | follows_three)", "passes.eq(follows_two)"),
    Mutant(ROWS, "passes.eq(follows_two | follows_three)", "passes.eq(follows_three)"),
    Mutant(ROWS, "Mux(of_two, write.data, written)", "written"),
    Mutant(ROWS, "Mux(of_two, write.data, written)", "write.data"),
    Mutant(ROWS, "passed.eq(Mux(passes, Mux", "passed.eq(Mux(1, Mux"),
    Mutant(ROWS, "fetched.eq(Mux(passes, 0, read.data))", "fetched.eq(read.data)"),
    Mutant(ROWS, "follows_two.eq(writes_two & (", "follows_two.eq(1 & ("),
    Mutant(ROWS, "follows_three.eq(write.en & (", "follows_three.eq(1 & ("),
    Mutant(ROWS, "& (read.addr == write.addr)),", "),"),
    Mutant(ROWS, "write.addr.eq(register(m, target_two))", "write.addr.eq(target_two)"),
    Mutant(ROWS, "write.en.eq(stages.valid[4] & register(m, writes_two))", "write.en.eq(writes_two)"),
    Mutant(ROWS, "stages, ports, 1)", "stages, ports, 2)"),
    Mutant(ROWS, "        follows.eq(writes & (", "        follows.eq(1 & ("),
)  # fmt: skip
DIRECT = (
    Mutant(ROWS, "Mux(follows, write.data, read.data)", "read.data"),
    Mutant(ROWS, "m.d.sync += follows.eq(writes & (", "m.d.sync += follows.eq(1 & ("),
    Mutant(ROWS, "transparent_for=passed_on", "transparent_for=()"),
)
BOTH = (Mutant(ROWS, "            m.d.sync += row[lane].eq(0)\n", "            pass\n"),)
LISTED = (
    Mutant("rtl/parameters.py", "collides=not self.accumulator_register", "collides=True"),
    Mutant("rtl/parameters.py", "collides=not self.accumulator_register", "collides=False"),
)
NAMED = (
    Mutant("boards/link/identity.py", "    if not parameters.accumulator_register:", "    if False:"),
    Mutant("boards/link/identity.py", "    if not parameters.accumulator_register:", "    if True:"),
)  # fmt: skip

SUMS = "testbench/rtl/test_accumulators.py"

TRIALS = [
    *((mutant, [SUMS, "-k", "add_up"]) for mutant in (*REGISTERED, *DIRECT, *BOTH)),
    *((mutant, [SUMS, "-k", "collide"]) for mutant in LISTED),
    *((mutant, ["testbench/boards/test_identity.py"]) for mutant in NAMED),
]

if __name__ == "__main__":
    main("accumulator-mutants", TRIALS)
