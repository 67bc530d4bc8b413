"""A campaign's finished trials, one JSON line each: an interrupted campaign loses none of them."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError, OutputError
from toreq_hw.locks import locked
from toreq_hw.reading import Fields, parse_json, read_bytes
from toreq_hw.sim.campaign.trial import MAX_BIN, Trial

_MAX_FILE_BYTES = 1 << 28
_MAX_NUMBER = (1 << 31) - 1
_MAX_COUNT = (1 << 53) - 1
_NAMES = tuple(field.name for field in fields(Trial))


def _silent(_message: str) -> None:
    """Nobody is told."""


@named_type_errors
class Store:
    """Trials by (level, number), kept in a file. Raises OutputError or InputError naming it.

    A line is appended and forced to disk as soon as its trial is done. A last line that a crash
    cut short is dropped when the campaign goes on; any other line must be a whole trial, every
    value of its type and in its range. Processes that work on one store take turns (`held`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.trials: dict[tuple[float, int], Trial] = {}
        self._read()

    @contextmanager
    def held(self, tell: Callable[[str], None] = _silent) -> Iterator[None]:
        """While it lasts no other process runs this campaign; what others finished is read first.

        tell: gets a line where this process waits, and where a cut line is dropped.
        """
        with locked(self._path, tell):
            cut = self._read()
            if cut:
                self._drop(cut)
                tell(
                    f"{self._path}: the last line was cut by a crash; its trial is dropped and "
                    "runs again"
                )
            yield

    def add(self, trial: Trial) -> None:
        """Keeps one finished trial."""
        line = (json.dumps(asdict(trial)) + "\n").encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:
                file.write(line)
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path}: must be writable, found: {error.strerror}") from error
        self.trials[trial.level, trial.trial] = trial

    def _read(self) -> int:
        """Takes all whole lines; returns the bytes of a last line that was cut."""
        if not self._path.exists():
            return 0
        whole, _, cut = read_bytes(self._path, _MAX_FILE_BYTES, InputError).rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            trial = _trial(line, f"{self._path}: line {number}")
            before = self.trials.setdefault((trial.level, trial.trial), trial)
            if before != trial:
                raise InputError(
                    f"{self._path}: line {number} must be a trial of its own, found another result "
                    f"of trial {trial.trial} at level {trial.level:g}"
                )
        return len(cut)

    def _drop(self, count: int) -> None:
        """Cuts the last `count` bytes off the file."""
        try:
            with self._path.open("r+b") as file:
                file.truncate(self._path.stat().st_size - count)
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path}: must be writable, found: {error.strerror}") from error


def _trial(line: bytes, where: str) -> Trial:
    """The trial in one line. Raises InputError that begins with `where`."""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: must be ASCII, found byte {line[error.start]:#04x}") from error
    found = Fields(parse_json(text, where, InputError), where, InputError).only(_NAMES)
    samples = found.integer("samples", 1, _MAX_NUMBER)
    sweeps = tuple(found.integers("sweeps", 0, samples))
    if len(sweeps) != MAX_BIN or sum(sweeps) != samples:
        raise found.error("sweeps", f"be {MAX_BIN} counts of {samples} images", list(sweeps))
    twin = None if found.value("twin_accuracy") is None else found.number("twin_accuracy", 0, 1)
    return Trial(
        level=found.number("level", 0),
        trial=found.integer("trial", 0, _MAX_NUMBER),
        samples=samples,
        accuracy=found.number("accuracy", 0, 1),
        agreement=found.integer("agreement", 0, samples),
        exact=found.integer("exact", 0, samples),
        distance=found.number("distance", 0, 1),
        sweeps=sweeps,
        mean_sweeps=found.number("mean_sweeps", 1, _MAX_COUNT),
        unsettled=found.integer("unsettled", 0, samples),
        events=found.number("events", 0, _MAX_COUNT),
        twin_accuracy=twin,
    )
