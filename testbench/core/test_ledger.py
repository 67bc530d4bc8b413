"""The ledger: every line is checked, a cut one is dropped and told, processes take turns, and a
study that is killed goes on where it was.
"""

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
from testbench.toy_study import Square, runs, squared, toy
from toreq_hw.errors import InputError, OutputError
from toreq_hw.locks import lock
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.trial import MAX_BIN, Trial
from toreq_hw.studies import campaign
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.work import workers

TRIAL = Trial(0.25, 3, 10, 0.5, 6, 2, 0.125, (0, 10, *[0] * (MAX_BIN - 2)), 2.0, 0, 17.5, None)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger[Trial]:
    return trials(tmp_path)


def trials(folder: Path) -> Ledger[Trial]:
    return Ledger(folder, "s", {"code": ""}, Trial)


def run_of(trial: Trial) -> Run:
    return {"level": trial.level, "trial": trial.trial}


def line(**changes: Any) -> str:
    record = asdict(TRIAL) | changes
    row = {name: value for name, value in record.items() if value != "absent"}
    return json.dumps({"run": {"trial": record["trial"]}, "row": row}) + "\n"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    other = replace(TRIAL, trial=4, twin_accuracy=1.0)
    for trial in (TRIAL, other):
        trials(tmp_path).add(run_of(trial), trial)
    found = trials(tmp_path)
    assert [found[run_of(trial)] for trial in (TRIAL, other)] == [TRIAL, other]
    assert len(found) == 2
    assert {"level": 0.25, "trial": 5} not in found


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("\n", "must be JSON"),
        ("null\n", "must hold an object"),
        ("[" * 5000 + "\n", "must nest at most"),
        ('{"level": 1, "level": 2}\n', "must be JSON, found: the name 'level' twice"),
        ("\0\0\0\n", "must be JSON"),
        ("\xe9\n", "must be ASCII, found byte 0xc3"),
        ("{}\n", "field run must be there"),
        ('{"run": {}, "row": 1}\n', "field row must be an object"),
        ('{"run": {}, "row": {}, "more": 1}\n', "fields must be run, row, found 'more'"),
        (line(level="0.25"), "field level must be float, found str"),
        (line(level=float("nan")), "must be JSON, found: the number NaN"),
        (line(level=-0.5), "level must be in 0"),
        (line().replace("0.25", "1e999"), "level must be in 0"),
        (line(trial=-1), "trial must be in 0"),
        (line(trial=1.0), "field trial must be int"),
        (line(trial=True), "field trial must be int, found bool"),
        (line(samples=0), "samples must be in 1"),
        (line(samples=10**400), "samples must be in 1"),
        (line(accuracy=1.5), "accuracy must be in 0..1, found 1.5"),
        (line(accuracy=None), "field accuracy must be float, found null"),
        (line(agreement=11), "agreement must be in 0..10, found 11"),
        (line(exact=-1), "exact must be in 0..10"),
        (line(distance=2), "distance must be in 0..1"),
        (line(sweeps=[10]), "sweeps must be 40 counts of 10 images"),
        (line(sweeps=[]), "sweeps must be 40 counts of 10 images"),
        (line(sweeps=[1] * MAX_BIN), "sweeps must be 40 counts of 10 images"),
        (line(sweeps=[11, -1, *[0] * (MAX_BIN - 2)]), "sweeps must be 40 counts of 10 images"),
        (line(sweeps="many"), "field sweeps must be array, found str"),
        (line(mean_sweeps=0), "mean_sweeps must be in 1"),
        (line(unsettled=11), "unsettled must be in 0..10"),
        (line(events=-1), "events must be in 0"),
        (line(twin_accuracy=2), "twin_accuracy must be in 0..1"),
        (line(events="absent"), "field events must be there"),
        (line(more=1), "fields must be those of its record, found 'more'"),
        (line(accuracy=0.75), "must be a run of its own, found another row of run"),
    ],
)
def test_a_bad_line_is_named(ledger: Ledger[Trial], bad: str, message: str) -> None:
    head = json.dumps({"ledger": 2, "study": "s", "shared": {"code": ""}}) + "\n"
    ledger.path.write_text(head + line() + bad + line(trial=5), encoding="utf-8")
    before = ledger.path.read_bytes()
    with pytest.raises(InputError) as caught:
        trials(ledger.path.parent)
    assert str(caught.value).startswith(f"{ledger.path}: line 3")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize("head", ["", '{"ledger": 1, "study": "s", "shared": {}}\n', line()])
def test_a_first_line_of_another_study_or_version_is_refused(
    ledger: Ledger[Trial], head: str
) -> None:
    ledger.path.write_text(head + line())
    with pytest.raises(InputError, match=r"line 1 must say what this study's runs share, found"):
        trials(ledger.path.parent)


@pytest.mark.parametrize("kept", [0, 1, 40])
def test_a_cut_last_line_is_dropped_and_told(ledger: Ledger[Trial], kept: int) -> None:
    if kept:
        ledger.add(run_of(TRIAL), TRIAL)
    whole = ledger.path.read_text() if kept else ""
    ledger.path.write_text(whole + line(trial=4)[: 40 + kept])
    store, told = trials(ledger.path.parent), []
    assert store.path.read_text() != whole  # reading alone changes nothing: another may be writing
    with store.lock(told.append):
        assert store.path.read_text() == whole
        store.add({"level": 0.25, "trial": 4}, replace(TRIAL, trial=4))
    (message,) = told
    assert f"{store.path}: the last line was cut by a crash" in message
    assert len(trials(ledger.path.parent)) == len(whole and "1") + 1


def test_a_run_is_kept_behind_a_line_that_another_process_left_cut(ledger: Ledger[Trial]) -> None:
    ledger.add(run_of(TRIAL), TRIAL)
    with ledger.path.open("a") as file:
        file.write('{"run": ')
    ledger.add({"trial": 4}, replace(TRIAL, trial=4))
    assert len(trials(ledger.path.parent)) == 2


def test_other_settings_have_a_ledger_of_their_own(tmp_path: Path) -> None:
    toy(tmp_path, network="a", levels=(1, 2)).complete(runs(3), squared)
    assert len(toy(tmp_path, network="a", levels=(1, 2))) == 3
    other = toy(tmp_path, network="b")
    assert len(other) == 0
    assert other.path != toy(tmp_path, network="a").path


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        toy(tmp_path / "file").add({"number": 1}, Square(1, 1))


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_come_in_the_order_of_their_runs_and_only_the_missing_are_made(
    tmp_path: Path, jobs: int
) -> None:
    seen: list[tuple[int, int]] = []
    first = toy(tmp_path)
    for number in (5, 2):
        first.add({"number": number}, Square(number, -1))
    with workers(jobs):
        rows = first.complete(runs(7), squared, lambda *done: seen.append(done))
    assert [row.number for row in rows] == list(range(7))
    assert [row.square for row in rows] == [0, 1, -1, 9, 16, -1, 36]
    assert seen == [(done, 7) for done in range(2, 8)]
    assert toy(tmp_path).rows == first.rows


def test_what_is_forgotten_is_made_again(tmp_path: Path) -> None:
    first = toy(tmp_path)
    first.complete(runs(2), squared)
    first.forget()
    assert len(first) == len(toy(tmp_path)) == 0
    assert len(first.complete(runs(2), squared)) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from testbench.toy_study import runs, squared, toy

def killed(run):
    if run["number"] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return squared(run)

toy(Path(sys.argv[1])).complete(runs(9), killed)
"""


def test_a_study_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    made: list[int] = []

    def counted(run: Run) -> Square:
        made.append(int(run["number"] or 0))
        return squared(run)

    assert len(toy(tmp_path)) == 4
    rows = toy(tmp_path).complete(runs(9), counted)
    assert made == list(range(4, 9))
    assert rows == [squared(run) for run in runs(9)]


HOLDER = """
import sys
from pathlib import Path
from toreq_hw.locks import lock
with lock(Path(sys.argv[1])):
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


def test_a_dead_process_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(GENEROUS_S)
        told: list[str] = []
        with lock(path, told.append):
            assert told == []


def _setting(monkeypatch: pytest.MonkeyPatch, ran: list[tuple[float, int]]) -> Setting:
    """Trials that cost nothing, and are noted."""

    def run_trial(_: Setting, level: float, trial: int) -> Trial:
        ran.append((level, trial))
        return replace(TRIAL, level=level, trial=trial)

    monkeypatch.setattr(campaign, "run_trial", run_trial)
    return Setting("net", "digits", 10, "dead_neurons")


def test_a_campaign_waits_for_a_live_process_and_takes_its_trials(
    ledger: Ledger[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[float, int]] = []
    one, plan, told = _setting(monkeypatch, ran), Plan((0.25,), trials=5), []
    waiting, found = threading.Event(), []

    def tell(message: str) -> None:
        told.append(message)
        waiting.set()

    def run() -> None:
        found.append(campaign.run(one, plan, trials(ledger.path.parent), jobs=1, tell=tell))

    with holder(ledger.path) as process:
        thread = threading.Thread(target=run)
        thread.start()
        assert waiting.wait(GENEROUS_S)
        assert ran == []
        for trial in range(5):  # what the live process does meanwhile
            ledger.add({"level": 0.25, "trial": trial}, replace(TRIAL, trial=trial))
        process.communicate("")
        thread.join(120)
    assert told == [f"{ledger.path}: another process is at work on it; waiting until it ends"]
    assert [t.trial for t in found[0][0.25]] == list(range(5))
    assert (0.25, 0) not in ran  # only the controls were left
    assert sorted(level for level, _ in ran) == [0.0, *[1.0] * 8]


def test_a_campaign_that_ended_lets_the_next_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[float, int]] = []
    one, plan = _setting(monkeypatch, ran), Plan((0.25,), trials=5)
    first = campaign.run(one, plan, trials(tmp_path), jobs=1)
    assert campaign.run(one, plan, trials(tmp_path), jobs=1) == first
    assert len(ran) == 14
