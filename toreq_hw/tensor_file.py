"""Writing `.safetensors`: the one place of the project that does.

safetensors 0.8 writes the memory of an array as it lies. For an array that is not contiguous in
C order that is another array, or memory that is no part of it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save


def tensor_bytes(
    tensors: Mapping[str, npt.NDArray[Any]], metadata: dict[str, str] | None = None
) -> bytes:
    """The content of a `.safetensors` file that holds these values, whatever their layout.

    tensors: arrays of any shape, strides and byte order, by name. metadata: text by name.
    """
    stored = {
        name: np.asarray(tensor, dtype=tensor.dtype.newbyteorder("<"), order="C")
        for name, tensor in tensors.items()
    }
    return save(stored, metadata=metadata)
