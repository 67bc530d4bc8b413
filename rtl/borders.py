"""What a core's host code refuses before it packs it: bits that do not fit a field are cut."""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.errors import InputError
from toreq_hw.rtl.parameters import CoreParameters


@named_type_errors
def check_image(inputs: npt.ArrayLike, parameters: CoreParameters) -> npt.NDArray[np.int16]:
    """`inputs` as int16 (input.size,), every value in the input's range. Raises InputError."""
    placement = parameters.input
    found = whole_numbers(
        "inputs", inputs, (placement.size,), placement.state_min, placement.state_max
    )
    return found.astype(np.int16)


@named_type_errors
def check_label(label: int, parameters: CoreParameters) -> int:
    """`label` as an int that names an output neuron. Raises InputError."""
    whole = isinstance(label, int | np.integer) and not isinstance(label, bool)
    if not whole or not 0 <= label < parameters.classes:
        raise InputError(f"label must be in 0..{parameters.classes - 1}, not {label!r}")
    return int(label)
