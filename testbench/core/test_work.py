"""Where the runs of a study are done, and what a ledger refuses to keep."""

from pathlib import Path
from typing import Any

import pytest

from testbench.core.test_ledger import TRIAL, run_of, trials
from toreq_hw.errors import InputError
from toreq_hw.sim.campaign.trial import Trial
from toreq_hw.studies.ledger import Ledger
from toreq_hw.studies.work import workers


@pytest.mark.parametrize("jobs", [0, -2, "2", True, 1.5])
def test_a_number_of_jobs_that_is_none_is_refused(jobs: Any) -> None:
    said = "jobs must be a whole number from 1 on, or -1"
    with pytest.raises(InputError, match=said), workers(jobs):
        pass


def test_a_ledger_names_the_code_of_its_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shared must have 'code', .* found power"):
        Ledger(tmp_path, "s", {"power": 2}, Trial)
    kept = Ledger(tmp_path, "s", {"power": 2, "code": "1"}, Trial)
    kept.add(run_of(TRIAL), TRIAL)
    assert run_of(TRIAL) not in Ledger(tmp_path, "s", {"power": 2, "code": "2"}, Trial)


def test_a_row_of_another_type_is_refused(tmp_path: Path) -> None:
    ledger = trials(tmp_path)
    with pytest.raises(InputError, match="a row must be a Trial, not dict"):
        ledger.add({"trial": 1}, {"accuracy": 1.0})  # type: ignore[arg-type]
    assert not ledger.path.exists()
