"""Samples as they were read, before they are split and scaled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import DataError
from toreq_hw.network import MAX_NEURONS
from toreq_hw.reading import shown

MOST = 1e100
"""Of a feature: the sum of squares of many such stays finite."""

_EXACT = 1 << 53
"""From here on floats do not tell whole numbers apart."""

MISSING = {"", "?", "-", "na", "n/a", "nan", "null", "none"}
"""What stands in a cell that has no value, in any case."""


@dataclass(frozen=True, eq=False)
class Samples:
    """what: named in errors. features: float64 (samples, features). targets: one text a sample.

    shape: of one sample, rows by columns, and channels. columns: names of features, or none.
    parts: of each sample the text in the column that says train or test, where there is one.
    bytes_: whether features are bytes, 0..255.
    """

    what: str
    features: npt.NDArray[np.float64]
    targets: tuple[str, ...]
    shape: tuple[int, int]
    channels: int = 1
    columns: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    bytes_: bool = False

    def take(self, which: npt.NDArray[np.bool_]) -> "Samples":
        """Those marked in a bool array (samples,)."""
        chosen = np.flatnonzero(which)
        return replace(
            self,
            features=self.features[chosen],
            targets=tuple(self.targets[i] for i in chosen),
            parts=tuple(self.parts[i] for i in chosen) if self.parts else (),
        )


def several(names: Sequence[str]) -> str:
    """The first names of a list, on one line of bounded length."""
    few = [shown(name).strip("'") for name in names[:12]]
    return ", ".join([*few, *([".."] if len(names) > len(few) else [])]) or "none"


def is_missing(cell: str) -> bool:
    """Whether a cell of a table says that there is no value."""
    return cell.strip().lower() in MISSING


def target_texts(what: str, values: npt.ArrayLike) -> tuple[str, ...]:
    """Targets (samples,), whole numbers, texts or truth values, as texts.

    Raises DataError naming the sample for a missing one, or a number that is not whole.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{what}: targets must be one a sample, found shape {array.shape}")
    return tuple(_target(what, number, value) for number, value in enumerate(array.tolist()))


def _target(what: str, number: int, value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise DataError(f"{what}: targets must be there, found none for sample {number}")
    if isinstance(value, float):
        if not value.is_integer():
            raise DataError(
                f"{what}: targets must be classes, whole numbers or texts, found {value:g} for "
                f"sample {number}"
            )
        if abs(value) >= _EXACT:
            raise DataError(
                f"{what}: targets must be whole numbers below 2^53, or texts, found {value:.17g} "
                f"for sample {number}"
            )
        return str(int(value))
    text = str(value).strip()
    if is_missing(text):
        raise DataError(f"{what}: targets must be there, found {shown(text)} for sample {number}")
    return text


def feature_array(
    what: str, values: npt.ArrayLike, columns: Sequence[str] = ()
) -> tuple[npt.NDArray[np.float64], tuple[int, int], int, bool]:
    """Features (samples, ...) as float64 (samples, features), shape, channels, whether bytes.

    values: (samples, features), (samples, rows, columns) or (samples, rows, columns, channels), of
    numbers. Raises DataError naming the feature for texts and missing values.
    """
    array = np.asarray(values)
    if array.ndim not in (2, 3, 4) or not array.size:
        raise DataError(f"{what}: must have 2 to 4 axes, samples first, found {array.shape}")
    shape = (1, array.shape[1]) if array.ndim == 2 else (array.shape[1], array.shape[2])
    channels = array.shape[3] if array.ndim == 4 else 1
    flat = array.reshape(len(array), -1)
    if flat.shape[1] > MAX_NEURONS:
        raise DataError(f"{what}: must have at most {MAX_NEURONS} features, not {flat.shape[1]}")
    if flat.dtype.kind not in "iufb":
        flat = _numbers(what, flat, columns)
    real = flat.astype(np.float64)
    bad = np.argwhere(~(np.abs(real) <= MOST))  # NaN too
    if len(bad):
        sample, feature = (int(i) for i in bad[0])
        name = shown(columns[feature]) if len(columns) else feature
        raise DataError(
            f"{what}: feature {name} must be a number of at most {MOST:g} in every sample, found "
            f"{real[sample, feature]} in sample {sample} (the first is 0)"
        )
    return real, shape, channels, array.dtype == np.uint8


def _numbers(
    what: str, flat: npt.NDArray[np.generic], columns: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Objects or texts (samples, features) as numbers; texts are refused by name."""
    if flat.dtype.kind == "O":
        for number in range(flat.shape[1]):
            for value in flat[:, number]:
                if not isinstance(value, int | float | np.number | np.bool_ | type(None)):
                    name = shown(columns[number]) if len(columns) else number
                    raise DataError(
                        f"{what}: feature {name} must hold numbers, found {shown(value)}; make "
                        "numbers of it, or leave it out"
                    )
        return np.array([[np.nan if v is None else v for v in row] for row in flat], dtype=float)
    raise DataError(f"{what}: features must be numbers, not {flat.dtype}")
