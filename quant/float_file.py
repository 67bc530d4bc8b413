"""Reads float models: our own, a torch state_dict in safetensors, or an ONNX MLP.

Nothing that is read can run code, so pickles are refused.
"""

from pathlib import Path

import numpy as np

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.float_model import FloatModel, from_tensors
from toreq_hw.quant.mlp import Mlp, from_state_dict, is_state_dict
from toreq_hw.reading import read_beginning, read_tensors, shown

_MAX_BYTES = 1 << 32

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""What files of `torch.save` begin with, new and old."""


def load_float(path: Path) -> FloatModel | Mlp:
    """Reads and checks a float model. Raises NetworkFileError naming file and tensor or node."""
    beginning, _ = read_beginning(path, 4, NetworkFileError)
    if beginning.startswith(_PICKLES):
        raise NetworkFileError(
            f"{path}: must be .safetensors or .onnx, found a pickle, which could run code when "
            "read; where you trust it, safetensors.torch.save_file(torch.load(PATH, "
            "weights_only=True), 'model.safetensors') converts a state_dict"
        )
    if path.suffix == ".onnx":
        from toreq_hw.quant.onnx_float import read_float_onnx

        return read_float_onnx(path)
    tensors = read_tensors(path, _MAX_BYTES, NetworkFileError).arrays
    try:
        for name, tensor in tensors.items():
            if not np.issubdtype(tensor.dtype, np.floating):
                raise NetworkFileError(f"tensor {shown(name)}: must be floats, not {tensor.dtype}")
            if not np.isfinite(tensor).all():
                raise NetworkFileError(
                    f"tensor {shown(name)}: must be finite, found NaN or infinity"
                )
        return from_state_dict(tensors) if is_state_dict(tensors) else from_tensors(tensors)
    except NetworkFileError as error:
        raise NetworkFileError(f"{path}: {error}") from error
