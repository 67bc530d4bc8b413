"""How samples of real features become pixels, and what classes are called: of networks that were
trained on somebody's own data (docs/numerics.md, section 2).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import reals
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FileEntry
from toreq_hw.reading import Fields, shown

if TYPE_CHECKING:
    from toreq_hw.network.network import Network

PIXEL_MAX = 255
"""White of pixels that features become."""

SPREAD = 2.5
"""Standard deviations on both sides of the mean that become black and white."""

MAX_NAME = 200
"""Characters of the name of a column or class."""

_MOST = 1e300
"""Of a feature's ends; their difference stays finite."""


@named_type_errors
@dataclass(frozen=True)
class Encoding:
    """low, high: values of a feature that become black and white; one number, or one a feature.

    columns: names of features, or none. classes: names of the output's classes, or none.
    centred: of a signed input, whose states are 0 in the middle between black and white.
    Raises NetworkError.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    centred: bool = False

    def __post_init__(self) -> None:
        for name in ("columns", "classes"):
            names = tuple(getattr(self, name))
            object.__setattr__(self, name, names)
            if len(set(names)) < len(names) or not all(map(_is_name, names)):
                raise NetworkError(
                    f"{name} of an encoding must be different texts of 1 to {MAX_NAME} printable "
                    f"characters, found {shown(list(names))}"
                )
        for name in ("low", "high"):
            object.__setattr__(self, name, _ends(name, getattr(self, name)))
        if len(self.low) != len(self.high) or any(
            low > high for low, high in zip(self.low, self.high, strict=False)
        ):
            raise NetworkError(
                f"low and high of an encoding must be as many, and low at most high, found "
                f"{shown(list(self.low))} and {shown(list(self.high))}"
            )

    @classmethod
    def spread(
        cls,
        features: npt.NDArray[np.float64],
        columns: tuple[str, ...] = (),
        classes: tuple[str, ...] = (),
    ) -> "Encoding":
        """Centred: `SPREAD` standard deviations on both sides of the mean of each feature.

        features: (samples, features). One that is the same in all samples gets a unit to each side.
        """
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        half = np.where(deviation > 0, SPREAD * deviation, 1.0)
        low, high = (mean - half).tolist(), (mean + half).tolist()
        return cls(tuple(low), tuple(high), columns, classes, centred=True)

    def pixels(self, features: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """uint8 (samples, features), 0..255, of real features of this shape.

        Raises InputError for what is not finite, or of another number of features.
        """
        width: int | str = len(self.low) if len(self.low) > 1 else len(self.columns) or "features"
        real = reals("features", features, ("samples", width))
        low, high = np.array(self.low), np.array(self.high)
        span = np.where(high > low, high - low, 1.0)
        inside = np.floor(PIXEL_MAX * ((np.clip(real, low, high) - low) / span) + 0.5)
        found: npt.NDArray[np.uint8] = np.where(
            real >= high, np.where(real <= low, 0, PIXEL_MAX), inside
        ).astype(np.uint8)
        return found

    def describe(self) -> FileEntry:
        """Its entry in a network file."""
        entry: FileEntry = {"low": list(self.low), "high": list(self.high)}
        if self.centred:
            entry["centred"] = True
        for name in ("columns", "classes"):
            if getattr(self, name):
                entry[name] = list(getattr(self, name))
        return entry


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable()


def _ends(name: str, values: object) -> tuple[float, ...]:
    """The numbers as floats. Raises NetworkError."""
    found = tuple(values) if isinstance(values, tuple | list) else ()
    if not found or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= _MOST for v in found
    ):
        raise NetworkError(
            f"{name} of an encoding must be finite numbers up to {_MOST:g}, found {shown(values)}"
        )
    return tuple(0.0 if v == 0 else float(v) for v in found)  # no minus zero: one text a value


def encoding_from(fields: Fields) -> Encoding | None:
    """The encoding that a description states, if it does. Raises the fields' error."""
    if "encoding" not in fields:
        return None
    entry = fields.part("encoding").only(("low", "high", "columns", "classes", "centred"))
    return Encoding(
        low=tuple(entry.items("low")),
        high=tuple(entry.items("high")),
        columns=tuple(entry.items("columns")) if "columns" in entry else (),
        classes=tuple(entry.items("classes")) if "classes" in entry else (),
        centred="centred" in entry and entry.flag("centred"),
    )


def check_encoding(network: "Network") -> None:
    """Raises NetworkError where the network has other numbers of inputs or outputs."""
    encoding = network.encoding
    if encoding is None:
        return
    if encoding.centred and not network.input.signed:
        raise NetworkError("a centred encoding must be of a signed input, found an unsigned one")
    rows = 1 if network.readout is None else network.readout.rows
    for name, count, wanted, none in (
        ("low and high", len(encoding.low), network.input.size, 1),
        ("columns", len(encoding.columns), network.input.size, 0),
        ("classes", len(encoding.classes), network.output.size // rows, 0),
    ):
        if count not in (none, wanted):
            raise NetworkError(
                f"{name} of the encoding must number {none} or {wanted}, found {count}"
            )
