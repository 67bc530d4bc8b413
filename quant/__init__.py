"""Offline training under quantisation, and networks carried in and out of ONNX.

Needs the extra `quant`. `train` trains by equilibrium propagation (or backpropagation, the
baseline) on torch tensors that hold the contract's integers; `quantise_model` quantises a float
model; `to_onnx`, `to_qonnx` and `read_onnx` are the way to other tools and back.
"""

from typing import TYPE_CHECKING

from toreq_hw.lazy_names import lazy_names

if TYPE_CHECKING:
    from toreq_hw.quant.float_file import load_float
    from toreq_hw.quant.float_model import FloatModel, save_float
    from toreq_hw.quant.loaders import load_torch
    from toreq_hw.quant.module import Equilibrium, EquilibriumModule
    from toreq_hw.quant.onnx_file import read_model, write_model
    from toreq_hw.quant.onnx_import import read_onnx
    from toreq_hw.quant.onnx_loop import to_onnx
    from toreq_hw.quant.onnx_run import OnnxRunner
    from toreq_hw.quant.options import Rule, TrainingOptions
    from toreq_hw.quant.post_training import quantise_model
    from toreq_hw.quant.qonnx_export import to_qonnx
    from toreq_hw.quant.training import Training, train

__all__ = [
    "Equilibrium",
    "EquilibriumModule",
    "FloatModel",
    "OnnxRunner",
    "Rule",
    "Training",
    "TrainingOptions",
    "load_float",
    "load_torch",
    "quantise_model",
    "read_model",
    "read_onnx",
    "save_float",
    "to_onnx",
    "to_qonnx",
    "train",
    "write_model",
]

__getattr__ = lazy_names(
    __name__,
    {
        "float_file": ("load_float",),
        "float_model": ("FloatModel", "save_float"),
        "loaders": ("load_torch",),
        "module": ("Equilibrium", "EquilibriumModule"),
        "onnx_file": ("read_model", "write_model"),
        "onnx_import": ("read_onnx",),
        "onnx_loop": ("to_onnx",),
        "onnx_run": ("OnnxRunner",),
        "options": ("Rule", "TrainingOptions"),
        "post_training": ("quantise_model",),
        "qonnx_export": ("to_qonnx",),
        "training": ("Training", "train"),
    },
    extra="quant",
)
