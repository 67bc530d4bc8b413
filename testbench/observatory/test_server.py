"""A tab sees what `frame` and `relax` say; what is foreign stays out."""

import importlib.util
import inspect
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from testbench.observatory.cases import digit, digits_network, recorded
from testbench.observatory.serving import Page, served
from testbench.patience import GENEROUS_S, until
from toreq_hw import network, sim
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.picture import planes

ROOT = Path(__file__).parents[2]


def test_a_tab_shows_every_tick_as_frame_does(app: Any) -> None:
    wanted = recorded(digits_network(), digit(3)[0])
    with Page(app) as page:
        page.ask("present", sample=3)
        page.until(lambda h: h["input"]["sample"] == 3)
        for tick in range(wanted.last.last + 1):
            page.until(lambda h, tick=tick: h["view"]["tick"] == tick)
            assert np.array_equal(page.planes, planes(wanted, tick))
            assert page.header["energy"] == wanted.last.step(tick).energy
            page.ask("step", unit="tick")
        page.ask("show", phase=0, tick=2)
        page.until(lambda h: h["view"]["tick"] == 2)
        assert np.array_equal(page.planes, planes(wanted, 2))
        page.ask("step", unit="tick", back=True)
        page.until(lambda h: h["view"]["tick"] == 1)
        page.ask("step", unit="sweep")
        page.until(lambda h: h["view"]["tick"] == 2)
        page.ask("step", unit="event")
        header = page.until(lambda h: h["view"]["tick"] == 3)
        if header["view"]["changes"] > 1:
            assert np.array_equal(page.planes, planes(wanted, 3, event=1))


def test_a_painted_digit_settles_to_the_class_of_relax(app: Any) -> None:
    inputs, _ = digit(7)
    pixels = (inputs[0].astype(int)).tolist()
    wanted = sim.relax(digits_network(), inputs)
    with Page(app) as page:
        page.ask("pixels", values=pixels)
        page.until(lambda h: h["input"]["sample"] is None)
        header = page.settle()
        assert header["best"] == wanted.classes[0]
        assert header["view"]["settled"]
        assert header["counts"]["synops"] == wanted.synops[0]
        assert header["counts"]["dense"] == wanted.dense_synops[0]
        curve = header["curve"]["rows"] or []
        assert all(not row[5] for row in curve)


def test_phases_and_one_learning_step(app: Any) -> None:
    with Page(app) as page:
        page.settle()
        label = (page.header["best"] + 1) % 10
        page.ask("nudge", label=label, sign=1)
        page.until(lambda h: h["view"]["name"] == "positive")
        header = page.settle()
        assert header["best"] == label
        assert header["reached"]["output"] > 0
        assert header["reached"]["hidden"] > 0
        assert page.planes[2].any()
        page.ask("nudge", label=label, sign=-1)
        page.until(lambda h: h["view"]["name"] == "negative")
        page.ask("learn", label=label)
        page.until(lambda h: "state" in h and h["state"]["training"])
        moved = {one["coupling"]: one for one in page.state["moved"]}
        assert moved["hidden-output"]["latents"] > 0
        assert any(one["cells"].count(96) for one in page.state["moved"])
        page.ask("forget")
        page.until(lambda h: "state" in h and not h["state"]["training"])


def test_live_training_gets_better(app: Any) -> None:
    def learned(header: dict[str, Any]) -> int:
        return ((header.get("state") or {}).get("training") or {}).get("samples", 0)

    with Page(app) as page:
        page.ask("train", rate=100_000)
        page.until(lambda h: learned(h) >= 3000)
        page.ask("pause")
        curve = page.state["training"]["curve"]
        assert curve[0][0] == 0
        assert curve[-1][1] > curve[0][1] + 0.1


def test_damage_is_felt_and_taken_back(app: Any) -> None:
    with Page(app) as page:
        page.settle()
        sound = page.header["scores"]
        page.ask("paint", population="hidden", neurons=list(range(12)), what="dead")
        page.until(lambda h: "state" in h and h["state"]["breaks"])
        assert page.state["breaks"] == ["12 neurons of hidden dead"]
        page.settle()
        page.until(lambda h: "state" in h and h["state"]["returned"])
        broken = page.state["returned"]
        assert broken["same"] < broken["neurons"] == 34
        hidden = next(p for p in page.network["panels"] if p["name"] == "hidden")
        top, left = hidden["top"], hidden["left"]
        shown = page.planes[0, top : top + hidden["height"], left : left + hidden["width"]]
        assert not shown.ravel()[:12].any()
        page.ask("undo")
        page.until(lambda h: "state" in h and not h["state"]["breaks"])
        page.settle()
        page.until(lambda h: "state" in h and h["state"]["returned"])
        assert page.state["returned"]["same"] == 34
        assert page.header["scores"] == sound


@pytest.mark.parametrize(
    ("kind", "level"), [("missing_synapses", 0.5), ("thermal_noise", 0.2), ("state_bit_flip", 0.3)]
)
def test_layers_of_the_project_break_and_end(app: Any, kind: str, level: float) -> None:
    with Page(app) as page:
        page.settle()
        page.ask("damage", kind=kind, level=level)
        page.until(lambda h: "state" in h and h["state"]["breaks"])
        assert page.header["view"]["name"] == "continued"
        header = page.settle()
        assert header["view"]["settled"]


def test_the_slider_of_the_couplings(app: Any) -> None:
    with Page(app) as page:
        weak = page.state["gain"]
        page.ask("couplings", gain=4, schedule="parity")
        page.until(lambda h: "state" in h and h["state"]["settings"]["gain"] == 4)
        assert page.state["gain"]["radius"] == pytest.approx(4 * weak["radius"], rel=0.01)
        assert page.state["gain"]["lipschitz"] == pytest.approx(4 * weak["lipschitz"], rel=0.01)
        assert page.settle()["view"]["settled"]
        page.ask("couplings", gain=4, schedule="synchronous")
        page.until(lambda h: "state" in h and h["state"]["settings"]["schedule"] == "synchronous")
        header = page.settle()
        assert header["view"]["settled"] or header["view"]["period"] == 2
        page.ask("couplings", gain=1, schedule="", own_feedback=True)
        page.until(lambda h: "state" in h and h["state"]["settings"]["own_feedback"])
        assert not page.state["shown"]["energy"]
        assert page.header["energy"] is None
        refused = page.refused("learn", label=1)
        assert refused.startswith("learning must be at gain 1")


def test_other_machines_go_the_same_way(app: Any) -> None:
    with Page(app) as page:
        page.ask("machine", name="reference", fault=False)
        page.until(lambda h: h.get("machine", {}).get("running") is False)
        assert page.header["machine"]["difference"] is None
        page.until(lambda h: h["beside"])
        assert np.array_equal(page.planes[:4], page.planes[4:])
        page.ask("machine", name="dense", fault=True)
        name = "dense engine, one weight broken"
        page.until(lambda h: h.get("machine", {}).get("name") == name)
        page.until(lambda h: h["machine"]["running"] is False)
        found = page.header["machine"]
        assert "expected" in found["difference"]
        page.ask("show", phase=found["phase"], tick=found["tick"])
        page.until(lambda h: h["view"]["tick"] == found["tick"])
        assert not np.array_equal(page.planes[:4], page.planes[4:])


def test_frames_say_how_many_commands_are_carried_out(app: Any) -> None:
    with Page(app) as page:
        assert page.header["taken"] == 0
        page.refused("present", sample=-1)
        assert page.header["taken"] == 1
        page.ask("present", sample=7)
        page.until(lambda h: h["input"]["sample"] == 7)
        assert page.header["taken"] == 2


def test_a_slow_page_skips_frames_and_slows_nothing(app: Any) -> None:
    with Page(app) as page:
        tab = max(app.tabs, key=id)
        page.ask("couplings", gain=4, schedule="synchronous")
        page.settle()
        sent = tab.sent
        for number in range(30):  # nothing is read or acknowledged meanwhile
            page.ask("present", sample=number)
            page.ask("play", rate=0)
        until(lambda: tab.live.sample == 29 and tab.live.viewer.at_end)
        assert tab.sent <= sent + 2
        header = page.until(lambda h: h["input"]["sample"] == 29 and h["view"]["atEnd"])
        assert header["number"] <= sent + 4


def test_a_long_command_ends_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first learning step compiles for a minute where the machine is busy."""
    import uvicorn

    known = inspect.signature(uvicorn.Config.__init__).parameters
    asked = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.2}
    defaults = {n: p.default for n, p in known.items() if p.default is not inspect.Parameter.empty}
    monkeypatch.setattr(uvicorn.Config.__init__, "__defaults__", tuple((defaults | asked).values()))
    present = Live.present

    def slow(live: Live, sample: int) -> None:
        time.sleep(2)
        present(live, sample)

    monkeypatch.setattr(Live, "present", slow)
    with served() as app, Page(app) as page:
        page.ask("present", sample=7)
        page.ask("pause")  # while it waits, the server reads nothing from the socket
        page.until(lambda h: h["input"]["sample"] == 7)


def test_a_closed_tab_ends_its_session(app: Any) -> None:
    until(lambda: not app.tabs)
    with Page(app) as page:
        page.ask("play", rate=1)
        (tab,) = app.tabs
    until(lambda: not app.tabs)
    until(lambda: tab.ended)


@pytest.mark.usefixtures("app")  # where the extra is installed
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("machine", ["", "lava"])
def test_a_signal_ends_the_command_and_all_that_it_began(
    tmp_path: Path, sent: signal.Signals, status: int, machine: str
) -> None:
    if machine and importlib.util.find_spec("lava") is None:
        pytest.skip("LAVA IS NOT HERE: make .venv/lava")
    network.save(digits_network(), tmp_path / "net.safetensors")
    command = ["-m", "toreq_hw", "observe", "net.safetensors", "--no-browser"]
    (tmp_path / "drafts").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "drafts")}
    with subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            address = line.removeprefix("the page is at ").removesuffix(" until Ctrl-C\n")
            assert address.startswith("http://127.0.0.1:"), line
            with urllib.request.urlopen(address) as answer:
                assert b"Observatory" in answer.read()
            began = []
            with Page(
                SimpleNamespace(base=address, port=address.split(":")[2].split("/")[0])
            ) as page:
                page.settle()
                if machine:
                    page.ask("machine", name=machine)
                    until(lambda: list((tmp_path / "drafts").glob("toreq-lava-*/log")))
                began = psutil.Process(running.pid).children(recursive=True)
                assert bool(began) == bool(machine)
                running.send_signal(sent)
                assert running.wait(GENEROUS_S) == status
            until(lambda: not any(one.is_running() for one in began))
            assert list((tmp_path / "drafts").iterdir()) == []
        finally:
            running.kill()
