"""Reads float models: our own, a torch state_dict in safetensors, or an ONNX MLP.

Nothing that is read can run code, so pickles are refused.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import widen
from toreq_hw.errors import InputError, NetworkFileError
from toreq_hw.file_kinds import PICKLES
from toreq_hw.quant.float_model import FloatModel, from_tensors, is_equilibrium_model
from toreq_hw.quant.mlp import Mlp, from_state_dict
from toreq_hw.quant.real_layers import FLOAT32_MAX
from toreq_hw.quant.state_dict import COUNTER
from toreq_hw.reading import Tensors, read_beginning, read_tensors, shown

_MAX_FILE_BYTES = 1 << 32
"""As large as a network file may be."""


@named_type_errors
def load_float(path: Path) -> FloatModel | Mlp:
    """Reads and checks a float model. Raises NetworkFileError naming file and tensor or node."""
    beginning, _ = read_beginning(path, 9, NetworkFileError)
    if beginning.startswith(PICKLES) and not beginning.endswith(b"{"):  # as safetensors has it
        raise NetworkFileError(
            f"{path}: must be .safetensors or .onnx, found a pickle, which could run code when "
            "read; where you trust it, safetensors.torch.save_file(torch.load(PATH, "
            "weights_only=True), 'model.safetensors') converts a state_dict"
        )
    if path.suffix == ".onnx":
        from toreq_hw.quant.onnx_float import read_float_onnx

        try:
            return read_float_onnx(path)
        except InputError as error:
            raise NetworkFileError(f"{path}: {error}") from error
    tensors = _with_shared(read_tensors(path, _MAX_FILE_BYTES, NetworkFileError))
    try:
        values = {name: _values(name, tensor) for name, tensor in tensors.items()}
        return from_tensors(values) if is_equilibrium_model(values) else from_state_dict(values)
    except (InputError, NetworkFileError) as error:
        raise NetworkFileError(f"{path}: {error}") from error


def _with_shared(found: Tensors) -> dict[str, npt.NDArray[Any]]:
    """All tensors. safetensors' `save_model` keeps one of those that share their memory, and names
    it in the metadata under the names of the others.
    """
    shared = {
        name: found.arrays[kept]
        for name, kept in found.metadata.items()
        if kept in found.arrays and name not in found.arrays
    }
    return found.arrays | shared


def _values(name: str, tensor: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The tensor in float64, which holds every value of every format that is read."""
    if not np.issubdtype(tensor.dtype, np.floating) and not name.endswith(COUNTER):
        raise NetworkFileError(f"tensor {shown(name)}: must be floats, not {tensor.dtype}")
    with np.errstate(invalid="ignore"):  # signalling NaNs warn; they are refused below
        values = widen(tensor)
    if not np.isfinite(values).all():
        raise NetworkFileError(f"tensor {shown(name)}: must be finite, found NaN or infinity")
    if values.size and np.abs(values).max() > FLOAT32_MAX:
        raise NetworkFileError(
            f"tensor {shown(name)}: must be within the range of float32, +-3.4e38, found "
            f"{np.abs(values).max():.3g}"
        )
    return values
