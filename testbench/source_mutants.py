"""Breaks the source on purpose, one expression at a time, and counts how often tests notice.

A mutant is applied to a copy of the tree; it is killed if one of its tests fails there. A part's
own mutants and tests stand in `<part>_mutants.py`, which calls `campaign`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """`before`, found exactly once in `file`, becomes `after`."""

    file: str
    before: str
    after: str


def is_killed(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Applies the mutant to a copy of the tree and runs `tests` until one fails or crashes."""
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(folder)
        target = copy / mutant.file
        source = target.read_text()
        if source.count(mutant.before) != 1:
            raise SystemExit(f"{mutant.file}: must hold {mutant.before!r} exactly once")
        target.write_text(source.replace(mutant.before, mutant.after))
        return _fail(copy, tests)


def _copy(folder: str) -> Path:
    copy = Path(folder) / "tree"
    ignored = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=ignored)
    return copy


def _fail(copy: Path, tests: Sequence[str]) -> bool:
    """Whether one of the tests fails, cannot be imported, or is ended by a signal."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    status = subprocess.run(
        command, cwd=copy, env=_environment(copy), capture_output=True, check=False
    ).returncode
    if status > 2:  # pytest's own errors, and no tests at all, say nothing about a mutant
        raise SystemExit(f"{' '.join(tests)}: must be tests that run, pytest ended with {status}")
    return status != 0


def _environment(copy: Path) -> dict[str, str]:
    """The copy comes first on the path; compiled code goes with it."""
    return {**os.environ, "PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": str(copy / "build")}


def campaign(trials: Sequence[tuple[Mutant, Sequence[str]]], name: str) -> int:
    """Tries every mutant on its tests and prints one line each; 1 if one survives.

    The tests must pass on the whole tree first, or a failure would say nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = _copy(folder)
        for tests in dict.fromkeys(tuple(tests) for _, tests in trials):
            if _fail(whole, tests):
                raise SystemExit(f"{' '.join(tests)}: must pass before anything is broken")
    results = []
    for mutant, tests in trials:
        killed = is_killed(mutant, tests)
        results.append({**asdict(mutant), "killed": killed})
        print("killed  " if killed else "SURVIVED", mutant.file, repr(mutant.before), flush=True)
    survivors = sum(not result["killed"] for result in results)
    path = ROOT / "build" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"{len(results) - survivors} of {len(results)} mutants killed; wrote {path}")
    return 1 if survivors else 0
