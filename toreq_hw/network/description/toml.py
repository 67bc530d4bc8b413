"""Descriptions of networks in TOML: the words of `build`, one a line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.network.couplings import MAX_FRACTION_BITS, FeedbackKind, WeightFormat
from toreq_hw.network.description.building import build
from toreq_hw.network.description.joins import Loop, Skip
from toreq_hw.network.description.words import MAX_LAYERS
from toreq_hw.network.network import Network
from toreq_hw.network.readout import readout_from
from toreq_hw.network.schedule import Schedule
from toreq_hw.reading import Fields, parse_toml, read_text, text
from toreq_hw.reading.toml_lines import line_of

_MAX_BYTES = 1 << 20

_WORD = (1 << 32) - 1

FIELDS = (
    "input",
    "layers",
    "weights",
    "fraction_bits",
    "feedback_shifts",
    "feedback",
    "skips",
    "loops",
    "state_bits",
    "input_bits",
    "signed",
    "biases",
    "schedule",
    "readout",
    "beta_shift",
    "seed",
)
"""What a description may say; the first two must be there."""


@named_type_errors
def load_description(path: str | Path) -> Network:
    """The blank network that a TOML file describes.

    Raises NetworkFileError naming the file.
    """
    path = Path(path)
    text = read_text(path, _MAX_BYTES, NetworkFileError)
    try:
        fields = Fields(parse_toml(text, "", NetworkFileError), "", NetworkFileError).only(FIELDS)
        words = _layers(fields)
        return build(fields.text("input"), words, **_options(fields))
    except NetworkFileError as error:
        raise _located(path, text, str(error), _FIELD.search(str(error))) from error
    except NetworkError as error:
        raise _located(path, text, str(error), re.match(r"(.+)", error.where)) from error


_FIELD = re.compile(r"field (\w+(?:\[\d+\])?)")


def _located(path: Path, text: str, said: str, name: re.Match[str] | None) -> NetworkFileError:
    """The error with file and line, where the line is known."""
    line = line_of(text, name[1]) if name else None
    said = said.removeprefix(": ")
    return NetworkFileError(f"{path}: {said}" if line is None else f"{path}: line {line}: {said}")


def _layers(fields: Fields) -> list[str]:
    return [
        text(item, fields.what(f"layers[{k}]"), NetworkFileError)
        for k, item in enumerate(fields.items("layers")[: MAX_LAYERS + 1])
    ]


def _options(fields: Fields) -> dict[str, Any]:
    """What `build` is given beside input and layers."""
    readers: dict[str, Callable[[str], Any]] = {
        "fraction_bits": lambda name: fields.integers(name, 0, MAX_FRACTION_BITS),
        "feedback_shifts": lambda name: fields.integers(name, -64, 64),
        "feedback": lambda name: _one_or_more(fields, name, Fields.choice, FeedbackKind),
        "skips": lambda name: [_skip(part) for part in fields.parts(name)],
        "loops": lambda name: [_loop(part) for part in fields.parts(name)],
        "state_bits": lambda name: _one_or_more(fields, name, Fields.integer),
        "input_bits": fields.integer,
        "signed": lambda name: _one_or_more(fields, name, Fields.flag),
        "schedule": lambda name: fields.choice(name, Schedule),
        "beta_shift": fields.integer,
        "seed": lambda name: fields.integer(name, 0, _WORD),
    }
    found = {name: read(name) for name, read in readers.items() if name in fields}
    if "readout" in fields:
        found["readout"] = readout_from(fields)
    if "weights" in fields:
        found["weights"] = _one_or_more(fields, "weights", Fields.choice, WeightFormat)
    if "biases" in fields:
        if fields.text("biases") not in ("channel", "neuron"):
            raise fields.error("biases", "be 'channel' or 'neuron'", fields.text("biases"))
        found["biases"] = fields.text("biases")
    return found


def _one_or_more(fields: Fields, name: str, read: Callable[..., Any], *more: Any) -> Any:
    """A value, or a list of values, one a layer. read: a method of `Fields`."""
    if not isinstance(fields.value(name), list):
        return read(fields, name, *more)
    items = fields.items(name)
    each = Fields({f"{name}[{k}]": item for k, item in enumerate(items)}, "", NetworkFileError)
    return [read(each, key, *more) for key in each.names()]


def _skip(part: Fields) -> Skip:
    part.only(("from", "to", "fraction_bits", "kind", "weights", "feedback", "feedback_shift"))
    return Skip(
        start=part.integer("from", 0, MAX_LAYERS),
        stop=part.integer("to", 0, MAX_LAYERS),
        fraction_bits=part.integer("fraction_bits", 0, MAX_FRACTION_BITS),
        kind=part.text("kind") if "kind" in part else "dense",
        weights=part.choice("weights", WeightFormat) if "weights" in part else None,
        feedback=part.choice("feedback", FeedbackKind) if "feedback" in part else None,
        feedback_shift=part.integer("feedback_shift", -64, 64) if "feedback_shift" in part else 0,
    )


def _loop(part: Fields) -> Loop:
    part.only(("layer", "fraction_bits", "kind", "weights"))
    return Loop(
        part.integer("layer", 1, MAX_LAYERS),
        part.integer("fraction_bits", 0, MAX_FRACTION_BITS),
        part.text("kind") if "kind" in part else "dense",
        part.choice("weights", WeightFormat) if "weights" in part else None,
    )
