"""Types of options: every number has its bounds, every name its list, every refusal one line."""

import math
from collections.abc import Iterable
from typing import Any

import click
import numpy as np

from toreq_hw.reading.fields import shown
from toreq_hw.suggestions import nearest

MAX_COUNT = 1_000_000
"""Of samples, epochs and the like: no data set or training here has as many."""

MAX_THRESHOLD = 255
"""The largest move of an 8-bit state."""

MAX_JOBS = 1024
"""Of processes and threads."""

MAX_SEEDS = 1000
"""Of repeated runs, each with its own seed."""

MAX_TRIALS = 10_000
"""Of a level."""

MAX_LEVELS = 1000
"""Levels of a campaign, and thresholds or limits of a list: each is measured for itself."""

_MAX_TEXT = 100_000
"""Characters of a list: longer ones are no list of so few numbers."""


class Whole(click.IntRange):
    """A whole number from low to high, both of them included."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)
        self._bounds = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; anything else is a usage error."""
        number = _integer(value)
        low, high = self._bounds
        if number is None or not low <= number <= high:
            self.fail(f"must be a whole number in {low}..{high}, found {shown(value)}", param, ctx)
        return number


class PowerOfTwo(click.Choice[int]):
    """A power of two from low to high, both of them included."""

    name = "N"

    def __init__(self, low: int, high: int) -> None:
        super().__init__([1 << k for k in range(high.bit_length()) if low <= 1 << k <= high])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; anything else is a usage error."""
        number = _integer(value)
        if number not in self.choices:
            known = ", ".join(map(str, self.choices))
            self.fail(f"must be one of {known}, found {shown(value)}", param, ctx)
        return number


class Real(click.FloatRange):
    """A finite number from low to high; `above` and `below` leave out the ends."""

    def __init__(
        self, low: float, high: float, *, above: bool = False, below: bool = False
    ) -> None:
        super().__init__(low, high, min_open=above, max_open=below)
        self._bounds = low, high

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number; anything else, NaN and the infinities included, is a usage error."""
        number = _float(value)
        low, high = self._bounds
        inside = number is not None and low <= number <= high
        if (
            number is None
            or not inside
            or (self.min_open and number == low)
            or (self.max_open and number == high)
        ):
            ends = [f"{low:g}"] * self.min_open + [f"{high:g}"] * self.max_open
            without = f" without {' and '.join(ends)}" if ends else ""
            self.fail(
                f"must be a number in {low:g}..{high:g}{without}, found {shown(value)}", param, ctx
            )
        return number


class Numbers(click.ParamType["tuple[int, ...]"]):
    """Whole numbers from low to high, separated by commas, such as 512 or 256,128."""

    name = "N[,N..]"

    def __init__(self, low: int, high: int, most: int) -> None:
        self._bounds, self._most = (low, high), most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers; anything else is a usage error."""
        if isinstance(value, tuple):
            return value
        low, high = self._bounds
        parts = str(value).split(",") if len(str(value)) <= _MAX_TEXT else []
        found = [number for part in parts if (number := _integer(part)) is not None]
        within = all(low <= number <= high for number in found)
        if len(found) != len(parts) or not within or not 1 <= len(found) <= self._most:
            self.fail(
                f"must be 1 to {self._most} whole numbers in {low}..{high} separated by commas, "
                f"found {shown(value)}",
                param,
                ctx,
            )
        return tuple(found)


class Levels(click.ParamType["tuple[float, ...]"]):
    """first:last:count (geometric, or even steps from 0), or numbers separated by commas."""

    name = "LEVELS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The levels; anything else is a usage error, before any level is built."""
        if isinstance(value, tuple):
            return value
        try:
            return levels(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def levels(text: str) -> tuple[float, ...]:
    """What `--levels` means. Raises ValueError saying what must hold."""
    if ":" not in text:
        return _listed_levels(text)
    parts = text.split(":")
    first, last = (_float(part) for part in (*parts[:2],))
    count = _integer(parts[2]) if len(parts) == 3 else None
    if first is None or last is None or count is None or not 0 <= first < last:
        raise ValueError(
            "must be first:last:count with 0 <= first < last, or numbers separated by commas, "
            f"found {shown(text)}"
        )
    if not 2 <= count <= MAX_LEVELS:
        raise ValueError(f"count must be in 2..{MAX_LEVELS}, found {shown(parts[2])}")
    spaced = np.geomspace(first, last, count) if first > 0 else np.linspace(first, last, count)
    return tuple(float(f"{level:.6g}") for level in spaced)


def _listed_levels(text: str) -> tuple[float, ...]:
    parts = text.split(",") if len(text) <= _MAX_TEXT else []
    found = [number for part in parts if (number := _float(part)) is not None]
    if len(found) != len(parts) or not 1 <= len(found) <= MAX_LEVELS:
        raise ValueError(
            f"must be first:last:count, or 1 to {MAX_LEVELS} finite numbers separated by commas, "
            f"found {shown(text)}"
        )
    return tuple(found)


class Trials(Whole):
    """A number of trials, or `auto`: planned from a first few."""

    name = "auto|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or None for `auto`; anything else is a usage error."""
        if value is None or value == "auto":
            return None
        if _integer(value) is None:
            low, high = self._bounds
            self.fail(
                f"must be auto or a whole number in {low}..{high}, found {shown(value)}", param, ctx
            )
        return super().convert(value, param, ctx)


class Name(click.Choice[str]):
    """One of some names; a usage error says them all, and the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """What must hold, and what was found."""
        names = [str(name) for name in self.choices]
        return f"must be one of {', '.join(names)}, found {shown(value)}{nearest(value, names)}"


class Names(click.ParamType["tuple[str, ...]"]):
    """Some of a list of names, separated by commas."""

    name = "NAME[,NAME..]"

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(known)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names, each once; anything else is a usage error."""
        if isinstance(value, tuple):
            return value
        names = str(value).split(",")
        known = ", ".join(self._known)
        for name in names:
            if name not in self._known:
                near = nearest(name, self._known)
                self.fail(f"must be some of {known}, found {shown(name)}{near}", param, ctx)
            if names.count(name) > 1:
                self.fail(f"must name each of {known} once, found {name} twice", param, ctx)
        return tuple(names)


def _integer(value: object) -> int | None:
    """A whole number of at most 30 digits, or None."""
    if isinstance(value, int):
        return value
    text = str(value).strip()
    try:
        return int(text) if len(text) <= 30 else None
    except ValueError:
        return None


def _float(value: object) -> float | None:
    """A finite number, or None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
