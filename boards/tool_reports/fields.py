"""Reading a tool's JSON: every field is there and is what it should be, or a ReportError."""

import json
import math
from pathlib import Path
from typing import Any

from toreq_hw.errors import ReportError


class Report:
    """One JSON report of a tool; `path` and the field's name are in every error."""

    def __init__(self, path: Path, content: dict[str, Any] | None = None, where: str = "") -> None:
        self._path = path
        self._where = where
        self.content = _read(path) if content is None else content

    def part(self, name: str) -> "Report":
        """The object in field `name`."""
        found = self._get(name)
        if not isinstance(found, dict):
            raise self.error(name, "be an object", found)
        return Report(self._path, found, f"{self._where}{name}.")

    def names(self) -> list[str]:
        """The fields that there are."""
        return list(self.content)

    def parts(self, name: str) -> list["Report"]:
        """The list of objects in field `name`."""
        found = self._get(name)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self.error(name, "be a list of objects", found)
        return [Report(self._path, item, f"{self._where}{name}.") for item in found]

    def count(self, name: str) -> int:
        """The whole number, not negative, in field `name`."""
        found = self._get(name)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            raise self.error(name, "be a count", found)
        return found

    def number(self, name: str) -> float:
        """The finite number in field `name`."""
        found = self._get(name)
        if (
            isinstance(found, bool)
            or not isinstance(found, int | float)
            or not math.isfinite(found)
        ):
            raise self.error(name, "be a finite number", found)
        return float(found)

    def positive(self, name: str) -> float:
        """The finite number above 0 in field `name`."""
        found = self.number(name)
        if found <= 0:
            raise self.error(name, "be above 0", found)
        return found

    def text(self, name: str) -> str:
        """The text in field `name`."""
        found = self._get(name)
        if not isinstance(found, str):
            raise self.error(name, "be text", found)
        return found

    def error(self, name: str, must: str, found: object) -> ReportError:
        """An error about field `name`."""
        return ReportError(f"{self._path}: field {self._where}{name} must {must}, found {found!r}")

    def _get(self, name: str) -> Any:
        if name not in self.content:
            near = ", ".join(sorted(self.content)[:6]) or "no fields"
            raise ReportError(
                f"{self._path}: field {self._where}{name} must be there, found {near}"
            )
        return self.content[name]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: report must be there, found: {error.strerror}") from error
    except ValueError as error:
        raise ReportError(f"{path}: report must be JSON, found: {error}") from error
    if not isinstance(content, dict):
        raise ReportError(f"{path}: report must be a JSON object, found {type(content).__name__}")
    return content
