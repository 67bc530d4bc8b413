"""The page in a real browser: it shows what `frame` and `relax` say, with mouse and with keys."""

import threading
from typing import Any

import numpy as np
import pytest

from testbench.observatory.cases import digit, digits_network, recorded
from testbench.observatory.serving import served
from testbench.observatory.tabs import Shown, needs_browser
from testbench.patience import GENEROUS_S, until
from toreq_hw import data, sim
from toreq_hw.observatory import frame
from toreq_hw.observatory.live import Live

pytestmark = needs_browser


def test_a_digit_settles_and_canvases_hold_the_frames(browser: Any, app: Any) -> None:
    inputs, _ = digit(0)
    wanted = recorded(digits_network(), inputs)
    with Shown(browser, app) as shown:
        shown.settle()
        last = wanted.last.last
        shown.until("#where", f"tick {last},")
        shown.assert_shows(frame(wanted, last), wanted)
        for tick in (last - 1, last - 2):
            shown.tab.keyboard.press("ArrowLeft")
            shown.until("#where", f"tick {tick},")
            shown.assert_shows(frame(wanted, tick), wanted)
        shown.tab.select_option("#palette", "classic")
        shown.assert_shows(frame(wanted, last - 2, palette="classic"), wanted)
        best = int(sim.relax(digits_network(), inputs).classes[0])
        assert shown.text("#classes .best").startswith(f"class {best}")
        assert "it fell in every tick with changes" in shown.text("#energy-said")
        assert shown.said == []
        assert all(f"127.0.0.1:{app.port}/" in address for address in shown.asked)


def test_a_digit_is_painted_with_the_mouse_and_with_keys(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown.tab.click("#clear")
        shown.until("#label", "your own image")
        box = shown.tab.locator("#pad").bounding_box()
        at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in LINE]
        shown.tab.mouse.move(*at[0])
        shown.tab.mouse.down()
        for place in at[1:]:
            shown.tab.mouse.move(*place)
        shown.tab.mouse.up()
        tab = max(app.tabs, key=lambda one: one.live.pixels.sum())
        until(lambda: tab.live.pixels.sum() > 60)
        shown.settle()
        pixels = tab.live.pixels[None].astype(np.int64)
        inputs = ((2 * pixels * 255 + 16) // 32).astype(np.int16)
        best = int(sim.relax(digits_network(), inputs).classes[0])
        shown.until("#classes", f"class {best}")
        assert tab.live.recording.last.step(tab.live.recording.last.last).scores.argmax() == best
        before = int(tab.live.pixels.sum())
        shown.tab.focus("#pad")
        shown.tab.keyboard.press("ArrowUp")
        shown.tab.keyboard.press("ArrowRight")
        shown.tab.keyboard.press("Space")
        until(lambda: int(tab.live.pixels.sum()) >= before)
        assert shown.said == []


LINE = ((0.55, 0.1), (0.55, 0.35), (0.5, 0.6), (0.5, 0.9))


def test_damage_by_click_and_by_key_and_undo(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown.settle()
        shown.click_neuron("hidden", 0)
        shown.until("#breaks", "1 neuron of hidden dead")
        shown.tab.select_option("#brush", "stuck")
        shown.tab.focus('canvas[data-population="hidden"]')
        shown.tab.keyboard.press("ArrowDown")
        shown.tab.keyboard.press("Enter")
        shown.until("#breaks", "1 neuron of hidden stuck")
        shown.until("#returned", "neurons are in the sound equilibrium")
        shown.tab.click("#undo")
        until(lambda: "stuck" not in shown.text("#breaks"))
        shown.tab.click("#repair")
        until(lambda: shown.text("#breaks") == "")
        shown.until("#returned", "of 34 neurons are in the sound equilibrium")
        assert shown.said == []


def test_phases_learning_and_a_second_machine(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown.settle()
        shown.tab.fill("#class", "5")
        shown.tab.click("#positive")
        shown.until("#where", "positive phase")
        shown.settle()
        assert "D_nudge" in shown.text("#reached")
        assert "T_relax" in shown.text("#reached")
        shown.tab.click("#learn")
        shown.until("#moved", "latents (grey)")
        shown.until("#training", "Images learned: 1.")
        shown.tab.click("#forget")
        shown.tab.check("#fault")
        shown.tab.click("#compare")
        shown.until("#difference", "First difference to the reference engine, one weight broken: ")
        shown.tab.click("#go")
        shown.tab.uncheck("#fault")
        shown.tab.click("#compare")
        shown.until("#difference", "First difference to the reference engine: none")
        assert shown.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_does_not_scroll_sideways(browser: Any, app: Any, scheme: str) -> None:
    size = {"width": 420, "height": 900}
    with Shown(browser, app, viewport=size, color_scheme=scheme) as shown:
        shown.settle()
        assert shown.tab.evaluate("document.documentElement.scrollWidth") <= 420
        ground = shown.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 29)"}[scheme]


def test_a_lost_connection_is_said_and_mended(browser: Any) -> None:
    with served() as app:
        shown, port = Shown(browser, app), app.port
        shown.settle()
    shown.until("#trouble", "The connection to the server is lost")
    with served(port):
        until(lambda: shown.text("#trouble") == "")
        shown.until("#where", "free phase, tick 0")
    with served(port, "another"):
        shown.until("#trouble", "The server was started anew and has another address")
        shown.tab.context.close()


def test_a_command_that_takes_long_is_said(
    browser: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames that were on their way when it was given do not take the line away."""
    done, present = threading.Event(), Live.present

    def slow(live: Live, sample: int) -> None:
        done.wait(GENEROUS_S)
        present(live, sample)

    monkeypatch.setattr(Live, "present", slow)
    with Shown(browser, app) as shown:
        shown.tab.click("#play")
        shown.tab.click("#next")
        shown.until("#trouble", "Working. The first time, code is compiled")
        done.set()
        shown.until("#label", "test image 1, labelled ")
        until(lambda: shown.text("#trouble") == "")


def test_fields_take_what_they_say(browser: Any, app: Any) -> None:
    """A field that is empty or out of range asks nothing of the server."""
    with Shown(browser, app) as shown:
        assert shown.tab.input_value("#class") == str(data.load("digits").test.labels[0])
        shown.tab.fill("#class", "10")
        shown.tab.click("#learn")
        shown.until("#trouble", "The class must be a whole number in 0 to 9, found 10.")
        shown.tab.fill("#level", "")
        shown.tab.click("#damage")
        shown.until("#trouble", "The level must be a number in 0 to 1, found nothing.")
        shown.tab.fill("#sample", "99999")
        shown.tab.press("#sample", "Enter")
        shown.until("#trouble", "The test image must be a whole number in 0 to 358, found 99999.")
        assert shown.text("#breaks") == ""
        assert shown.text("#training") == ""
