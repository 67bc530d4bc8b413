"""The ledger of a study: its finished runs, one JSON line each. An interrupted study loses none.

The first line says what all runs share (settings, hashes of network and data, versions, code); the
file's name carries its hash, so runs of other settings never mix. A line is appended and forced to
disk as soon as its run is done: Ctrl-C, SIGTERM, kill -9 and a full disk leave every earlier line.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError, OutputError
from toreq_hw.locks import lock
from toreq_hw.reading import Fields, parse_json, read_bytes, record_from
from toreq_hw.records import plain
from toreq_hw.studies.work import do_each

Row = TypeVar("Row")

Value = bool | int | float | str | None
Run = Mapping[str, Value]
"""What tells one run of a study from its others."""

Watch = Callable[[int, int], None]
Tell = Callable[[str], None]

VERSION = 2
"""Of the files; version 1 had no first line that says what its runs share."""

_MAX_FILE_BYTES = 1 << 28


def _silent(*_: object) -> None:
    """Nobody is told."""


@named_type_errors
class Ledger(Generic[Row]):
    """Finished runs of a study in `folder`: a row, a dataclass of type `kind`, for each.

    study: begins the file's name, unless `path` says how the file is called. shared: plain values
    that influence every run; `code` among them names the code that makes the rows, such as
    `code_digest([Path(__file__)])`. Several processes may work on one file: `lock` gives one of
    them its turn. A last line that a crash cut short is dropped when the study goes on. Raises
    InputError for any other line that is not a whole run of this study, OutputError where the file
    cannot be written; each names the file.
    """

    def __init__(
        self,
        folder: Path,
        study: str,
        shared: Mapping[str, Any],
        kind: type[Row],
        *,
        path: Path | None = None,
    ) -> None:
        if path is None and "code" not in shared:
            raise InputError(
                f"ledger of {study!r}: shared must have 'code', which names the code that makes "
                f"the rows, found {', '.join(map(str, shared)) or 'nothing'}"
            )
        head = {"ledger": VERSION, "study": study, "shared": plain(dict(shared))}
        self._head = json.loads(json.dumps(head))  # as it is read back
        self._kind = kind
        self._rows: dict[str, Row] = {}
        self.path = path or folder / f"{study}-{_digest(self._head)}.jsonl"
        self._read()

    @classmethod
    def all_of(cls, folder: Path, study: str, kind: type[Row]) -> "list[Ledger[Row]]":
        """Every ledger of a study in `folder`, the latest change last, whatever its runs share."""
        found = []
        paths = folder.glob(f"{study}-*.jsonl")
        for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns):
            shared = _head_of(path).part("shared").content
            found.append(cls(folder, study, shared, kind, path=path))
        return found

    @classmethod
    def at(cls, path: Path, kind: type[Row]) -> "Ledger[Row]":
        """The ledger in one file, whatever the file is called."""
        head = _head_of(path)
        shared = head.part("shared").content
        return cls(path.parent, head.text("study"), shared, kind, path=path)

    def __contains__(self, run: Run) -> bool:
        return _key(run) in self._rows

    def __getitem__(self, run: Run) -> Row:
        return self._rows[_key(run)]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shared(self) -> Mapping[str, Any]:
        """What influences every run."""
        return dict(self._head["shared"])

    @property
    def rows(self) -> dict[str, Row]:
        """Every row, by its run as JSON."""
        return dict(self._rows)

    @contextmanager
    def lock(self, tell: Tell = _silent, part: str = "") -> Iterator[None]:
        """While it lasts no other process works on this ledger, or on this `part` of it.

        What others finished is read first. tell: gets a line where this process waits, and where
        a cut line is dropped.
        """
        with lock(self.path.with_name(self.path.name + part), tell):
            with self._writing():
                if self._drop_cut():
                    tell(
                        f"{self.path}: the last line was cut by a crash; its run is dropped and "
                        "runs again"
                    )
            self._read()
            yield

    def add(self, run: Run, row: Row) -> None:
        """Keeps one finished run. Raises InputError for a row of another type, OutputError."""
        if not isinstance(row, self._kind):
            raise InputError(
                f"{self.path}: a row must be a {self._kind.__name__}, not {type(row).__name__}"
            )
        line = json.dumps({"run": dict(run), "row": plain(row)}, allow_nan=False) + "\n"
        with self._writing():
            self._drop_cut()
            try:
                with self.path.open("ab", buffering=0) as file:
                    if not file.tell():
                        line = json.dumps(self._head) + "\n" + line
                    file.write(line.encode())
                    os.fsync(file.fileno())
            except OSError as error:
                raise self._unwritable(error) from error
        self._rows[_key(run)] = row

    def complete(
        self, runs: Sequence[Run], do: Callable[[Run], Row], watch: Watch = _silent
    ) -> list[Row]:
        """The rows of `runs`, in their order; runs that are missing are done now.

        do: makes the row of a run, here or on the workers of `work.workers`. watch: told how many
        runs are done, and of how many.
        """
        missing = [run for run in runs if run not in self]
        done = len(runs) - len(missing)
        watch(done, len(runs))
        for place, row in do_each(do, missing):
            self.add(missing[place], row)
            done += 1
            watch(done, len(runs))
        return [self[run] for run in runs]

    def forget(self) -> None:
        """Removes the file: what was measured is measured anew next time."""
        with self._writing():
            self.path.unlink(missing_ok=True)
        self._rows.clear()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """While it lasts no other process writes a line."""
        with lock(self.path.with_name(self.path.name + "-line")):
            yield

    def _read(self) -> None:
        """Takes all whole lines."""
        if not self.path.exists():
            return
        whole, _, _ = read_bytes(self.path, _MAX_FILE_BYTES, InputError).rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        for number, line in enumerate(lines, start=1):
            where = f"{self.path}: line {number}"
            content = _parse(line, where)
            if number == 1:
                self._check_head(content, where)
            else:
                self._take(content, where)

    def _check_head(self, content: Any, where: str) -> None:
        if content != self._head:
            raise InputError(
                f"{where} must say what this study's runs share, found another study's or an "
                "older version's"
            )

    def _take(self, content: Any, where: str) -> None:
        found = Fields(content, where, InputError).only(("run", "row"))
        key = _key(found.part("run").content)
        row = record_from(found.part("row").content, self._kind, where, InputError)
        if self._rows.setdefault(key, row) != row:
            raise InputError(f"{where} must be a run of its own, found another row of run {key}")

    def _drop_cut(self) -> int:
        """Cuts off a last line without an end; returns its bytes."""
        if not self.path.exists():
            return 0
        content = read_bytes(self.path, _MAX_FILE_BYTES, InputError)
        cut = len(content) - (content.rfind(b"\n") + 1)
        if cut:
            try:
                with self.path.open("r+b") as file:
                    file.truncate(len(content) - cut)
                    os.fsync(file.fileno())
            except OSError as error:
                raise self._unwritable(error) from error
        return cut

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: must be writable, found: {error.strerror}")


def study_of(path: Path) -> str:
    """The study that the ledger at `path` is of. Raises InputError for what is no ledger."""
    return _head_of(path).text("study")


def _head_of(path: Path) -> Fields:
    content = read_bytes(path, _MAX_FILE_BYTES, InputError)
    where = f"{path}: line 1"
    return Fields(_parse(content.partition(b"\n")[0], where), where, InputError)


def _key(run: Run) -> str:
    return json.dumps(dict(run), sort_keys=True)


def _digest(head: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(head, sort_keys=True).encode()).hexdigest()[:16]


def _parse(line: bytes, where: str) -> Any:
    """The JSON value in one line. Raises InputError that begins with `where`."""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: must be ASCII, found byte {line[error.start]:#04x}") from error
    return parse_json(text, where, InputError)
