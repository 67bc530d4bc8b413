"""Own data that are there as arrays already, as a function of `package.module:function` gives."""

from collections.abc import Mapping
from typing import Any

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data.dataset import Dataset
from toreq_hw.data.own.functions import _parts
from toreq_hw.data.own.loading import _encoded, _encoding, _selected, _split
from toreq_hw.data.own.spec import Spec
from toreq_hw.network import Encoding
from toreq_hw.network.encoding import PIXEL_MAX


def is_in_memory(value: object) -> bool:
    """Whether a value is of a form that `of_arrays` takes."""
    return isinstance(value, tuple | Mapping)


@named_type_errors
def of_arrays(
    values: Any,
    encoding: Encoding | None = None,
    *,
    name: str = "arrays",
    split: str | None = None,
    scale: str | None = None,
) -> Dataset:
    """The data set of (features, targets), of four such arrays, or of arrays by name.

    Four are those of training, then of test samples. Features: (samples, features) or images, with
    a data frame's names of columns; targets: (samples,), whole numbers or texts. Names are those of
    .npz files. encoding: of the network that is to read them. name: in errors and records. split,
    scale: as in docs/data.md. Raises DataError for anything else.
    """
    spec = Spec(name, split=split, scale=scale)
    found = _parts(spec, values)
    if isinstance(found, Dataset):
        return found
    train, test, said = _split(spec, *found)
    encoding = _encoding(spec, train) if encoding is None else encoding
    if encoding.columns:
        train, test = (_selected(part, encoding.columns) for part in (train, test))
    return Dataset(
        name=name,
        shape=train.shape,
        pixel_max=PIXEL_MAX,
        classes=len(encoding.classes) or len(set(train.targets)),
        split=f"{len(train.targets):,} training and {len(test.targets):,} test samples, {said}",
        train=_encoded(train, encoding),
        test=_encoded(test, encoding),
        channels=train.channels,
        encoding=encoding,
    )
