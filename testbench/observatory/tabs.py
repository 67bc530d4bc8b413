"""A tab of a real browser, and what a test may ask of it."""

import shutil
from typing import Any

import numpy as np
import pytest

from testbench.observatory.cases import digits_network
from testbench.patience import HUNG_S, until
from toreq_hw.observatory import plan_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="CHROMIUM IS NOT HERE: install it to test the page in a browser"
)


class Shown:
    """A tab. said: errors of its console. asked: addresses of its requests."""

    def __init__(self, browser: Any, app: Any, **settings: Any) -> None:
        self.tab = browser.new_context(**settings).new_page()
        self.tab.set_default_timeout(1000 * HUNG_S)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda m: self.said.append(m.text) if m.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("websocket", lambda socket: self.asked.append(socket.url))
        self.port = app.port
        self.tab.goto(app.base)
        self.tab.wait_for_selector("#panels canvas")

    def __enter__(self) -> "Shown":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.tab.context.close()
        if kind is None:
            assert self.said == [], "no test makes the page complain"
            assert all(f"//127.0.0.1:{self.port}/" in address for address in self.asked)
            assert any(address.startswith("ws:") for address in self.asked)

    def text(self, selector: str) -> str:
        return str(self.tab.inner_text(selector))

    def until(self, selector: str, words: str) -> str:
        """Waits until a part of the page says something. The policy of the page allows no eval."""
        until(lambda: words in self.text(selector), lambda: self.text(selector))
        return self.text(selector)

    def settle(self) -> None:
        self.tab.click("#settle")
        self.until("#end", "settled")
        self.until("#play", "Play")

    def click_neuron(self, population: str, neuron: int) -> None:
        """With the mouse, in the middle of its pixel."""
        canvas = self.tab.locator(f'canvas[data-population="{population}"]')
        panel = next(
            one for one in plan_of(digits_network()).panels if one.population.name == population
        )
        ((y, x),) = np.argwhere(panel.cells == neuron)
        box = canvas.bounding_box()
        place = {
            "x": box["width"] * (x + 0.5) / panel.width,
            "y": box["height"] * (y + 0.5) / panel.height,
        }
        canvas.click(position=place)

    def canvas(self, population: str, which: str = "population") -> np.ndarray:
        """Pixels of a panel, uint8 (height, width, 3); which: "beside" of another machine."""
        height, width, values = self.tab.locator(f'canvas[data-{which}="{population}"]').evaluate(
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
