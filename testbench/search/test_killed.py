"""Searches that are killed, interrupted, or lose a worker go on where they were."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from testbench.patience import GENEROUS_S

COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from toreq_hw.commands import main
main(sys.argv[1:])
"""


def begun(folder: Path, *more: str) -> "subprocess.Popen[str]":
    """A search of minutes, in a process group of its own."""
    (folder / "x.toml").write_text("batch = 4\n[rungs]\nshort_epochs = 1\nepochs = 8\n")
    line = "search --board icebreaker --minimise p95_us --maximise accuracy --no-place"
    line += " --budget 400 --choose hidden=12,16,24,32,48,64,96,128 --file x.toml --store s.journal"
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *line.split(), *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,
    )


def wait_for_points(folder: Path, process: "subprocess.Popen[str]", count: int) -> None:
    deadline = time.monotonic() + GENEROUS_S
    while True:
        path = folder / "s.journal"
        text = path.read_text() if path.exists() else ""
        if text.count('"point":') >= count:
            return
        assert process.poll() is None, process.stderr
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_kill_9_loses_nothing_and_ctrl_c_shows_the_front(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        wait_for_points(tmp_path, process, 4)
        process.kill()
    kept = (tmp_path / "s.journal").read_text().count('"point":')
    with begun(tmp_path) as process:
        wait_for_points(tmp_path, process, kept + 4)
        process.send_signal(signal.SIGINT)
        shown, said = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 130, said
    assert "front of digits on icebreaker" in shown
    assert "recommended: point" in shown
    assert said.splitlines()[-1] == "interrupted"
    assert f"{kept} points are kept" in said or f"{kept + 1} points" in said


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with begun(tmp_path, "--jobs", "2") as process:
        deadline = time.monotonic() + GENEROUS_S
        while not (workers := _workers(process.pid)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        workers[0].kill()
        wait_for_points(tmp_path, process, 4)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 130, said
    assert "a worker was killed; its work begins again" in said


def _workers(parent: int) -> list[psutil.Process]:
    children = psutil.Process(parent).children(recursive=True)
    return [one for one in children if "popen_loky" in " ".join(one.cmdline())]


def test_two_searches_on_one_store(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        wait_for_points(tmp_path, process, 4)
        with begun(tmp_path) as second:
            shown, said = second.communicate(timeout=GENEROUS_S)
        assert (second.returncode, shown) == (2, "")
        line = said.splitlines()[-1]
        assert line.startswith("error: s.journal: must be the store of one search at a time, found")
        process.kill()
