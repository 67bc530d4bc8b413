"""The page in a real browser: it shows what `frame` and `relax` say, with mouse and with keys."""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from testbench.observatory.cases import digit, digits_network, recorded
from testbench.observatory.serving import served, until
from testbench.patience import GENEROUS_S
from toreq_hw import sim
from toreq_hw.observatory import frame

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="CHROMIUM IS NOT HERE: install it to test the page in a browser"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="PLAYWRIGHT IS NOT HERE: make .venv/extra-observe-test"
    )
    with playwright.sync_playwright() as tool:
        # the sandbox needs rights that a container may lack; nothing foreign is opened here
        found = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def app() -> Iterator[Any]:
    with served() as running:
        yield running


class Shown:
    """A tab. said: errors of its console. asked: addresses of its requests."""

    def __init__(self, browser: Any, app: Any, **settings: Any) -> None:
        self.tab = browser.new_context(**settings).new_page()
        self.tab.set_default_timeout(1000 * GENEROUS_S)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda m: self.said.append(m.text) if m.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.goto(app.base)
        self.tab.wait_for_selector("#panels canvas")

    def __enter__(self) -> "Shown":
        return self

    def __exit__(self, *_: object) -> None:
        self.tab.context.close()

    def text(self, selector: str) -> str:
        return str(self.tab.inner_text(selector))

    def until(self, selector: str, words: str) -> str:
        """Waits until a part of the page says something. The policy of the page allows no eval."""
        end = time.monotonic() + GENEROUS_S
        while words not in (found := self.text(selector)):
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found

    def settle(self) -> None:
        self.tab.click("#settle")
        self.until("#end", "settled")
        self.until("#play", "Play")

    def canvas(self, population: str) -> np.ndarray:
        """Pixels of a panel, uint8 (height, width, 3)."""
        height, width, values = self.tab.locator(
            f'canvas[data-population="{population}"]'
        ).evaluate(
            "c => [c.height, c.width, Array.from("
            "c.getContext('2d').getImageData(0, 0, c.width, c.height).data)]"
        )
        return np.array(values, np.uint8).reshape(height, width, 4)[:, :, :3]

    def assert_shows(self, wanted: np.ndarray, recording: Any) -> None:
        """Every canvas holds its part of a frame, uint8 (height, width, 3)."""
        for panel in recording.plan.panels:
            rows = slice(panel.top, panel.top + panel.height)
            part = wanted[rows, panel.left : panel.left + panel.width]
            assert np.array_equal(self.canvas(panel.population.name), part), panel.population.name


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
        shown.tab.locator('canvas[data-population="hidden"]').click(position={"x": 3, "y": 3})
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
        shown.until("#training", "1 images learned")
        shown.tab.click("#forget")
        shown.tab.check("#fault")
        shown.tab.click("#compare")
        shown.until("#difference", "First difference to reference, one weight broken")
        shown.tab.click("#go")
        shown.tab.uncheck("#fault")
        shown.tab.click("#compare")
        shown.until("#difference", "no difference, in any state of any tick")
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
        shown.tab.context.close()
