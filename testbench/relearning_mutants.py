"""Breaks the fault port of a core that learns, and its driver, on purpose; see `source_mutants`.

    python testbench/relearning_mutants.py    (make rtl-relearn-mutants)

Writes build/relearning-mutants.json; status 1 if one survives. Each compiles its own cores.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, main

MASKS = (
    Mutant("rtl/learning/stuck_bits.py", "& ~at_zero) | at_one", ") | at_one"),
    Mutant("rtl/learning/stuck_bits.py", "& ~at_zero) | at_one", "& ~at_zero)"),
    Mutant("rtl/learning/stuck_bits.py", "lowest, lowest + 1, field", "lowest, lowest, field"),
    Mutant("rtl/learning/stuck_bits.py", "lowest, lowest + 1, field", "lowest, 0, field"),
    Mutant(
        "rtl/learning/stuck_bits.py",
        "Cat(self.at_zero, self.at_one)",
        "Cat(self.at_one, self.at_zero)",
    ),
    Mutant("rtl/learning/stuck_bits.py", "write.en.eq(self.write)", "write.en.eq(0)"),
    Mutant("rtl/learning/stuck_bits.py", "read.addr.eq(self.address)", "read.addr.eq(0)"),
    Mutant("rtl/learning/stuck_bits.py", "write.addr.eq(self.write_address)", "write.addr.eq(0)"),
    Mutant("rtl/learning/stuck_bits.py", "first = (copy or 0) * width", "first = 0"),
)
STORES = (
    Mutant("rtl/row_store.py", "word, self.address)", "word, self.load_address)"),
    Mutant("rtl/skewed_store.py", "found, read.addr, number)", "found, self.tile, number)"),
    Mutant("rtl/skewed_store.py", "found, read.addr, number)", "found, read.addr, 0)"),
    Mutant("rtl/weight_stores.py", "self._faults.stuck_stores[number]", "self._faults.stuck_stores[0]"),
)  # fmt: skip
DRIVER = (
    Mutant("rtl/learning/faults.py", "w._replace(at_zero=0, at_one=0) for w in self._stuck", "w for w in ()"),
    Mutant("rtl/learning/faults.py", '        self._put("stuck_stores", 0)\n', ""),
    Mutant("rtl/learning/faults.py", "1 << word.store", "1"),
    Mutant("rtl/learning/faults.py", "fields[name][row, column] = mask >> dropped", "fields[name][row, column] = mask"),
    Mutant("rtl/learning/faults.py", "fields[name][column, row] = mask >> dropped", "pass"),
    Mutant("rtl/learning/faults.py", "for side in (3, 4)", "for side in (4, 3)"),
    Mutant("rtl/learning/faults.py", "lasting_levels(rows, self._parameters).items()", "()"),
    Mutant("rtl/replay.py", "mask << bits * (first[name] + k)", "mask << bits * k"),
)  # fmt: skip

TRIALS = [(mutant, ["testbench/rtl/test_relearning.py"]) for mutant in (*MASKS, *STORES, *DRIVER)]

if __name__ == "__main__":
    main("relearning-mutants", TRIALS)
