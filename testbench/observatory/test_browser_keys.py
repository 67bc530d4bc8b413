"""The page by keyboard alone: every control is reached, seen, and does what the mouse does."""

import asyncio
from threading import Event
from typing import Any

import numpy as np
import pytest

from testbench.observatory.tabs import Shown, needs_browser
from testbench.patience import until
from toreq_hw.observatory.tab import Tab

pytestmark = needs_browser

FOCUSED = "document.activeElement.id || document.activeElement.dataset.population || ''"

CONTROLS = """[...document.querySelectorAll('button, input, select, canvas[tabindex]')]
  .filter((one) => !one.disabled && one.checkVisibility())
  .map((one) => one.id || one.dataset.population)"""

OUTLINE = """(() => {
  const style = getComputedStyle(document.activeElement);
  return [style.outlineStyle, parseFloat(style.outlineWidth)];
})()"""

MOST_STEPS = 100


def go(shown: Shown, wanted: str, key: str = "Tab") -> None:
    """Moves the focus by keys until a control has it."""
    for _ in range(MOST_STEPS):
        if shown.tab.evaluate(FOCUSED) == wanted:
            return
        shown.tab.keyboard.press(key)
    raise AssertionError(f"{wanted} must be reached by {key}")


def press(shown: Shown, control: str, key: str) -> None:
    go(shown, control)
    shown.tab.keyboard.press(key)


def write(shown: Shown, control: str, number: int) -> None:
    """Puts a number into a field."""
    go(shown, control)
    shown.tab.keyboard.press("Control+a")
    shown.tab.keyboard.type(str(number))
    shown.tab.keyboard.press("Enter")


def test_tab_reaches_every_control_in_order_and_shows_where_it_is(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown.settle()
        shown.tab.reload()
        shown.tab.wait_for_selector("#panels canvas")
        shown.until("#where", "free phase")
        wanted = shown.tab.evaluate(CONTROLS)
        assert {"pad", "hidden", "output", "play", "scrub", "gain", "machine"} < set(wanted)
        reached = []
        for _ in wanted:
            shown.tab.keyboard.press("Tab")
            reached.append(shown.tab.evaluate(FOCUSED))
            kind, width = shown.tab.evaluate(OUTLINE)
            assert (kind, width >= 2) == ("solid", True), reached[-1]
        assert reached == wanted


def test_a_digit_is_painted_and_settled(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        press(shown, "clear", "Enter")
        shown.until("#label", "your own image")
        (tab,) = app.tabs
        until(lambda: not tab.live.pixels.any())
        go(shown, "pad", "Shift+Tab")
        for _ in range(3):
            shown.tab.keyboard.press("Space")
            shown.tab.keyboard.press("ArrowDown")
        until(lambda: np.count_nonzero(tab.live.pixels.reshape(8, 8)[:, 4] == 16) == 3)
        assert not tab.live.pixels.reshape(8, 8)[:3].any()
        press(shown, "settle", "Enter")
        shown.until("#end", "✓ This phase settled")
        go(shown, "pad")
        shown.tab.keyboard.press("Delete")
        until(lambda: not tab.live.pixels.any())


def test_a_stroke_outlives_pictures_that_are_older(
    browser: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Event()

    async def late(tab: Tab, command: Any) -> None:
        """A frame of the image before a stroke comes after it."""
        tab._dirty.set()
        while not both.is_set():
            await asyncio.sleep(0.01)
        await carry_out(tab, command)

    carry_out = Tab._carry_out
    with Shown(browser, app) as shown:
        shown.tab.click("#clear")
        shown.until("#label", "your own image")
        shown.settle()
        (tab,) = app.tabs
        monkeypatch.setattr(Tab, "_carry_out", late)
        shown.tab.focus("#pad")
        number = tab.sent
        shown.tab.keyboard.press("Space")
        until(lambda: tab.sent > number)
        shown.tab.wait_for_timeout(300)  # until the page has shown it
        shown.tab.keyboard.press("ArrowDown")
        shown.tab.keyboard.press("Space")
        both.set()
        until(lambda: np.count_nonzero(tab.live.pixels == 16) == 2)


def test_time_is_stopped_stepped_and_wound_back(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        write(shown, "sample", 3)
        shown.until("#label", "test image 3,")
        go(shown, "speed", "Shift+Tab")
        shown.tab.keyboard.press("Home")
        shown.until("#speed-said", "1 ticks/s")
        press(shown, "first", "Enter")
        shown.until("#where", "free phase, tick 0,")
        go(shown, "play")
        shown.tab.keyboard.press("Enter")
        shown.until("#play", "Pause")
        shown.tab.keyboard.press("Space")
        shown.until("#play", "Play")
        press(shown, "first", "Enter")
        for key, place in (
            ("Shift+ArrowRight", "tick 2,"),
            ("ArrowRight", "tick 3,"),
            (".", "tick 4, event 1 of"),
            (".", "tick 4, event 2 of"),
            (",", "tick 4, event 1 of"),
            ("ArrowRight", "tick 4, sweep"),
            ("Shift+ArrowLeft", "tick 2,"),
            ("ArrowLeft", "tick 1,"),
            ("Home", "tick 0,"),
        ):
            shown.tab.keyboard.press(key)
            shown.until("#where", place)
        shown.tab.keyboard.press("End")
        shown.until("#end", "✓ This phase settled")
        press(shown, "back", "Space")
        last = int(shown.tab.get_attribute("#scrub", "max"))
        shown.until("#where", f"tick {last - 1},")
        press(shown, "scrub", "Home")
        shown.until("#where", "tick 0,")


def test_nudge_damage_couplings_and_machines(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown.tab.keyboard.press("End")
        shown.until("#end", "✓ This phase settled")
        write(shown, "class", 5)
        press(shown, "positive", "Enter")
        shown.until("#where", "positive phase")
        press(shown, "settle", "Enter")
        shown.until("#reached", "T_relax: ")
        until(lambda: "not settled" not in shown.text("#reached"))
        go(shown, "phase")
        shown.tab.keyboard.press("ArrowUp")
        shown.until("#where", "free phase")
        go(shown, "hidden")
        shown.tab.keyboard.press("ArrowRight")
        shown.tab.keyboard.press("Enter")
        shown.until("#breaks", "1 neuron of hidden dead")
        press(shown, "undo", "Enter")
        until(lambda: shown.text("#breaks") == "")
        press(shown, "gain", "ArrowRight")
        shown.until("#gain-said", "1.05 times")
        press(shown, "own", "Space")
        shown.until("#settles", "no energy")
        press(shown, "fault", "Space")
        press(shown, "compare", "Enter")
        shown.until("#difference", "First difference to the reference engine, one weight broken: ")
        press(shown, "go", "Enter")
        shown.tab.wait_for_selector(".parts:not([hidden])")
