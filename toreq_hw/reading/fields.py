"""Fields of what was parsed: each is there, has its type and lies in its range."""

import math
import reprlib
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeVar

from toreq_hw.errors import ToreqError
from toreq_hw.json_values import JsonObject

_Choice = TypeVar("_Choice", bound=Enum)

MAX_INTEGER = (1 << 63) - 1
"""Whole numbers without another limit fit an int64."""

_SHOWN = 60
_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _SHOWN
_REPR.maxlist = _REPR.maxdict = _REPR.maxtuple = 6


def shown(value: object) -> str:
    """`value` as an error shows it: one line of printable ASCII, at most 60 characters."""
    if type(value) is int and abs(value) >> 200:
        return f"an integer of {value.bit_length()} bits"
    said = ascii(value[:_SHOWN]) if isinstance(value, str) else _REPR.repr(value)
    plain = " ".join(said.encode("ascii", "backslashreplace").decode("ascii").split())
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 2] + ".."


def integer(value: object, low: int, high: int, what: str, error: type[ToreqError]) -> int:
    """`value`, a Python int (no bool) in low..high. Raises `error` that begins with `what`."""
    if type(value) is not int or not low <= value <= high:
        raise error(f"{what} must be a whole number in {low}..{high}, found {shown(value)}")
    return value


def number(value: object, low: float, high: float, what: str, error: type[ToreqError]) -> float:
    """`value` as a finite float in low..high. Raises `error` that begins with `what`."""
    if type(value) is int and abs(value) >> 1023 == 0:
        value = float(value)
    if type(value) is not float or not math.isfinite(value):
        raise error(f"{what} must be a finite number, found {shown(value)}")
    if not low <= value <= high:
        raise error(f"{what} must be in {low:g}..{high:g}, found {value:g}")
    return value


def fits_utf8(value: str) -> bool:
    """Whether UTF-8 can hold a text: no surrogate stands without its other half."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def text(value: object, what: str, error: type[ToreqError]) -> str:
    """`value`, a text that UTF-8 can hold. Raises `error` that begins with `what`."""
    if type(value) is not str or not fits_utf8(value):
        raise error(f"{what} must be text, found {shown(value)}")
    return value


class Fields:
    """One object of a file. `where` (mostly the file) and a field's full name are in every error.

    content: the dict itself, unchecked. Raises `error`, as every method does.
    """

    def __init__(
        self, content: object, where: str, error: type[ToreqError], within: str = ""
    ) -> None:
        self.where = where
        self._error = error
        self._within = within
        if not isinstance(content, dict):
            name = f"field {within.rstrip('.')} must be" if within else "must hold"
            raise error(f"{self._prefix}{name} an object, found {shown(content)}")
        self.content: JsonObject = content

    def __contains__(self, name: str) -> bool:
        return name in self.content

    def names(self) -> list[str]:
        """The fields that there are."""
        return list(self.content)

    def only(self, names: Iterable[str]) -> "Fields":
        """Itself; raises for a field that is none of `names`."""
        known = list(names)
        for name in self.content:
            if name not in known:
                raise self._error(
                    f"{self._prefix}fields must be {', '.join(known)}, found {shown(name)}"
                )
        return self

    def value(self, name: str) -> Any:
        """Whatever is in field `name`."""
        if name not in self.content:
            near = ", ".join(shown(key).strip("'") for key in sorted(self.content)[:6])
            raise self._error(
                f"{self._prefix}field {self._full(name)} must be there, found {near or 'no fields'}"
            )
        return self.content[name]

    def part(self, name: str) -> "Fields":
        """The object in field `name`."""
        found = self.value(name)
        if not isinstance(found, dict):
            raise self.error(name, "be an object", found)
        return Fields(found, self.where, self._error, f"{self._full(name)}.")

    def parts(self, name: str) -> list["Fields"]:
        """The list of objects in field `name`."""
        found = self.items(name)
        if not all(isinstance(item, dict) for item in found):
            raise self.error(name, "be a list of objects", found)
        within = f"{self._full(name)}[{{}}]."
        return [
            Fields(item, self.where, self._error, within.format(k)) for k, item in enumerate(found)
        ]

    def items(self, name: str) -> list[Any]:
        """The list in field `name`, its items unchecked."""
        found = self.value(name)
        if not isinstance(found, list):
            raise self.error(name, "be a list", found)
        return found

    def rows(self, name: str, columns: int) -> list[list[Any]]:
        """The list of lists of `columns` items each in field `name`, the items unchecked."""
        found = self.items(name)
        for k, row in enumerate(found):
            if not isinstance(row, list) or len(row) != columns:
                raise self.error(f"{name}[{k}]", f"be a list of {columns}", row)
        return found

    def integers(self, name: str, low: int, high: int) -> list[int]:
        """The list of whole numbers, each in low..high, in field `name`."""
        return [
            integer(item, low, high, self.what(f"{name}[{k}]"), self._error)
            for k, item in enumerate(self.items(name))
        ]

    def integer(self, name: str, low: int = -MAX_INTEGER, high: int = MAX_INTEGER) -> int:
        """The whole number in low..high in field `name`."""
        return integer(self.value(name), low, high, self.what(name), self._error)

    def count(self, name: str) -> int:
        """The whole number, not negative, in field `name`."""
        found = self.value(name)
        if type(found) is not int or not 0 <= found <= MAX_INTEGER:
            raise self.error(name, "be a count", found)
        return found

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """The finite number in low..high in field `name`."""
        return number(self.value(name), low, high, self.what(name), self._error)

    def positive(self, name: str) -> float:
        """The finite number above 0 in field `name`."""
        found = self.number(name)
        if found <= 0:
            raise self.error(name, "be above 0", found)
        return found

    def flag(self, name: str) -> bool:
        """The true or false in field `name`."""
        found = self.value(name)
        if type(found) is not bool:
            raise self.error(name, "be true or false", found)
        return found

    def text(self, name: str) -> str:
        """The text in field `name`."""
        return text(self.value(name), self.what(name), self._error)

    def choice(self, name: str, kind: type[_Choice]) -> _Choice:
        """The member of `kind` whose value is the text in field `name`."""
        found = self.text(name)
        for member in kind:
            if member.value == found:
                return member
        known = ", ".join(repr(member.value) for member in kind)
        raise self.error(name, f"be one of {known}", found)

    def what(self, name: str) -> str:
        """How errors call field `name`."""
        return f"{self._prefix}field {self._full(name)}"

    def error(self, name: str, must: str, found: object) -> ToreqError:
        """An error about field `name`."""
        return self._error(f"{self.what(name)} must {must}, found {shown(found)}")

    @property
    def _prefix(self) -> str:
        return f"{self.where}: " if self.where else ""

    def _full(self, name: str) -> str:
        plain = name if name.isascii() and name.isprintable() else shown(name)
        return self._within + (plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "..")
