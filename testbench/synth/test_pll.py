"""Dividers: inside the data sheets' limits, and those of the tools' own calculators."""

import math
import re
import subprocess
from dataclasses import replace

import pytest

from toreq_hw.boards import registry
from toreq_hw.boards.clock import clocking
from toreq_hw.boards.flow.tools import executable
from toreq_hw.errors import InputError


@pytest.mark.parametrize("name", registry.names())
def test_each_board_reaches_its_own_clock_exactly(name: str) -> None:
    board = registry.get(name)
    pll = clocking.solve(board)
    assert pll.output_hz == board.clock_hz
    assert pll.reference_hz == board.oscillator_hz


def _printed(tool: str, *arguments: str) -> str:
    done = subprocess.run(
        [executable(tool), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("mhz", [18, 24, 33, 48, 60.5])
def test_ice40_dividers_are_those_of_icepll(mhz: float) -> None:
    board = registry.get("icebreaker")
    text = _printed("yowasp-icepll", "-i", "12", "-o", str(mhz))
    pll = clocking.solve(board, mhz * 1e6)
    for name in ("DIVR", "DIVF", "DIVQ", "FILTER_RANGE"):
        found = re.search(rf"{name}:\s+(\d+)", text)
        assert found
        assert pll.parameters[name] == int(found[1])


@pytest.mark.parametrize("mhz", [27, 54, 67.5, 81])
def test_gowin_clock_is_that_of_gowin_pll(mhz: float) -> None:
    text = _printed("gowin_pll", "-i", "27", "-o", str(mhz), "-d", "GW1NR-LV9QN88PC6/I5")
    pll = clocking.solve(registry.get("tang_nano_9k"), mhz * 1e6)
    found = re.search(r"Achieved output frequency:\s+([\d.]+) MHz", text)
    assert found
    assert pll.output_hz / 1e6 == pytest.approx(float(found[1]), abs=1e-3)


@pytest.mark.parametrize("mhz", [25, 50, 75, 80, 100])
def test_ecp5_loop_stays_within_its_limits(mhz: float) -> None:
    board = registry.get("ulx3s_25f")
    pll = clocking.solve(board, mhz * 1e6)
    numbers = {k: v for k, v in pll.parameters.items() if isinstance(v, int)}
    output = board.oscillator_hz * numbers["CLKFB_DIV"] / numbers["CLKI_DIV"]
    assert output == pll.output_hz == mhz * 1e6
    assert 400e6 <= output * numbers["CLKOP_DIV"] <= 800e6


@pytest.mark.parametrize(
    ("name", "mhz", "nearest"),
    [
        ("icebreaker", 10, "16.125 MHz"),
        ("icebreaker", 400, "270 MHz"),
        ("ulx3s_85f", 1, "3.125 MHz"),
    ],
)
def test_an_impossible_clock_is_refused_with_the_nearest(
    name: str, mhz: float, nearest: str
) -> None:
    board = registry.get(name)
    with pytest.raises(InputError, match=f"asked for {mhz} MHz, nearest {nearest}") as caught:
        clocking.solve(board, mhz * 1e6)
    assert board.pll in str(caught.value)


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s_85f", "tang_nano_9k"])
@pytest.mark.parametrize("hz", [math.nan, math.inf, -math.inf, 0.0, -48e6])
def test_a_clock_that_is_no_frequency_is_refused(name: str, hz: float) -> None:
    with pytest.raises(InputError, match="its clock must be a finite number of MHz above 0"):
        clocking.solve(registry.get(name), hz)


def test_no_loop_at_all_is_said_so() -> None:
    board = replace(registry.get("icebreaker"), oscillator_hz=1_000_000)
    with pytest.raises(InputError, match="nearest none"):
        clocking.solve(board)
