"""What a search may choose: dimensions by name, each with its choices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from math import prod
from typing import Any

from toreq_hw.boards import registry
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat
from toreq_hw.reading.fields import shown
from toreq_hw.records.search import Choices, Dimension
from toreq_hw.rtl.placement import LANES
from toreq_hw.suggestions import look_up

OWN_CLOCK = "own"
"""The board's clock."""

NAMES = tuple(field.name for field in fields(Choices))

_SMALL_HIDDEN = ("12", "16", "24", "32", "48", "64", "96", "128", "32-32")
_LARGE_HIDDEN = (
    *("8", "12", "16", "24", "32", "48", "64", "96", "128", "192", "256", "384", "512"),
    *("64-64", "128-64"),
)
_MOST_CHOICES = 64
_MOST_LAYERS = 8
_MOST_SIZE = 1 << 16
_MOST_MHZ = 1000.0


@dataclass(frozen=True)
class Space:
    """choices: texts of each dimension, by name, in the order of `NAMES`."""

    choices: Mapping[str, tuple[str, ...]]

    @property
    def size(self) -> int:
        """How many points it has."""
        return prod(map(len, self.choices.values()))

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """As a record has them."""
        return tuple(Dimension(name, self.choices[name]) for name in NAMES)

    def free(self) -> dict[str, tuple[str, ...]]:
        """Dimensions with more than one choice."""
        return {name: texts for name, texts in self.choices.items() if len(texts) > 1}

    def point(self, chosen: Mapping[str, str]) -> Choices:
        """chosen: texts of all free dimensions."""
        texts = {name: chosen.get(name, self.choices[name][0]) for name in NAMES}
        return Choices(**{name: _value(name, text) for name, text in texts.items()})

    def all(self) -> Iterator[Choices]:
        """Every point, one after another."""
        for row in product(*self.choices.values()):
            yield self.point(dict(zip(self.choices, row, strict=True)))


def space_of(boards: Sequence[str], pixels: int, given: Mapping[str, Sequence[str]]) -> Space:
    """The space for images of so many pixels. given: choices in place of the usual ones, as texts.

    Raises InputError for an unknown dimension, or a choice that it cannot have.
    """
    usual: dict[str, Sequence[str]] = {
        "hidden": _SMALL_HIDDEN if pixels < 256 else _LARGE_HIDDEN,
        "weights": [one.value for one in WeightFormat],
        "state_bits": ("4", "6", "8"),
        "latent_bits": ("16",),
        "fraction_offset": ("-1", "0", "1"),
        "readout": ("relaxing",),
        "feedback_shift": ("0", "1"),
        "lanes": [str(lanes) for lanes in LANES],
        "learn_lanes": ("0",),
        "board": boards,
        "clock_mhz": (OWN_CLOCK,),
        "accumulator_register": ("no",),
    }
    for name, texts in given.items():
        look_up(usual, name, "dimension", InputError)
        usual[name] = texts
    return Space({name: _checked(name, usual[name]) for name in NAMES})


def _checked(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Choices of a dimension. Raises InputError."""
    found = tuple(dict.fromkeys(text.strip() for text in texts))
    if not 1 <= len(found) <= _MOST_CHOICES or len(found) != len(texts):
        raise InputError(
            f"{name} must have 1 to {_MOST_CHOICES} different choices, found {len(texts)}"
        )
    for text in found:
        _VALUES[name](text)
    return found


def _value(name: str, text: str) -> Any:
    """What a text of a dimension means: a value of that field of `Choices`. Raises InputError."""
    return _VALUES[name](text)


def _whole(name: str, low: int, high: int, text: str) -> int:
    try:
        found = int(text) if len(text) < 20 else high + 1
    except ValueError:
        found = high + 1
    if not low <= found <= high:
        raise InputError(f"{name} must be a whole number in {low}..{high}, not {shown(text)}")
    return found


def _hidden(text: str) -> tuple[int, ...]:
    parts = text.split("-")
    if len(parts) > _MOST_LAYERS:
        raise InputError(f"hidden must be at most {_MOST_LAYERS} layers, found {len(parts)}")
    return tuple(_whole("hidden", 1, _MOST_SIZE, part) for part in parts)


def _one_of(name: str, known: Sequence[str], text: str) -> str:
    return look_up({one: one for one in known}, text, name, InputError)


def _lanes(text: str) -> int:
    return int(_one_of("lanes", [str(lanes) for lanes in LANES], text))


def _learn_lanes(text: str) -> int:
    return int(_one_of("learn_lanes", ["0", "1", *(str(lanes) for lanes in LANES)], text))


def _register(text: str) -> bool:
    return _one_of("accumulator_register", ["no", "yes"], text) == "yes"


def _clock(text: str) -> float | None:
    if text == OWN_CLOCK:
        return None
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= _MOST_MHZ:
        raise InputError(
            f"clock_mhz must be {OWN_CLOCK!r} or a number above 0, at most {_MOST_MHZ:g}, not "
            f"{shown(text)}"
        )
    return found


_VALUES = {
    "hidden": _hidden,
    "weights": lambda text: _one_of("weights", [one.value for one in WeightFormat], text),
    "state_bits": lambda text: _whole("state_bits", 1, 8, text),
    "latent_bits": lambda text: _whole("latent_bits", 8, 16, text),
    "fraction_offset": lambda text: _whole("fraction_offset", -15, 15, text),
    "readout": lambda text: _one_of("readout", ["relaxing", "clamped"], text),
    "feedback_shift": lambda text: _whole("feedback_shift", -23, 15, text),
    "lanes": _lanes,
    "learn_lanes": _learn_lanes,
    "board": lambda text: registry.get(text).name,
    "clock_mhz": _clock,
    "accumulator_register": _register,
}
"""What a text of each dimension means. Each raises InputError."""
