"""What a study is, and which there are: each is one file, here or in a folder of yours."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from toreq_hw.errors import InputError
from toreq_hw.reports.page import Page
from toreq_hw.studies.screen import NO_SCREEN, Screen

Record = TypeVar("Record")

FOLDERS = "TOREQ_HW_STUDIES"
"""Environment variable: folders beside this one that hold studies, separated as in PATH."""

_HOLDS_ONE = re.compile(r"^STUDY\b.*= Study\b", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What a study says. passed: every check and control held. sentence: for people."""

    passed: bool
    sentence: str


@dataclass(frozen=True)
class Place:
    """How a study works. work: folder of its ledger. jobs, scheduler: `work.workers` explains."""

    work: Path
    jobs: int = 1
    scheduler: str | None = None
    screen: Screen = NO_SCREEN


@dataclass(frozen=True)
class Study(Generic[Record]):
    """One study; its file is called as its `id`, `-` as `_`.

    claim: what it shows. setup: what is measured. control: what would show that it measures
    nothing. run: makes the record, a frozen dataclass of type `record`, from options (None for
    those of the published run). verdict, page: of a record. command: its own command of
    `toreq-hw`; "" where `toreq-hw study ID` runs it.
    """

    id: str
    claim: str
    setup: str
    control: str
    record: type[Record]
    run: Callable[[Any, Place], Record]
    verdict: Callable[[Record], Verdict]
    page: Callable[[Record], Page]
    command: str = ""

    def judged(self, record: Record) -> Page:
        """The page of a record, with the verdict on it."""
        return replace(self.page(record), passed=self.verdict(record).passed)

    @property
    def usage(self) -> str:
        """What to type."""
        return f"toreq-hw {self.command or f'study {self.id}'}"


def find() -> dict[str, Study[Any]]:
    """Every study by its id, in alphabetical order.

    Raises InputError, naming the file, for a study that cannot be loaded, is not called as its
    file, or has the id of another.
    """
    found: dict[str, Study[Any]] = {}
    for path in _files():
        study = getattr(_module(path), "STUDY", None)
        if not isinstance(study, Study) or study.id.replace("-", "_") != path.stem:
            shown = study.id if isinstance(study, Study) else study
            raise InputError(
                f"{path}: STUDY must be a Study called {path.stem}, found {shown!r:.60}"
            )
        for name in ("claim", "setup", "control", "command"):
            value = getattr(study, name)
            if not isinstance(value, str):
                raise InputError(f"{path}: {name} of a study must be a text, not {value!r:.60}")
        if study.id in found:
            raise InputError(f"{path}: a study's id must be its own, found {study.id!r} twice")
        found[study.id] = study
    return dict(sorted(found.items()))


def _files() -> Iterator[Path]:
    named = [Path(folder) for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
    for folder in named:
        if not folder.is_dir():
            raise InputError(f"{FOLDERS} must name folders, found {folder}, which is none")
    for folder in (Path(__file__).parent, *named):
        for path in sorted(folder.glob("*.py")):
            if _HOLDS_ONE.search(path.read_text(encoding="utf-8", errors="replace")):
                yield path


def _module(path: Path) -> ModuleType:
    if path.parent == Path(__file__).parent:
        return import_module(f"toreq_hw.studies.{path.stem}")
    spec = spec_from_file_location(f"toreq_hw_study_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (
        Exception,
        SystemExit,
    ) as error:  # whatever somebody's own file raises
        raise InputError(f"{path}: a study must load, found: {error}") from error
    return module
