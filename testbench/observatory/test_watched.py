"""A recording in a tab is every tick of it, and nothing can be changed there."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.command_line import toreq_hw as run
from testbench.observatory.cases import digit, digits_network, recorded
from testbench.observatory.serving import Page, served
from testbench.observatory.tabs import Shown, needs_browser
from toreq_hw.observatory import Recording, frame, recording_file
from toreq_hw.observatory.picture import planes
from toreq_hw.observatory.watched import ONLY_WATCHED, Watched


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Of a digit that settles; written to a file and read again."""
    path = tmp_path_factory.mktemp("watched") / "run.npz"
    recording_file.save(recorded(digits_network(), digit(3)[0]), path)
    return recording_file.load(path)


@pytest.fixture(scope="module")
def replaying(kept: Recording, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path: Path = tmp_path_factory.mktemp("replaying") / "run.npz"
    recording_file.save(kept, path)
    with served(opens=partial(Watched.of_file, path)) as app:
        yield app


def test_a_tab_plays_a_recording(kept: Recording, replaying: Any) -> None:
    with Page(replaying) as page:
        assert page.network["replayed"] is True
        assert page.header["input"]["label"] is None
        for tick in (1, 2):
            page.ask("step", unit="tick")
            page.until(lambda h, tick=tick: h["view"]["tick"] == tick)
            assert np.array_equal(page.planes, planes(kept, tick))
        header = page.settle()
        assert header["view"]["tick"] == kept.last.last
        assert header["view"]["settled"]
        assert header["counts"]["synops"] == kept.last.step(kept.last.last).synops


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("present", {"sample": 0}),
        ("pixels", {"values": [0] * 64}),
        ("nudge", {"label": 1, "sign": 1}),
        ("learn", {"label": 1}),
        ("train", {"rate": 1}),
        ("forget", {}),
        ("damage", {"kind": "dead_neurons", "level": 0.1}),
        ("paint", {"population": "hidden", "neurons": [1], "what": "dead"}),
        ("undo", {}),
        ("repair", {}),
        ("couplings", {"gain": 2}),
        ("machine", {"name": "reference"}),
    ],
)
def test_nothing_of_a_recording_changes(command: str, given: Any, replaying: Any) -> None:
    with Page(replaying) as page:
        assert page.refused(command, **given) == ONLY_WATCHED
        assert page.header["view"]["tick"] == 0


@needs_browser
def test_the_page_shows_a_recording(browser: Any, kept: Recording, replaying: Any) -> None:
    with Shown(browser, replaying) as shown:
        assert shown.text("#about").startswith("a recording of the simulator, of network ")
        shown.settle()
        shown.assert_shows(frame(kept, kept.last.last), kept)
        shown.tab.keyboard.press("ArrowLeft")
        shown.until("#where", f"tick {kept.last.last - 1},")
        shown.assert_shows(frame(kept, kept.last.last - 1), kept)
        for hidden in ("#learn", "#damage", "#gain", "#compare", "#next"):
            assert not shown.tab.is_visible(hidden)
        for visible in ("#play", "#pad", "#classes", "#energy", "#palette"):
            assert shown.tab.is_visible(visible)


def test_a_recording_that_is_none_is_refused_before_a_page_is_served(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(b"something else")
    done = run("observe", "--replay", path)
    assert done.status == 2
    assert "run.npz: must be an .npz file of arrays" in done.error
