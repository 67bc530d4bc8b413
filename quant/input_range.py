"""Folds the input range that a float model was trained on into its first weights and biases."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import reals
from toreq_hw.errors import InputError
from toreq_hw.quant.float_model import FloatModel
from toreq_hw.quant.mlp import Mlp
from toreq_hw.quant.real_layers import FLOAT32_MAX

_Model = TypeVar("_Model", FloatModel, Mlp)


@named_type_errors
@dataclass(frozen=True, eq=False)
class InputRange:
    """The model takes (scale p - mean) / std for a pixel p over 0..1.

    Each is one number, or one per pixel, shape (n_input,). torchvision's Normalize(mean, std)
    behind ToTensor is scale 1; pixels over 0..255 as they are have scale 255. Raises InputError for
    values that are not finite, and for a scale or std that is not above 0.
    """

    scale: npt.ArrayLike = 1.0
    mean: npt.ArrayLike = 0.0
    std: npt.ArrayLike = 1.0

    def __post_init__(self) -> None:
        tiny = float(np.finfo(np.float32).tiny)
        for name, least in (("scale", tiny), ("mean", -FLOAT32_MAX), ("std", tiny)):
            value = np.asarray(getattr(self, name))
            shape = ("pixels",) if value.ndim else ()
            reals(f"input {name}", value, shape, least, FLOAT32_MAX)

    def fold(self, model: _Model) -> _Model:
        """A model of pixels over 0..1 that gives what `model` gives for this range.

        Exact but for rounding: only the weights and biases behind the input change. Raises
        InputError for another number of pixels, or weights that leave the range of float32.
        """
        weight, bias = model.weights[0], model.biases[0]
        for name in ("scale", "mean", "std"):
            length = np.asarray(getattr(self, name)).shape
            if length not in ((), (len(weight),)):
                raise InputError(f"input {name} must be one number or {len(weight)}, not {length}")
        std = np.asarray(self.std, np.float64)
        factor = np.broadcast_to(np.asarray(self.scale, np.float64) / std, len(weight))
        offset = np.broadcast_to(np.asarray(self.mean, np.float64) / std, len(weight))
        return replace(
            model,
            weights=(weight * factor[:, None], *model.weights[1:]),
            biases=(bias - offset @ weight, *model.biases[1:]),
        )


@named_type_errors
def usual_ranges(images: npt.NDArray[np.uint8], pixel_max: int) -> dict[str, InputRange]:
    """What models are often trained on, by the options of `quantize` that say so.

    images: uint8 (samples, pixels), for the mean and standard deviation of all their pixels.
    """
    real = images / pixel_max
    mean, std = float(real.mean()), max(float(real.std()), 1e-6)
    ranges = {"--input-scale 1": InputRange()}
    for white in sorted({pixel_max, 255}):
        ranges[f"--input-scale {white}"] = InputRange(scale=white)
    ranges["--input-mean 0.5 --input-std 0.5"] = InputRange(mean=0.5, std=0.5)
    ranges[f"--input-mean {mean:.4f} --input-std {std:.4f}"] = InputRange(mean=mean, std=std)
    return ranges
