"""Breaks the source on purpose, one expression at a time, and counts how often tests notice.

A mutant is applied to a copy of the tree; it is killed if one of its tests fails there. A part's
own mutants and tests stand in `<part>_mutants.py`, which calls `main`:

    python testbench/<part>_mutants.py [--list] [--again] [NUMBERS...]
    make <part>-mutants [MUTANTS="14 50-55"]

Each verdict is printed and kept as soon as it falls, in build/mutants. An interrupted campaign
says what was decided; the same command goes on from there while no file of the tree changes.
"""

import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from toreq_hw.files import write_json
from toreq_hw.records import plain
from toreq_hw.studies.ledger import Ledger

ROOT = Path(__file__).parents[1]

_MADE = ("build", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
_NOT_COPIED = (".git", ".venv", *_MADE)

_NOTICES_ALL = "testbench/core/test_mutant_lists.py"
"""It looks for the text that a mutant replaces: it would kill every one, and says nothing."""


@dataclass(frozen=True)
class Mutant:
    """`before`, found exactly once in `file`, becomes `after`.

    harmless: why no test can notice it; empty where one must.
    """

    file: str
    before: str
    after: str
    harmless: str = ""


Trial = tuple[Mutant, Sequence[str]]
"""A mutant, and the arguments of pytest that name the tests which must notice it."""


@dataclass(frozen=True)
class Verdict:
    """Whether tests failed, and the processor time they took."""

    failed: bool
    cpu_seconds: float


@dataclass(frozen=True)
class Decided:
    """One mutant of a campaign with its verdict, as build/<name>.json shows it."""

    number: int
    mutant: Mutant
    verdict: Verdict

    @property
    def word(self) -> str:
        """What became of the mutant."""
        if self.verdict.failed:
            return "NOT HARMLESS" if self.mutant.harmless else "killed"
        return "harmless" if self.mutant.harmless else "SURVIVED"


class Campaign:
    """Mutants of one tree, each with its tests; `name` is that of the make target.

    The tree is copied once at the start, so that later edits meet no mutant.
    """

    def __init__(self, name: str, trials: Sequence[Trial], folder: Path, root: Path = ROOT) -> None:
        self.trials = trials
        self.decided: list[Decided] = []
        self._folder = folder
        self._whole = _copy(root, folder / "whole", _NOT_COPIED)
        self._path = root / "build" / f"{name}.json"
        shared = {"code": _digest(self._whole)}
        self._ledger = Ledger(root / "build" / "mutants", name, shared, Verdict)
        for command in (["init", "-q"], ["add", "-A"]):  # tests ask git which files are the tree's
            subprocess.run(["git", *command], cwd=self._whole, check=True)

    def forget(self) -> None:
        """Drops what earlier runs of this tree decided."""
        self._ledger.forget()

    def run(self, numbers: Iterable[int]) -> int:
        """Tries these mutants and prints each verdict; 1 if one is not as its list says.

        Ctrl-C and SIGTERM end it with what was decided so far. Raises SystemExit where a mutant
        misses its text, or its tests fail on the whole tree.
        """
        numbers = list(numbers)
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            for number in numbers:
                self._try(number)
        finally:
            signal.signal(signal.SIGTERM, before)
            self._sum_up(len(numbers))
        return int(any(found.word.isupper() for found in self.decided))

    def _try(self, number: int) -> None:
        mutant, tests = self.trials[number]
        run = {"file": mutant.file, "before": mutant.before, "after": mutant.after}
        run["tests"] = " ".join(tests)
        known = run in self._ledger
        if not known:
            self._require_whole(tests)
            self._ledger.add(run, self._verdict(mutant, tests))
        found = Decided(number, mutant, self._ledger[run])
        self.decided.append(found)
        time = "decided before" if known else f"{found.verdict.cpu_seconds:.0f} s"
        what = f"{mutant.file} {mutant.before!r} {mutant.harmless}".rstrip()
        print(f"{found.word:8} {number:3} ({time}) {what}", flush=True)

    def _require_whole(self, tests: Sequence[str]) -> None:
        """The tests must pass on the whole tree, or a failure would say nothing."""
        run = {"tests": " ".join(tests)}
        if run not in self._ledger:
            print(f"whole tree: {run['tests']} ...", flush=True)
            verdict, printed = _tried(self._whole, tests)
            if verdict.failed:
                tail = "\n".join(printed.splitlines()[-20:])
                raise SystemExit(f"{tail}\n{run['tests']}: must pass before anything is broken")
            self._ledger.add(run, verdict)

    def _verdict(self, mutant: Mutant, tests: Sequence[str]) -> Verdict:
        """Applies the mutant to a copy of the tree and runs its tests there."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            copy = _copy(self._whole, Path(folder) / "tree", _MADE)
            target = copy / mutant.file
            source = target.read_text(encoding="utf-8")
            if source.count(mutant.before) != 1:
                raise SystemExit(f"{mutant.file}: must hold {mutant.before!r} exactly once")
            target.write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")
            return _tried(copy, tests)[0]

    def _sum_up(self, wanted: int) -> None:
        words = [found.word for found in self.decided]
        counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
        seconds = sum(found.verdict.cpu_seconds for found in self.decided)
        write_json(self._path, [plain(found) for found in self.decided])
        print(
            f"{len(words)} of {wanted} mutants decided: {counts or 'none'}; "
            f"{seconds:.0f} s of the processor; wrote {self._path}",
            flush=True,
        )


def main(name: str, trials: Sequence[Trial]) -> None:
    """The command line of a campaign; the process ends with its status."""

    @click.command(help=f"Break the source and count what the tests notice (make {name}).")
    @click.argument("numbers", nargs=-1, type=_Numbers(len(trials)))
    @click.option("--list", "listed", is_flag=True, help="Print the mutants and do nothing.")
    @click.option("--again", is_flag=True, help="Try anew what this tree has decided before.")
    def command(numbers: tuple[range, ...], *, listed: bool, again: bool) -> None:
        chosen = [number for span in numbers for number in span] or range(len(trials))
        if listed:
            for number in chosen:
                mutant, _ = trials[number]
                print(f"{number:3} {mutant.file} {mutant.before!r} -> {mutant.after!r}")
            return
        with tempfile.TemporaryDirectory() as folder:
            campaign = Campaign(name, trials, Path(folder))
            if again:
                campaign.forget()
            sys.exit(campaign.run(chosen))

    command(prog_name=f"python testbench/{name.replace('-', '_')}.py")


class _Numbers(click.ParamType):
    """A mutant by its number in the list, from 0, or several as FIRST-LAST."""

    name = "number"

    def __init__(self, count: int) -> None:
        self._count = count

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> range:
        """The numbers meant."""
        first, dash, last = value.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            self.fail(f"must be N or FIRST-LAST, found {value!r}", param, ctx)
        span = range(int(first), int(last if dash else first) + 1)
        if not span or span[-1] >= self._count:
            self.fail(f"must lie in 0..{self._count - 1}, found {value!r}", param, ctx)
        return span


def _copy(tree: Path, copy: Path, ignored: Sequence[str]) -> Path:
    shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(*ignored))
    return copy


def _digest(tree: Path) -> str:
    """SHA-256 (hexadecimal) of the names and the content of all files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(tree)}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def _tried(tree: Path, tests: Sequence[str]) -> tuple[Verdict, str]:
    """Whether a test fails, cannot be imported, or is ended by a signal; what pytest printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += _files_of(tree, tests)
    before = _children_seconds()
    done = subprocess.run(
        command, cwd=tree, env=_environment(tree), capture_output=True, text=True, check=False
    )
    if done.returncode > 2:  # pytest's own errors, and no tests at all, say nothing of a mutant
        raise SystemExit(f"{' '.join(tests)}: must run, pytest ended with {done.returncode}")
    seconds = round(_children_seconds() - before, 1)
    return Verdict(done.returncode != 0, seconds), done.stdout + done.stderr


def _files_of(tree: Path, tests: Sequence[str]) -> list[str]:
    """The same with each folder as its files, but `_NOTICES_ALL`: pytest leaves a folder out once
    one of its files was named. An option and its value stay as they are.
    """
    found: list[str] = []
    options: list[str] = []
    waiting = list(tests)
    while waiting:
        test = waiting.pop(0)
        if test.startswith("-"):
            options += [test, waiting.pop(0)]
            continue
        inside = sorted(str(path.relative_to(tree)) for path in (tree / test).rglob("test_*.py"))
        found += [name for name in inside or [test] if name not in found]
    return [*(name for name in found if name != _NOTICES_ALL), *options]


def _children_seconds() -> float:
    """Processor time of all ended children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _environment(copy: Path) -> dict[str, str]:
    """The copy comes first on the path; compiled code goes with it."""
    return {**os.environ, "PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": str(copy / "build")}
