"""A folder that an export owns: what it wrote is listed there, and goes when the next one comes.

A file that no export wrote, or that somebody has changed since, stays: the export is refused before
anything is written, or replaces it by --overwrite.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toreq_hw.errors import InputError
from toreq_hw.files import draft_of, write_text
from toreq_hw.reading import MAX_RECORD_BYTES, read_fields

MANIFEST = "manifest.json"
"""In an export's folder: the SHA-256 of each file that was written, by its path there."""


@dataclass(frozen=True)
class ExportFolder:
    """A folder, and what an earlier export left there. overwrites: whether other files may go.

    written: SHA-256 by path, as the manifest has it. manifest: its name.
    """

    folder: Path
    written: Mapping[str, str]
    overwrites: bool
    manifest: str = MANIFEST

    @classmethod
    def found(cls, folder: Path, overwrites: bool, manifest: str = MANIFEST) -> "ExportFolder":
        """manifest: one a kind of export. Raises InputError where it is none."""
        path = folder / manifest
        return cls(folder, _manifest(path) if path.exists() else {}, overwrites, manifest)

    def check(self, paths: Iterable[Path]) -> None:
        """Raises InputError for the first of `paths` that is there and not an earlier export's."""
        for path in () if self.overwrites else paths:
            if (path.exists() or path.is_symlink()) and not self._is_own(path):
                raise InputError(
                    f"{path}: must be a new file or one that an export wrote, found "
                    f"{'a changed one' if self._name(path) in self.written else 'another'}; "
                    "use another --out, or --overwrite"
                )

    def keep(self, paths: Iterable[Path]) -> list[Path]:
        """Writes the manifest of `paths`, which are written already; returns what is left over.

        Within `together` the paths are drafts yet, so that a refusal leaves the folder as it was.
        Raises InputError as `check`, also for what is left over.
        """
        names = {self._name(path): path for path in paths}
        stale = [self.folder / name for name in self.written if name not in names]
        stale = [path for path in stale if path.is_file()]
        self.check([*names.values(), *stale])
        hashes = {name: _sha256(draft_of(path)) for name, path in sorted(names.items())}
        write_text(self.folder / self.manifest, json.dumps({"files": hashes}, indent=2) + "\n")
        return stale

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _is_own(self, path: Path) -> bool:
        wanted = self.written.get(self._name(path))
        return wanted is not None and path.is_file() and _sha256(path) == wanted


def remove(stale: Iterable[Path], folder: Path) -> None:
    """Removes files below `folder`, and the folders that are empty then."""
    for path in stale:
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == folder:
                break
            with suppress(OSError):
                parent.rmdir()


def _manifest(path: Path) -> dict[str, str]:
    part = read_fields(path, MAX_RECORD_BYTES, InputError).only(("files",)).part("files")
    for name in part.names():
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or name == path.name:
            raise part.error(name, "be a path within the folder", name)
    return {name: part.text(name) for name in part.names()}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
