"""Long work says so within seconds, in a pipe as in a terminal."""

import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import pytest

from testbench.patience import GENEROUS_S
from toreq_hw import commands
from toreq_hw.cli import console, silence, stages
from toreq_hw.cli.console import PlainConsole


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to standard error, which is no terminal."""
    text = io.StringIO()
    messages = PlainConsole()
    messages.file = text
    monkeypatch.setattr(console, "messages", messages)
    monkeypatch.setattr(stages, "messages", messages)
    return text


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bar_in_a_pipe_speaks_after_some_seconds_and_then_every_half_minute(
    said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    bar = console.progress_bar()
    task = bar.add_task("images", total=1000, note="")
    for second in range(70):
        clock.now = second
        bar.update(task, completed=10 * second)
        bar.advance(task)
    assert said.getvalue().splitlines() == [
        "images: 30 of 1,000",
        "images: 330 of 1,000",
        "images: 630 of 1,000",
    ]


def test_a_stage_in_a_pipe_says_how_long_it_runs_and_what_its_tool_says(
    said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "PULSE_S", 0.01)
    with stages.Stages() as shown:
        watch = shown.within("digits")
        watch("place", None, False)
        watch("place", None, False, "Routing..")
        while "so far" not in said.getvalue():
            pass
        watch("place", 7.0, False)
    lines = said.getvalue().splitlines()
    assert lines[0] == "digits: place ..."
    assert "digits: place: 0 s so far, Routing.." in lines
    assert lines[-1] == "digits: place: 7 s"


def test_silence_is_broken_by_a_line_that_names_the_command(
    said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "FIRST_S", 0.01)
    monkeypatch.setattr(silence, "NEXT_S", 0.01)
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(sys, "argv", ["toreq-hw"])

    @click.command()
    def command() -> None:
        while said.getvalue().count("toreq-hw: still running, 0 s so far\n") < 2:
            pass
        click.echo("heard", err=True)

    with pytest.raises(SystemExit) as end:
        commands.run(command, None, "toreq-hw")
    assert not end.value.code
    assert said.getvalue().endswith("heard\n")


def test_what_is_said_is_no_silence(said: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(sys, "stderr", said)
    watch = silence.SilenceWatch("train")

    def wait(_seconds: float) -> bool:
        clock.now += 1
        if clock.now == 80:
            watch.note_output()
        return clock.now > 100

    monkeypatch.setattr(watch._over, "wait", wait)
    watch._look()
    assert said.getvalue().splitlines() == [
        "train: still running, 15 s so far",
        "train: still running, 45 s so far",
        "train: still running, 75 s so far",
    ]


def test_a_command_that_waits_for_people_is_silent(
    said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)

    def wait(_seconds: float) -> bool:
        clock.now += 1
        if clock.now == 20:
            silence.expect()
        return clock.now > 100

    for lines in (["observe: still running, 15 s so far"], ["observe: still running, 15 s so far"]):
        clock.now = 0.0
        said.truncate(said.seek(0))
        with silence.SilenceWatch("observe") as watch:
            monkeypatch.setattr(watch._over, "wait", wait)
            watch._look()
        assert said.getvalue().splitlines() == lines, "each command waits for itself"


def test_what_is_compiled_is_said_once_and_by_commands_only(tmp_path: Path) -> None:
    """By a process with an empty cache, and not by the next one, nor by a library."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from toreq_hw import notices\n"
        "from toreq_hw.compilation import njit\n"
        "if sys.argv[1] == 'command':\n"
        "    notices.listen(lambda text: print(text, file=sys.stderr))\n"
        "njit(lambda x: x + 1, 'some')(1)\n"
        "njit(lambda x: x + 2, 'others')(1)\n"
    )
    for kind, folder, expected in (("command", "a", 1), ("command", "a", 0), ("library", "b", 0)):
        done = subprocess.run(
            [sys.executable, str(script), kind],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / folder), "PYTHONPATH": os.getcwd()},
            capture_output=True,
            text=True,
            check=True,
            timeout=GENEROUS_S,
        )
        assert done.stderr.count("compiling the simulator's inner loops, once") == expected
        assert done.stderr.count("\n") == expected
