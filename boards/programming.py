"""Puts a bitstream onto a board, which nobody does unless asked to."""

import shutil
import subprocess
from pathlib import Path

from toreq_hw.argument_types import named_type_errors
from toreq_hw.boards.board import Board
from toreq_hw.errors import DeploymentError, InputError, MissingDependencyError

PROGRAM = "openFPGALoader"

TIME_LIMIT_S = 1200.0
"""openFPGALoader takes seconds, the largest flash a minute; ended half-way it would leave a board
that does not start. Only one that never ends may come so far."""


@named_type_errors
def program(board: Board, bitstream: Path) -> None:
    """Loads `bitstream` into `board` by openFPGALoader.

    Raises InputError where there is no such file, MissingDependencyError without the program, and
    DeploymentError where it fails.
    """
    if not bitstream.is_file():
        raise InputError(f"{bitstream}: must be a bitstream, found no such file")
    if not board.loader:
        raise InputError(
            f"board {board.name} must name its loader, as {PROGRAM} does, to be programmed, found "
            "none"
        )
    loader = shutil.which(PROGRAM)
    if loader is None:
        raise MissingDependencyError(
            f"--program must have {PROGRAM} on the path; install it, or program the board with "
            "another tool and leave the option out"
        )
    arguments = [loader, "-b", board.loader, str(bitstream)]
    try:
        done = subprocess.run(
            arguments,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT_S,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise DeploymentError(
            f"{PROGRAM} must finish within {TIME_LIMIT_S:g} s, it was still running"
        ) from error
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise DeploymentError(
            f"{PROGRAM} must program {board.name}, it failed: {lines[-1] if lines else 'silently'}"
        )
