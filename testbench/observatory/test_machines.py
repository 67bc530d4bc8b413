"""The compiled core and Lava stand beside the simulator, tick by tick, on the same page."""

import asyncio
import importlib.util
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from testbench.observatory.serving import Page
from testbench.observatory.tabs import Shown, needs_browser
from testbench.patience import until
from toreq_hw.observatory.apart import run_apart
from toreq_hw.observatory.machines import Answer, Request
from toreq_hw.observatory.panels import plan_of

RTL_IS_HERE = importlib.util.find_spec("amaranth") is not None and shutil.which("g++") is not None
LAVA_IS_HERE = importlib.util.find_spec("lava") is not None

machines = pytest.mark.parametrize(
    ("name", "title"),
    [
        pytest.param(
            "rtl",
            "compiled core",
            marks=pytest.mark.skipif(
                not RTL_IS_HERE,
                reason="THE CORE CANNOT BE COMPILED HERE: make .venv/extra-rtl, g++",
            ),
        ),
        pytest.param(
            "lava",
            "Lava",
            marks=pytest.mark.skipif(not LAVA_IS_HERE, reason="LAVA IS NOT HERE: make .venv/lava"),
        ),
    ],
)


def compared(page: Page, name: str, *, fault: bool) -> dict[str, Any]:
    """What the page says of another machine that has run."""
    page.ask("machine", name=name, fault=fault)
    page.until(lambda h: h.get("machine", {}).get("running"))
    found: dict[str, Any] = page.until(lambda h: h.get("machine", {}).get("running") is False)
    assert found["beside"], found["machine"]
    return found["machine"]


def at(page: Page, phase: int, tick: int) -> tuple[np.ndarray, np.ndarray]:
    """The planes of a tick, of the simulator and of the other machine."""
    page.ask("show", phase=phase, tick=tick)
    page.until(lambda h: (h["view"]["phase"], h["view"]["tick"]) == (phase, tick))
    return page.planes[:4], page.planes[4:]


@machines
def test_every_tick_of_every_phase_is_the_simulators(app: Any, name: str, title: str) -> None:
    with Page(app) as page:
        page.ask("present", sample=3)
        assert compared(page, name, fault=False) == {
            "name": title,
            "running": False,
            "difference": None,
        }
        phases = page.header["phases"]
        assert [phase["name"] for phase in phases] == ["free", "positive", "negative"]
        for number, phase in enumerate(phases):
            assert phase["last"] > 1
            for tick in range(phase["last"] + 1):
                mine, other = at(page, number, tick)
                assert mine[0].any()
                assert np.array_equal(mine, other)
        page.ask("present", sample=4)
        page.until(lambda h: h["input"]["sample"] == 4)
        assert not page.header["beside"]


@machines
def test_a_broken_weight_is_named_by_tick_and_neuron(app: Any, name: str, title: str) -> None:
    with Page(app) as page:
        found = compared(page, name, fault=True)
        assert found["name"] == f"{title}, one weight broken"
        place = f"tick {found['tick']}, population {found['population']!r}, neuron "
        assert place + str(found["neuron"]) in found["difference"]
        mine, other = at(page, found["phase"], found["tick"] - 1)
        assert np.array_equal(mine, other)
        mine, other = at(page, found["phase"], found["tick"])
        (tab,) = app.tabs
        panels = plan_of(tab.live.network).panels
        panel = next(p for p in panels if p.population.name == found["population"])
        y, x = np.argwhere(panel.cells == found["neuron"])[0] + (panel.top, panel.left)
        assert mine[0, y, x] != other[0, y, x]


@needs_browser
@machines
def test_both_stand_on_the_page(browser: Any, app: Any, name: str, title: str) -> None:
    with Shown(browser, app) as shown:
        shown.settle()
        shown.tab.select_option("#machine", name)
        shown.tab.click("#compare")
        shown.until("#difference", f"Running on the {title}")
        shown.tab.click("#forward")  # the tab is not held up
        shown.until("#where", "tick 1,")
        shown.until("#difference", f"First difference to the {title}: none")
        shown.settle()
        for population in ("input", "hidden", "output"):
            above = shown.tab.locator(f'canvas[data-population="{population}"]').bounding_box()
            below = shown.tab.locator(f'canvas[data-beside="{population}"]').bounding_box()
            assert above["y"] + above["height"] <= below["y"]
            mine, other = shown.canvas(population), shown.canvas(population, "beside")
            assert np.array_equal(mine, other)
        assert "hidden" in (shown.tab.locator("#panels").inner_text())
        shown.tab.check("#fault")
        shown.tab.click("#compare")
        found = shown.until("#difference", f"First difference to the {title}, one weight broken: ")
        assert "tick" in found
        assert "neuron" in found
        shown.tab.click("#go")
        tick = found.partition("tick ")[2].partition(",")[0]
        shown.until("#where", f"tick {tick},")
        assert shown.tab.locator(".parts:visible").count() == 2
        assert shown.said == []


@machines
def test_a_closed_tab_ends_its_machine(app: Any, name: str, title: str) -> None:
    def workers() -> list[psutil.Process]:
        found = []
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # it has just ended
                found += [process] if "spawn_main" in " ".join(process.cmdline()) else []
        return found

    assert not workers(), title
    with Page(app) as page:
        page.ask("machine", name=name, fault=False)
        page.until(lambda h: h.get("machine", {}).get("running"))
        until(workers)
        refused = page.refused("machine", name="dense")
        assert refused == "one machine must end before another is asked, found one"
    until(lambda: not workers())


def test_a_machine_that_comes_late_is_not_shown(app: Any, monkeypatch: Any) -> None:
    async def late(request: Request, folder: Path) -> Answer:
        (tab,) = app.tabs
        while tab.live.sample != 6:
            await asyncio.sleep(0.01)
        return await run_apart(request, folder)

    monkeypatch.setattr("toreq_hw.observatory.tab.run_apart", late)
    with Page(app) as page:
        page.ask("machine", name="dense", fault=False)
        page.ask("present", sample=6)
        found = page.until(lambda h: h.get("machine", {}).get("running") is False)
        assert found["machine"]["late"]
        assert not found["beside"]
        assert found["input"]["sample"] == 6


def test_a_machine_that_cannot_run_the_network_says_so(app: Any) -> None:
    with Page(app) as page:
        page.ask("couplings", gain=1, schedule="synchronous")
        page.until(lambda h: h.get("state", {}).get("settings", {}).get("schedule"))
        page.ask("machine", name="lava", fault=False)
        found = page.until(lambda h: h.get("machine", {}).get("running") is False)["machine"]
        assert "failed" in found
        assert "\n" not in found["failed"]
        page.ask("machine", name="dense", fault=False)
        found = page.until(lambda h: "difference" in (h.get("machine") or {}))["machine"]
        assert found["difference"] is None
