"""The README's blocks, run as a reader would run them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from testbench.patience import GENEROUS_S

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The blocks that begin with ```kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    assert found, kind
    return list(found)


def run(command: list[str], folder: Path) -> str:
    """What a command prints; `toreq-hw` is that of this environment. It must succeed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=GENEROUS_S,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def run_lines(kind: str, folder: Path) -> list[str]:
    """What each line of the blocks of a kind prints."""
    return [run(shlex.split(line), folder) for block in blocks(kind) for line in block.splitlines()]


def train_the_tour(folder: Path) -> None:
    """Makes the network that later blocks take, by the README's first command."""
    run(shlex.split(blocks("sh")[0].splitlines()[0]), folder)
