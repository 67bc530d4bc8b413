"""Nudged phases in a real browser: both ways, towards a class of one's choice."""

from typing import Any

import numpy as np
import pytest

from testbench.observatory.cases import digit, digits_network, recorded
from testbench.observatory.tabs import Shown, needs_browser
from toreq_hw.contract.layout import Layout
from toreq_hw.observatory import frame

pytestmark = needs_browser


@pytest.mark.parametrize("label", [5, 8])
def test_credit_runs_back_both_ways(browser: Any, app: Any, label: int) -> None:
    inputs, _ = digit(3)
    wanted = recorded(digits_network(), inputs, np.array([label]))
    with Shown(browser, app) as shown:
        shown.tab.fill("#sample", "3")
        shown.tab.press("#sample", "Enter")
        shown.until("#label", "test image 3,")
        shown.settle()
        assert "D_nudge" not in shown.text("#reached")
        shown.tab.fill("#class", str(label))
        for number, name in ((1, "positive"), (2, "negative")):
            shown.tab.click(f"#{name}")
            shown.until("#where", f"{name} phase")
            shown.settle()
            last = wanted.phases[number].last
            shown.until("#where", f"tick {last},")
            shown.assert_shows(frame(wanted, last, phase=number), wanted)
            assert shown.text("#reached") == said(wanted, number)
        names = shown.tab.locator("#phase option").all_inner_texts()
        assert names == ["1 free", "2 positive", "3 negative"]
        shown.tab.select_option("#phase", "1")
        shown.until("#where", "positive phase")
        assert shown.text("#reached") == said(wanted, 1)


def said(recording: Any, phase: int) -> str:
    """What the page must say: layers whose states differ from the free ones, and sweeps."""
    free, nudged = (recording.phases[k] for k in (0, phase))
    away = nudged.states(nudged.last) != free.states(free.last)
    parts = {
        name: int(part.sum()) for name, part in Layout(digits_network()).split(away[None]).items()
    }
    layers = sum(count > 0 for count in parts.values())
    assert layers == 2
    moved = ", ".join(f"{name} {count}" for name, count in parts.items())
    return (
        f"D_nudge: {layers} layers reached (neurons moved: {moved}); "
        f"T_relax: {nudged.sweeps} sweeps."
    )
