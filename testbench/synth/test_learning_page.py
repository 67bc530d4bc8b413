"""The page of cores that learn says what it lacks, and shows figures so that they can be read."""

from copy import deepcopy
from pathlib import Path

from testbench.synth.test_learning_report import CYCLES, ROW, RUN, record_of, text_of
from testbench.synth.test_report import ROW as BUILT
from toreq_hw.reports.learning_builds import LEFT_OUT
from toreq_hw.reports.numbers import span, three_digits
from toreq_hw.studies import learning
from toreq_hw.studies.learning_cases import PUBLISHED


def test_what_nobody_asked_to_build_is_no_failure_to_build(tmp_path: Path) -> None:
    left = {**ROW, "synthesis": None, "not_built": LEFT_OUT, "energy": {"absent": "no clock"}}
    text = text_of(tmp_path, ROW, left)
    assert "## Not built" in text
    assert "## What could not be built" not in text
    assert f"Absent: {ROW['name']}: left out with --no-build." in text


def test_published_learners_that_are_not_in_the_record_are_named() -> None:
    lead = learning.STUDY.page(record_of(ROW)).lead
    assert ROW["name"] == PUBLISHED[0].name
    others = "; ".join(case.name for case in PUBLISHED[1:])
    assert f"Not measured yet: {others}. Nothing" in lead
    names = [{**ROW, "name": case.name} for case in PUBLISHED]
    assert "Not measured" not in learning.STUDY.page(record_of(*names)).lead


def test_short_times_and_ranges_without_width_are_shown_as_they_are(tmp_path: Path) -> None:
    few = {**CYCLES, "samples": 1438, "mean": 240.0}
    energy = deepcopy(BUILT["energy"])
    energy["uj"]["fixed"] = {"low": 15.6, "high": 16.4}
    quick = {**ROW, "runs": [{**RUN, "first": few, "later": few}], "energy": energy}
    text = text_of(tmp_path, quick)
    assert "| 0.0144 |" in text
    assert "| 16 |" in text
    assert "16 to 16" not in text
    assert "f are the fraction bits of both couplings" in text
    assert "column 'p99 first' of the first epoch's" in text


def test_figures_and_ranges() -> None:
    assert [three_digits(value) for value in (0.0, 0.01437, 9, 139.6, 1234.5)] == [
        "0.00",
        "0.0144",
        "9.00",
        "140",
        "1,234",
    ]
    assert (span("16", "16"), span("15", "16")) == ("16", "15 to 16")
