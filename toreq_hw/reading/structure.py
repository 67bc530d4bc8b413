"""JSON and TOML: nesting is bounded, names are unique, and every failure is one line."""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from toreq_hw.errors import ToreqError
from toreq_hw.json_values import JsonObject
from toreq_hw.reading.content import read_text
from toreq_hw.reading.fields import Fields, shown

MAX_DEPTH = 32
"""Objects and lists within each other; nothing that is read here needs more than 10."""

MAX_RECORD_BYTES = 1 << 28
"""Of a record that a command of this project wrote."""

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_KEY = r"(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')"
_DEEP_KEY = re.compile(rf"(?:{_KEY}[ \t]*\.[ \t]*){{{MAX_DEPTH}}}")
"""A TOML key of many parts: as deep as its parts, and its parser takes their square in time."""

_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[[ord("["), ord("{")]] = 1
_STEPS[[ord("]"), ord("}")]] = -1


def parse_json(text: str, where: str, error: type[ToreqError]) -> Any:
    """The value that JSON `text` holds: dicts with unique names, lists, text, numbers.

    Raises `error`, beginning with `where`: no JSON, nested deeper than MAX_DEPTH, the same name
    twice in an object, NaN or infinities, integers of thousands of digits.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(_JSON_STRING.sub("", text), where, error)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as failure:
        raise error(f"{where}: must be JSON, found: {_one_line(failure)}") from failure


def read_json(path: Path, limit: int, error: type[ToreqError]) -> Any:
    """The JSON value in a file of at most `limit` bytes; raises `error` naming the file."""
    return parse_json(read_text(path, limit, error), str(path), error)


def read_fields(path: Path, limit: int, error: type[ToreqError]) -> Fields:
    """The JSON object in a file of at most `limit` bytes; raises `error` naming the file."""
    return Fields(read_json(path, limit, error), str(path), error)


def parse_toml(text: str, where: str, error: type[ToreqError]) -> JsonObject:
    """The tables that TOML `text` holds.

    Raises `error`, beginning with `where`: no TOML, nested deeper than MAX_DEPTH.
    """
    if _DEEP_KEY.search(text):
        raise error(f"{where}: must nest at most {MAX_DEPTH} deep, found a key of more parts")
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise error(f"{where}: must nest at most {MAX_DEPTH} deep, found more") from None
    except ValueError as failure:
        raise error(f"{where}: must be TOML, found: {_one_line(failure)}") from failure
    _check_values(found, where, error)
    return found


def read_toml(path: Path, limit: int, error: type[ToreqError]) -> Fields:
    """The tables in a TOML file of at most `limit` bytes; raises `error` naming the file."""
    return Fields(parse_toml(read_text(path, limit, error), str(path), error), str(path), error)


def _check_depth(brackets: str, where: str, error: type[ToreqError]) -> None:
    """Counts brackets, from which strings have been taken out."""
    codes = np.frombuffer(brackets.encode("ascii", "replace"), dtype=np.uint8)
    depth = int(np.cumsum(_STEPS[codes], dtype=np.int64).max(initial=0))
    if depth > MAX_DEPTH:
        raise error(f"{where}: must nest at most {MAX_DEPTH} deep, found {depth}")


def _check_values(found: object, where: str, error: type[ToreqError]) -> None:
    """Walks tables and arrays, level by level."""
    level: list[Any] = [found]
    for _ in range(MAX_DEPTH + 1):
        inner = [v for part in level for v in (part.values() if isinstance(part, dict) else part)]
        level = [value for value in inner if isinstance(value, dict | list)]
        if not level:
            return
    raise error(f"{where}: must nest at most {MAX_DEPTH} deep, found more")


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, times in Counter(n for n, _ in pairs).items() if times > 1)
        raise ValueError(f"the name {shown(twice)} twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the number {name}")


def _one_line(failure: BaseException) -> str:
    return " ".join(str(failure).split())[:200]
