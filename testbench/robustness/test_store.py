"""Stores of trials: every line is checked, a cut one is dropped and told, processes take turns."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from testbench.patience import GENEROUS_S
from toreq_hw.errors import InputError
from toreq_hw.locks import locked
from toreq_hw.sim.campaign import runner
from toreq_hw.sim.campaign.runner import Plan
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.store import Store
from toreq_hw.sim.campaign.trial import MAX_BIN, Trial

TRIAL = Trial(0.25, 3, 10, 0.5, 6, 2, 0.125, (0, 10, *[0] * (MAX_BIN - 2)), 2.0, 0, 17.5, None)


def line(**changes: Any) -> str:
    record = asdict(TRIAL) | changes
    return json.dumps({name: value for name, value in record.items() if value != "absent"}) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.jsonl"


def test_what_is_written_is_read(path: Path) -> None:
    Store(path).add(TRIAL)
    other = replace(TRIAL, trial=4, twin_accuracy=1.0)
    Store(path).add(other)
    assert Store(path).trials == {(0.25, 3): TRIAL, (0.25, 4): other}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("\n", "must be JSON"),
        ("null\n", "must hold an object"),
        ("[" * 5000 + "\n", "must nest at most"),
        ('{"level": 1, "level": 2}\n', "must be JSON, found: the name 'level' twice"),
        ("\0\0\0\n", "must be JSON"),
        ("\xe9\n", "must be ASCII, found byte 0xc3"),
        (line(level="0.25"), "field level must be a finite number"),
        (line(level=float("nan")), "must be JSON, found: the number NaN"),
        (line(level=-0.5), "field level must be in 0"),
        (line(trial=-1), "field trial must be a whole number in 0"),
        (line(trial=1.0), "field trial must be a whole number"),
        (line(trial=True), "field trial must be a whole number"),
        (line(samples=0), "field samples must be a whole number in 1"),
        (line(samples=10**400), "field samples must be a whole number in 1"),
        (line(accuracy=1.5), "field accuracy must be in 0..1, found 1.5"),
        (line(accuracy=None), "field accuracy must be a finite number"),
        (line(agreement=11), "field agreement must be a whole number in 0..10, found 11"),
        (line(exact=-1), "field exact must be a whole number in 0..10"),
        (line(distance=2), "field distance must be in 0..1"),
        (line(sweeps=[10]), "field sweeps must be 40 counts of 10 images"),
        (line(sweeps=[1] * MAX_BIN), "field sweeps must be 40 counts of 10 images"),
        (line(sweeps="many"), "field sweeps must be a list"),
        (line(mean_sweeps=0), "field mean_sweeps must be in 1"),
        (line(unsettled=11), "field unsettled must be a whole number in 0..10"),
        (line(events=-1), "field events must be in 0"),
        (line(twin_accuracy=2), "field twin_accuracy must be in 0..1"),
        (line(events="absent"), "field events must be there"),
        (line(more=1), "fields must be level, trial"),
        (line(accuracy=0.75), "must be a trial of its own, found another result of trial 3"),
    ],
)
def test_a_bad_line_is_named(path: Path, bad: str, message: str) -> None:
    path.write_text(line() + line(trial=4) + bad + line(trial=5), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        Store(path)
    assert str(caught.value).startswith(f"{path}: line 3")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1, 40])
def test_a_cut_last_line_is_dropped_and_told(path: Path, kept: int) -> None:
    whole = line() if kept else ""
    path.write_text(whole + line(trial=4)[: 40 + kept])
    store, told = Store(path), []
    assert path.read_text() != whole  # reading alone changes nothing: another may be writing
    with store.held(told.append):
        assert path.read_text() == whole
        store.add(replace(TRIAL, trial=4))
    (message,) = told
    assert f"{path}: the last line was cut by a crash" in message
    assert len(Store(path).trials) == len(whole and "1") + 1


HOLDER = """
import sys
from pathlib import Path
from toreq_hw.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_dead_process_holds_no_lock(path: Path) -> None:
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(GENEROUS_S)
        told: list[str] = []
        with locked(path, told.append):
            assert told == []


def _setting(monkeypatch: pytest.MonkeyPatch, ran: list[tuple[float, int]]) -> Setting:
    """Trials that cost nothing, and are noted."""

    def run_trial(_: Setting, level: float, trial: int) -> Trial:
        ran.append((level, trial))
        return replace(TRIAL, level=level, trial=trial)

    monkeypatch.setattr(runner, "run_trial", run_trial)
    return Setting("net", "digits", 10, "dead_neurons")


def test_a_campaign_waits_for_a_live_process_and_takes_its_trials(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[float, int]] = []
    one, plan, told = _setting(monkeypatch, ran), Plan((0.25,), trials=5), []
    waiting, found = threading.Event(), []

    def tell(message: str) -> None:
        told.append(message)
        waiting.set()

    def run() -> None:
        found.append(runner.run(one, plan, Store(path), jobs=1, tell=tell))

    with holder(path) as process:
        campaign = threading.Thread(target=run)
        campaign.start()
        assert waiting.wait(GENEROUS_S)
        assert ran == []
        for trial in range(5):  # what the live process does meanwhile
            Store(path).add(replace(TRIAL, trial=trial))
        process.communicate("")
        campaign.join(120)
    assert told == [f"{path}: another process is at work on it; waiting until it ends"]
    assert [t.trial for t in found[0][0.25]] == list(range(5))
    assert (0.25, 0) not in ran  # only the controls were left
    assert sorted(level for level, _ in ran) == [0.0, *[1.0] * 8]


def test_a_campaign_that_ended_lets_the_next_begin(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[float, int]] = []
    one, plan = _setting(monkeypatch, ran), Plan((0.25,), trials=5)
    first = runner.run(one, plan, Store(path), jobs=1)
    assert runner.run(one, plan, Store(path), jobs=1) == first
    assert len(ran) == 14
