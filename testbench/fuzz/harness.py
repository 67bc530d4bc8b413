"""One input, a block of inputs in a process of its own, and all blocks side by side.

Everything but an accepted file and a ToreqError of one printable line is a failure: other
exceptions, NumPy's warnings, more memory or processor time than an input may take, and a process
that dies. Input k of a reader depends on the seed, the reader's name and k alone.
"""

import hashlib
import multiprocessing
import resource
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import psutil

from testbench.fuzz.reader import Reader
from toreq_hw.errors import ToreqError

BLOCK = 1000
"""Inputs of a process."""

CPU_LIMIT_S = 30.0
"""Processor time of one input: two hundred times what the slowest takes."""

MEMORY_LIMIT = 3 << 30
"""Bytes that an input may make a process grow by."""

MAX_LINE = 4000
"""Characters of an error; names of files and of known things are in them."""

_MEMORY = Path("/dev/shm")
"""Linux keeps files there in memory: a million of them need no disk."""

ACCEPTED, REFUSED = "accepted", "refused"


class HangError(BaseException):
    """An input took more processor time than it may; no reader catches this."""


@dataclass(frozen=True)
class Block:
    """Inputs first .. first + count - 1 of a reader."""

    reader: Reader
    first: int
    count: int


@dataclass
class Report:
    """What became of inputs: numbers by outcome, and of each failure its first input."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, reader: str, outcome: str, index: int, details: str = "") -> None:
        """One input."""
        known = outcome in (ACCEPTED, REFUSED)
        self.outcomes[reader, outcome if known else "failed"] += 1
        if not known:
            self.failures.setdefault((reader, outcome), (index, details))

    def merge(self, other: "Report") -> None:
        """What another process found."""
        self.outcomes.update(other.outcomes)
        for key, value in other.failures.items():
            self.failures.setdefault(key, value)


def content_of(reader: Reader, seed: int, index: int) -> bytes:
    """Input `index` of a reader."""
    return reader.make(Random(f"{seed}/{reader.name}/{index}"))


def attempt(reader: Reader, path: Path) -> tuple[str, str]:
    """Reads one file: ACCEPTED, REFUSED, or a failure's short name with its details."""
    try:
        reader.read(path)
    except ToreqError as error:
        line = str(error)
        if not line or not line.isprintable() or len(line) > MAX_LINE:
            return "error is not one line", line[:500]
        return REFUSED, ""
    except (Exception, HangError) as error:
        return f"{type(error).__name__} in {_place(error)}", traceback.format_exc()[-3000:]
    return ACCEPTED, ""


def run(
    readers: Sequence[Reader], count: int, seed: int, jobs: int, cpu_limit_s: float = CPU_LIMIT_S
) -> Iterator[tuple[int, Report]]:
    """Yields inputs done so far and what became of them, after every block; count: in all."""
    total = sum(reader.weight for reader in readers)
    waiting = [
        Block(reader, first, min(BLOCK, share - first))
        for reader in readers
        for share in [round(count * reader.weight / total)]
        for first in range(0, share, BLOCK)
    ]
    for reader in readers:
        _ = reader.valid  # before the processes part
    report, done = Report(), 0
    running: dict[Connection, tuple[Block, Any, Any]] = {}
    context = multiprocessing.get_context("fork")
    while waiting or running:
        while waiting and len(running) < jobs:
            block = waiting.pop()
            mine, theirs = context.Pipe(duplex=False)
            at = context.Value("q", block.first, lock=False)
            process = context.Process(target=_work, args=(block, seed, cpu_limit_s, theirs, at))
            process.start()
            theirs.close()
            running[mine] = block, process, at
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)
            block, process, at = running.pop(connection)
            try:
                report.merge(connection.recv())
                done += block.count
            except EOFError:
                process.join()
                report.add(block.reader.name, f"process died ({process.exitcode})", at.value)
                done += at.value + 1 - block.first
                rest = block.first + block.count - at.value - 1
                if rest:
                    waiting.append(Block(block.reader, at.value + 1, rest))
            process.join()
            yield done, report


def _work(block: Block, seed: int, cpu_limit_s: float, answer: Connection, at: Any) -> None:
    """A block in this process."""
    warnings.simplefilter("error", RuntimeWarning)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_LIMIT, resource.RLIM_INFINITY))
    signal.signal(signal.SIGPROF, _interrupt)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    report = Report()
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        path = Path(folder) / f"input{block.reader.suffix}"
        for index in range(block.first, block.first + block.count):
            at.value = index
            path.write_bytes(content_of(block.reader, seed, index))
            signal.setitimer(signal.ITIMER_PROF, cpu_limit_s)
            signal.setitimer(signal.ITIMER_VIRTUAL, 2 * cpu_limit_s)  # ends compiled code as well
            outcome, details = attempt(block.reader, path)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            report.add(block.reader.name, outcome, index, details)
    answer.send(report)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise HangError


def _place(error: BaseException) -> str:
    """The last of our own lines that the error went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "toreq" in f.filename and "site-packages" not in f.filename]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def save(folder: Path, reader: Reader, content: bytes) -> Path:
    """Keeps a failing input under a name that says which reader it is for."""
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(content).hexdigest()[:12]
    path = folder / f"{reader.name}.{name}{reader.suffix}"
    path.write_bytes(content)
    return path
