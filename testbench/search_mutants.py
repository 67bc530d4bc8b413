"""Breaks the search on purpose, one expression at a time; see `source_mutants`.

    python testbench/search_mutants.py    (make search-mutants)

Writes build/search-mutants.json; status 1 if one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, main

_PARTS = "toreq_hw/studies/searching"
STORE = (
    Mutant(f"{_PARTS}/journal.py", "sorted(found, key=lambda trial: trial.number)", "found"),
    Mutant(f"{_PARTS}/journal.py", "1_000_003 + count) % (1 << 32)", "1_000_003 + id(self)) % (1 << 32)"),
    Mutant(f"{_PARTS}/journal.py", "len(whole) < len(content)", "False"),
    Mutant(f"{_PARTS}/journal.py", "lock.acquire(blocking=False)", "pass"),
    Mutant(f"{_PARTS}/journal.py", "elif found != VERSION:", "elif False:"),
    Mutant(f"{_PARTS}/journal.py", "if found.get(name) != value:", "if False:"),
    Mutant(f"{_PARTS}/journal.py", "one.missed.get(name, 0.0)", "0.0"),
)  # fmt: skip
RANKS = (
    Mutant(f"{_PARTS}/ranking.py", "tuple(one) != tuple(other)", "True"),
    Mutant(f"{_PARTS}/ranking.py", "(-alone[k], places[k])", "(alone[k], places[k])"),
    Mutant(f"{_PARTS}/ranking.py", "((value - low) / span) ** 2", "((low - value) / span)"),
)
ASKING = (
    Mutant(f"{_PARTS}/metrics.py", "low.value > high.value", "low.value >= high.value"),
    Mutant(f"{_PARTS}/metrics.py", "part = 1 - slack if self.at_least", "part = 1 + slack if self.at_least"),
    Mutant(f"{_PARTS}/bounds.py", "asked.violation(least) > 0", "asked.violation(least) > 9"),
    Mutant(f"{_PARTS}/asked.py", "seconds < least", "seconds < 0"),
)  # fmt: skip
CLIMB = (
    Mutant(f"{_PARTS}/climb.py", "missed > 0 and not one.cut:\n                one.rung = rung", "missed < 0 and not one.cut:\n                one.rung = rung"),
    Mutant(f"{_PARTS}/climb.py", "value=asked.value - rungs.accuracy_slack", "value=asked.value"),
    Mutant(f"{_PARTS}/climb.py", "if not row.met:", "if False:"),
    Mutant(f"{_PARTS}/climb.py", "-value if objective.maximise else value", "value"),
    Mutant(f"{_PARTS}/climb.py", "ceil(parts.get(rung, 1.0) * len(going))", "len(going)"),
)  # fmt: skip
WHOLE = (
    Mutant(f"{_PARTS}/samples.py", "return training_images(name).holding_out(holdout)", "return data.load(name)"),
    Mutant(f"{_PARTS}/rebuild.py", '        "--fraction-bits": ",".join(map(str, bits)),\n', ""),
    Mutant(f"{_PARTS}/kept.py", "or self._lost(name, run)", ""),
    Mutant("toreq_hw/data/sources.py", 'test = arrays("t10k") if tests else train', 'test = arrays("t10k")'),
)  # fmt: skip
KILLED = (
    Mutant(f"{_PARTS}/kept.py", "except TerminatedWorkerError as error:", "except ZeroDivisionError as error:"),
)  # fmt: skip

_FOLDER = "testbench/search"
TRIALS = [
    *((mutant, [f"{_FOLDER}/test_store.py"]) for mutant in STORE),
    *((mutant, [f"{_FOLDER}/test_ranking.py"]) for mutant in RANKS),
    *((mutant, [f"{_FOLDER}/test_asking.py"]) for mutant in ASKING),
    *((mutant, [f"{_FOLDER}/test_climbing.py"]) for mutant in CLIMB),
    *((mutant, [f"{_FOLDER}/test_searching.py"]) for mutant in WHOLE),
    *((mutant, [f"{_FOLDER}/test_killed.py"]) for mutant in KILLED),
]

if __name__ == "__main__":
    main("search-mutants", TRIALS)
