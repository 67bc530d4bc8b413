"""Own data that are there as arrays already, as a function of `package.module:function` gives."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data.dataset import Dataset
from toreq_hw.data.own.functions import parts_given
from toreq_hw.data.own.loading import dataset_of
from toreq_hw.data.own.spec import Spec
from toreq_hw.network import Encoding


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
    found = parts_given(spec, values)
    if isinstance(found, Dataset):
        return found
    return replace(dataset_of(spec, found, encoding), name=name, source="")  # nothing to reload
