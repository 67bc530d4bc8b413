"""The study `core-relearning` in small: one seed, one epoch after each damage, a core of few lanes.

python -m testbench.rtl.relearn
"""

import sys

from testbench.rtl.verdict import FOLDER
from toreq_hw.cli import console
from toreq_hw.studies.core_relearning import STUDY, Options
from toreq_hw.studies.study import Place

QUICK = Options(hidden=8, weights=("int8",), seeds=1, epochs=1, lanes=4)

if __name__ == "__main__":
    record = STUDY.run(QUICK, Place(FOLDER / "relearn", screen=console.terminal))
    verdict = STUDY.verdict(record)
    console.output.print(f"{'PASS' if verdict.passed else 'FAIL'} {verdict.sentence}")
    sys.exit(0 if verdict.passed else 1)
