"""From a source's samples to a data set: split, scaled to pixels, classes numbered."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.data.dataset import Dataset, Split
from toreq_hw.data.own.arrays import Parts, read_arrays
from toreq_hw.data.own.functions import call_function
from toreq_hw.data.own.image_folders import read_folder
from toreq_hw.data.own.samples import Samples, several
from toreq_hw.data.own.spec import Form, Spec
from toreq_hw.data.own.splitting import FORMS, FRACTION, split_by_column, split_by_fraction
from toreq_hw.data.own.tables import read_table
from toreq_hw.errors import DataError, NetworkError
from toreq_hw.network import Encoding
from toreq_hw.network.encoding import PIXEL_MAX
from toreq_hw.reading import shown

MAX_CLASSES = 1000
SCALES = "spread, minmax or LOW:HIGH"
_RANGE = re.compile(r"([^:]+):([^:]+)")


def load_own(text: str, encoding: Encoding | None = None) -> Dataset:
    """The data set that a text names, as `Spec` reads it.

    encoding: of the network that is to read it, whose scale and classes then hold; else they are
    found in the training samples. Raises DataError, naming the source, for what is not as it must.
    """
    spec = Spec.of(text)
    found = _read(spec)
    if isinstance(found, Dataset):
        return replace(found, source=spec.text)
    return dataset_of(spec, found, encoding)


def dataset_of(spec: Spec, parts: Parts, encoding: Encoding | None) -> Dataset:
    """Samples that were read as a data set; `encoding` as `load_own` takes it. Raises DataError."""
    train, test, said = _split(spec, *parts)
    if encoding is None:
        encoding = _encoding(spec, train)
    if encoding.columns:
        train, test = (_selected(part, encoding.columns) for part in (train, test))
    if spec.scale is not None and _scale(spec, train) != (encoding.low, encoding.high):
        raise DataError(
            f"{spec.source}: scale must be left out, the network has its own, found "
            f"{shown(spec.scale)}"
        )
    return Dataset(
        name=spec.name,
        shape=train.shape,
        pixel_max=PIXEL_MAX,
        classes=len(encoding.classes) or len(set(train.targets)),
        split=f"{len(train.targets):,} training and {len(test.targets):,} test samples, {said}",
        train=_encoded(train, encoding),
        test=_encoded(test, encoding),
        channels=train.channels,
        encoding=encoding,
        source=spec.text,
    )


def _read(spec: Spec) -> Parts | Dataset:
    path = Path(spec.source)
    if spec.form is Form.FUNCTION:
        return call_function(spec)
    if spec.form is Form.FOLDER:
        return read_folder(path, spec)
    if spec.form is Form.ARRAYS:
        return read_arrays(path, spec)
    return read_table(path, spec), None


def _split(spec: Spec, train: Samples, test: Samples | None) -> tuple[Samples, Samples, str]:
    """Training samples, test samples and a sentence. Raises DataError."""
    asked = spec.split
    if asked is not None and asked.startswith("file:"):
        other = _read(replace(spec, source=asked.removeprefix("file:"), split=None))
        if isinstance(other, Dataset) or other[1] is not None or test is not None:
            raise DataError(f"{spec.source}: split must be given once, found test samples beside")
        return train, _same_columns(train, other[0]), f"tests of {Path(asked[5:]).name}"
    if train.parts:
        return split_by_column(train)
    if test is not None:
        if asked not in (None, "given"):
            raise DataError(
                f"{spec.source}: split must be left out, or the word given: test samples are "
                f"there beside those of training; found {shown(asked)}"
            )
        return train, _same_columns(train, test), "as given"
    if asked == "given":
        raise DataError(f"{spec.source}: must hold test samples of its own, found none")
    if asked is not None and ":" in asked and asked.split(":")[0] == "column":
        raise DataError(f"{spec.source}: split must be {FORMS}; a column is of a table")
    return split_by_fraction(train, asked or FRACTION)


def _same_columns(train: Samples, test: Samples) -> Samples:
    if test.columns != train.columns:
        return _selected(test, train.columns)
    if (test.shape, test.channels) != (train.shape, train.channels):
        raise DataError(
            f"{test.what}: must have samples of shape {(*train.shape, train.channels)} as those "
            f"of training, found {(*test.shape, test.channels)}"
        )
    return test


def _encoding(spec: Spec, train: Samples) -> Encoding:
    """Scale and classes, found in the training samples alone. Raises DataError."""
    classes = tuple(sorted(set(train.targets), key=_order(train.targets)))
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise DataError(
            f"{train.what}: must have 2 to {MAX_CLASSES} classes among training samples, found "
            f"{len(classes)}"
        )
    try:
        centred = _scale_name(spec, train) == "spread"
        return Encoding(*_scale(spec, train), train.columns, classes, centred=centred)
    except NetworkError as error:
        raise DataError(f"{train.what}: {error}") from error


def _order(targets: tuple[str, ...]) -> "type[int] | None":
    """How classes are sorted: as numbers if all are, else as texts."""
    return int if all(re.fullmatch("-?(0|[1-9][0-9]{0,17})", text) for text in targets) else None


def _scale_name(spec: Spec, train: Samples) -> str:
    return spec.scale or ("0:255" if train.bytes_ else "spread")


def _scale(spec: Spec, train: Samples) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What becomes black and what becomes white: one number, or one a feature."""
    scale = _scale_name(spec, train)
    real = train.features
    if scale == "spread":
        found = Encoding.spread(real)
        return found.low, found.high
    if scale == "minmax":
        return tuple(real.min(axis=0).tolist()), tuple(real.max(axis=0).tolist())
    ends = _RANGE.fullmatch(scale)
    try:
        low, high = (float(end) for end in (ends[1], ends[2])) if ends else (1.0, 0.0)
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise DataError(f"scale must be {SCALES} with LOW below HIGH, found {shown(scale)}")
    return (low,), (high,)


def _selected(samples: Samples, columns: tuple[str, ...]) -> Samples:
    """The features of these names, in this order. Raises DataError for one that is not there."""
    if not samples.columns or samples.columns == columns:
        return samples
    for name in columns:
        if name not in samples.columns:
            raise DataError(
                f"{samples.what}: must have a column {shown(name)} as the network's training "
                f"samples, found {several(samples.columns)}"
            )
    places = [samples.columns.index(name) for name in columns]
    return replace(
        samples, features=samples.features[:, places], columns=columns, shape=(1, len(columns))
    )


def _encoded(samples: Samples, encoding: Encoding) -> Split:
    """Pixels and class numbers. Raises DataError for a class that training did not have."""
    width = max(len(encoding.low), len(encoding.columns))
    if width > 1 and samples.features.shape[1] != width:
        raise DataError(
            f"{samples.what}: must have {width} features as the network's training samples, "
            f"found {samples.features.shape[1]}"
        )
    return Split(encoding.pixels(samples.features), _labels(samples, encoding.classes))


def _labels(samples: Samples, classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    names = classes or tuple(sorted(set(samples.targets), key=_order(samples.targets)))
    numbers = {name: number for number, name in enumerate(names)}
    for text in samples.targets:
        if text not in numbers:
            raise DataError(
                f"{samples.what}: classes must be those of training samples "
                f"({several(names)}), found {shown(text)}"
            )
    return np.array([numbers[text] for text in samples.targets], dtype=np.int64)
