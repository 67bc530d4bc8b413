"""A command that is asked to end, interrupted or killed leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from testbench.patience import GENEROUS_S
from toreq_hw import network
from toreq_hw.children import tied_to_parent
from toreq_hw.network import WeightFormat, layered

COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from toreq_hw.commands import main
main(sys.argv[1:])
"""  # background jobs of a shell inherit an ignored SIGINT; a person's terminal does not


def members(group: int) -> list[psutil.Process]:
    """Living processes of a process group."""
    found = []
    for process in psutil.process_iter():
        try:
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and os.getpgid(process.pid) == group:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def wait_until_workers_run(process: subprocess.Popen[bytes], count: int) -> None:
    deadline = time.monotonic() + GENEROUS_S
    while sum("popen_loky" in " ".join(p.cmdline()) for p in members(process.pid)) < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def campaign(folder: Path) -> "subprocess.Popen[bytes]":
    """A long one with two workers, in a process group of its own."""
    network.save(layered((64, 4, 10), WeightFormat.TERNARY, (3, 3)), folder / "net")
    arguments = ["inject", "net", "--layer", "dead_neurons", "--levels", "0.1:0.9:9", "--no-twin"]
    arguments += ["--trials", "10000", "--jobs", "2", "--store", "trials"]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_workers_end_with_their_command(tmp_path: Path, sent: signal.Signals, status: int) -> None:
    with campaign(tmp_path) as process:
        try:
            wait_until_workers_run(process, 2)
            process.send_signal(sent)
            assert process.wait(GENEROUS_S) == status
            deadline = time.monotonic() + GENEROUS_S
            while members(process.pid):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            for left in members(process.pid):
                left.kill()


def test_an_interrupt_of_the_whole_group_is_one_line(tmp_path: Path) -> None:
    """As a terminal sends it: workers that still import would print tracebacks of their own."""
    with campaign(tmp_path) as process:
        try:
            wait_until_workers_run(process, 2)
            time.sleep(0.5)  # far less than what their imports take
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=GENEROUS_S)
            assert process.returncode == 130
            assert b"Traceback" not in errors
            assert errors.endswith(b"interrupted\n")
        finally:
            for left in members(process.pid):
                left.kill()


PARENT = """
import subprocess, sys
from toreq_hw.children import tied_to_parent
tool = subprocess.Popen(["sleep", "1000"], preexec_fn=tied_to_parent())
print(tool.pid, flush=True)
tool.wait()
"""


@pytest.mark.skipif(tied_to_parent() is None, reason="only Linux kills a tool with its parent")
def test_a_tool_dies_with_a_killed_parent() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        tool = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait(GENEROUS_S)
        gone, alive = psutil.wait_procs([tool], GENEROUS_S)
        for process in alive:
            process.kill()
        assert gone
