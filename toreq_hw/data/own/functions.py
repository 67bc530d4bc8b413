"""Data that a function of somebody's own makes: `package.module:function`."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toreq_hw.data.dataset import Dataset
from toreq_hw.data.own.arrays import Parts, parts_of, samples_of
from toreq_hw.data.own.spec import Spec
from toreq_hw.errors import DataError, ToreqError
from toreq_hw.reading import shown


def call_function(spec: Spec) -> Parts | Dataset:
    """What the function gives, called without arguments.

    It is found as `python -m` finds a module: in the current folder, then among what is installed.
    It gives a `Dataset`; (features, targets); the same of training and then of test samples; or
    arrays by the names that .npz files have. Raises DataError for anything else.
    """
    module, _, name = spec.source.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), name)()
    except ToreqError:
        raise
    except Exception as error:  # whatever somebody's own code raises
        said = str(error).splitlines()[0] if str(error) else ""
        raise DataError(
            f"{spec.source}: must give data, found {type(error).__name__}: {said:.120}"
        ) from error
    finally:
        sys.path.remove(here)
    return parts_given(spec, found)


def parts_given(spec: Spec, found: Any) -> Parts | Dataset:
    """What a function gave: a data set as it is, else its samples. Raises DataError."""
    if isinstance(found, Dataset):
        return found
    if isinstance(found, Mapping):
        return parts_of(spec.source, found, spec)
    if spec.target or spec.drop:
        raise DataError(f"{spec.source}: target and drop must be left out with a function's pair")
    if isinstance(found, tuple) and len(found) in (2, 4):
        train = samples_of(spec.source, found[0], found[1])
        return train, samples_of(spec.source, *found[2:]) if found[2:] else None
    raise DataError(
        f"{spec.source}: must give (features, targets), those of training and test samples, "
        f"arrays by name, or a Dataset, found {shown(type(found).__name__)}"
    )
