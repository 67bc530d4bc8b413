"""The text that names own data: where it is, its target, split and scale."""

import re
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, quote

from toreq_hw.errors import DataError
from toreq_hw.reading import shown
from toreq_hw.suggestions import none_of


class Form(StrEnum):
    """What a source is."""

    TABLE = "FILE.csv"
    ARRAYS = "FILE.npz"
    FOLDER = "FOLDER_OF_IMAGES"
    FUNCTION = "package.module:function"


FORMS = tuple(form.value for form in Form)

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_ENDS = {".csv": Form.TABLE, ".tsv": Form.TABLE, ".npz": Form.ARRAYS}


@dataclass(frozen=True)
class Spec:
    """source: a path, or package.module:function. The others are as typed, None where not.

    target: column or array of the targets. split: which samples test. scale: which values are
    black and white. drop: columns that are left out, separated by commas.
    """

    source: str
    target: str | None = None
    split: str | None = None
    scale: str | None = None
    drop: str | None = None

    @classmethod
    def of(cls, text: str) -> "Spec":
        """Reads `SOURCE?target=..&split=..`. Raises DataError for unknown settings."""
        source, _, query = text.partition("?")
        given: dict[str, str] = {}
        known = [field.name for field in fields(cls) if field.name != "source"]
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in known:
                raise DataError(none_of("a setting of data", name, known))
            if name in given or not value:
                raise DataError(f"{name} of data must be given once, found {shown(query)}")
            given[name] = value
        if query and not given:
            raise DataError(f"settings of data must be NAME=VALUE, found {shown(query)}")
        return cls(source, **given)

    def merged(self, given: dict[str, str]) -> "Spec":
        """With settings that were given beside it. Raises DataError for one that it has already."""
        for name in given:
            if getattr(self, name) is not None:
                raise DataError(f"{name} of data must be given once, found it twice")
        return replace(self, **given)

    @property
    def text(self) -> str:
        """What `of` reads."""
        settings = [
            f"{field.name}={quote(value, safe=':,./ ')}"
            for field in fields(self)
            if field.name != "source" and (value := getattr(self, field.name)) is not None
        ]
        return f"{self.source}?{'&'.join(settings)}" if settings else self.source

    @property
    def form(self) -> Form | None:
        """What the source is; None for what is no own data."""
        if _FUNCTION.fullmatch(self.source):
            return Form.FUNCTION
        path = Path(self.source)
        known = _ENDS.get(path.suffix.lower())
        if known is None and "\0" not in self.source and path.is_dir():
            return Form.FOLDER
        return known

    @property
    def name(self) -> str:
        """A short name for records and for files beside a network."""
        return self.source.replace(":", ".") if ":" in self.source else Path(self.source).name

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read, where their names are in the text."""
        if self.form not in (Form.TABLE, Form.ARRAYS):
            return ()
        kind, _, other = (self.split or "").partition(":")
        return (Path(self.source), *([Path(other)] if kind == "file" else []))


def is_own(text: str) -> bool:
    """Whether a text names own data, and no set of this package."""
    path = text.partition("?")[0]
    return bool(path) and len(path) < 4096 and Spec(path).form is not None
