"""Descriptions of networks in TOML: the words of `described`, one a line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.network.couplings import MAX_FRACTION_BITS, FeedbackKind, WeightFormat
from toreq_hw.network.description.building import Skip, described
from toreq_hw.network.description.words import MAX_LAYERS
from toreq_hw.network.network import Network
from toreq_hw.network.readout import readout_from
from toreq_hw.network.schedule import Schedule
from toreq_hw.reading import Fields, read_toml, text

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
    fields = read_toml(path, _MAX_BYTES, NetworkFileError).only(FIELDS)
    words = _layers(fields)
    try:
        options = _options(fields)
        return described(fields.text("input"), words, **options)
    except NetworkError as error:
        raise NetworkFileError(f"{path}: {error}") from error


def _layers(fields: Fields) -> list[str]:
    return [
        text(item, fields.what(f"layers[{k}]"), NetworkFileError)
        for k, item in enumerate(fields.items("layers")[: MAX_LAYERS + 1])
    ]


def _options(fields: Fields) -> dict[str, Any]:
    """What `described` is given beside input and layers."""
    readers: dict[str, Callable[[str], Any]] = {
        "fraction_bits": lambda name: fields.integers(name, 0, MAX_FRACTION_BITS),
        "feedback_shifts": lambda name: fields.integers(name, -64, 64),
        "feedback": lambda name: fields.choice(name, FeedbackKind),
        "skips": lambda name: [_skip(part) for part in fields.parts(name)],
        "state_bits": fields.integer,
        "input_bits": fields.integer,
        "signed": fields.flag,
        "schedule": lambda name: fields.choice(name, Schedule),
        "beta_shift": fields.integer,
        "seed": lambda name: fields.integer(name, 0, _WORD),
    }
    found = {name: read(name) for name, read in readers.items() if name in fields}
    if "readout" in fields:
        found["readout"] = readout_from(fields)
    if "weights" in fields:
        found["weight_format"] = fields.choice("weights", WeightFormat)
    if "biases" in fields:
        if fields.text("biases") not in ("channel", "neuron"):
            raise fields.error("biases", "be 'channel' or 'neuron'", fields.text("biases"))
        found["bias_per_channel"] = fields.text("biases") == "channel"
    return found


def _skip(part: Fields) -> Skip:
    part.only(("from", "to", "fraction_bits"))
    return Skip(
        part.integer("from", 0, MAX_LAYERS),
        part.integer("to", 0, MAX_LAYERS),
        part.integer("fraction_bits", 0, MAX_FRACTION_BITS),
    )
