"""Arrays by name: of .npz files, and what functions give."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from toreq_hw.data.own.samples import Samples, feature_array, several, target_texts
from toreq_hw.data.own.spec import Spec
from toreq_hw.errors import DataError
from toreq_hw.reading import read_npz

FEATURES = ("x_train", "x", "images", "features", "data")
TARGETS = ("y_train", "y", "labels", "targets", "target")
TEST = ("x_test", "y_test")

Parts = tuple[Samples, Samples | None]
"""Training samples, or all; and test samples where the source has them apart."""


def read_arrays(path: Path, spec: Spec) -> Parts:
    """The samples of an .npz file. Raises DataError naming file and array."""
    arrays = read_npz(path, DataError)
    return parts_of(str(path), arrays, spec)


def parts_of(what: str, arrays: Mapping[str, Any], spec: Spec) -> Parts:
    """The samples in arrays by their names, in any case. Raises DataError."""
    if spec.drop:
        raise DataError(f"{what}: drop must be left out with arrays, it names columns of a table")
    by_name = {name.lower(): value for name, value in arrays.items()}
    features = _first(what, by_name, FEATURES, "features")
    targets = _first(what, by_name, (spec.target.lower(),) if spec.target else TARGETS, "targets")
    train = samples_of(what, features, targets)
    if not any(name in by_name for name in TEST):
        return train, None
    test = [_first(what, by_name, (name,), "test samples") for name in TEST]
    return train, samples_of(f"{what}, test samples", *test)


def samples_of(what: str, features: Any, targets: Any) -> Samples:
    """Features (samples, ...) and targets (samples,) as samples. Raises DataError.

    Of a data frame the names of its columns are kept.
    """
    columns = tuple(str(name) for name in getattr(features, "columns", ()))
    real, shape, channels, are_bytes = feature_array(what, np.asarray(features), columns)
    texts = target_texts(what, np.asarray(targets))
    if len(texts) != len(real):
        raise DataError(f"{what}: must have a target a sample, found {len(texts)} for {len(real)}")
    return Samples(
        what=what,
        features=real,
        targets=texts,
        shape=shape,
        channels=channels,
        columns=columns,
        bytes_=are_bytes,
    )


def _first(what: str, arrays: Mapping[str, Any], names: tuple[str, ...], of: str) -> Any:
    for name in names:
        if name in arrays:
            return arrays[name]
    raise DataError(
        f"{what}: {of} must be an array called {' or '.join(names)}, found {several(list(arrays))}"
    )
