"""A float model that a user brings: its size, its input range, and what a warning must say."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw.data import Dataset
from toreq_hw.errors import InputError

if TYPE_CHECKING:
    from toreq_hw.quant.float_model import FloatModel
    from toreq_hw.quant.input_range import InputRange
    from toreq_hw.quant.mlp import Mlp
    from toreq_hw.records.quantisation import QuantisationReport

CALIBRATION = 5000
"""Training images, at most, by which an MLP's activations are scaled."""

FAR = 0.05
"""How much accuracy may be lost, or won by another input range, before a warning says so."""

POOR = 0.5
"""A float model below this accuracy was hardly trained for what it is measured on."""


@dataclass(frozen=True)
class Prepared:
    """An equilibrium model of pixels over 0..1, ready to be quantised.

    accuracy_fed_forward: of the multilayer perceptron it was made of, on the test images; None
    for a model that was an equilibrium model.
    """

    equilibrium: "FloatModel"
    accuracy_fed_forward: float | None
    warnings: tuple[str, ...]


def equilibrium_of(
    model: "FloatModel | Mlp", path: Path, given: "InputRange", dataset: Dataset
) -> Prepared:
    """The model of file `path` as an equilibrium model; an MLP is scaled by its activations.

    Raises InputError where the model's inputs or outputs are not those of the data set.
    """
    from toreq_hw.quant.mlp import Mlp, equilibrium_model

    sizes = (len(model.weights[0]), len(model.biases[-1]))
    if sizes != (dataset.pixels, dataset.classes):
        raise InputError(
            f"{path}: must have {dataset.pixels} inputs and {dataset.classes} outputs for "
            f"{dataset.name}, found {sizes[0]} and {sizes[1]}"
        )
    if not isinstance(model, Mlp):
        return Prepared(given.fold(model), None, ())
    warnings = _other_range(model, given, dataset)
    folded = given.fold(model)
    classes = folded.activations(_real(dataset.test.images, dataset))[-1].argmax(axis=1)
    return Prepared(
        equilibrium_model(folded, _real(dataset.train.images[:CALIBRATION], dataset)),
        float(np.mean(classes == dataset.test.labels)),
        tuple(warnings),
    )


def warnings_of_loss(
    model: Prepared, report: "QuantisationReport", accuracy: float, dataset: Dataset
) -> list[str]:
    """Warnings where the float model itself is poor, or the network far below it."""
    found = []
    fed_forward = model.accuracy_fed_forward
    before = report.accuracy_float if fed_forward is None else fed_forward
    if before < POOR:
        found.append(
            f"the float model is right on only {100 * before:.1f} % of {dataset.name}'s test "
            "images; it must have been trained on this data set, with ReLU between layers, on "
            "inputs as --input-scale, --input-mean and --input-std say"
        )
    if accuracy < before - FAR:
        found.append(
            f"the network's accuracy, {100 * accuracy:.1f} %, is far below the float model's, "
            f"{100 * before:.1f} %; `toreq-hw train --from` goes on from the network"
        )
    return found


def _other_range(model: "Mlp", given: "InputRange", dataset: Dataset) -> list[str]:
    """A warning where the MLP is right far more often on inputs of another usual range."""
    from toreq_hw.quant.input_range import usual_ranges

    images, labels = dataset.train.images[:CALIBRATION], dataset.train.labels[:CALIBRATION]
    real = _real(images, dataset)

    def right(inputs: "InputRange") -> float:
        return float(np.mean(inputs.fold(model).activations(real)[-1].argmax(axis=1) == labels))

    now = right(given)
    found = {said: right(one) for said, one in usual_ranges(images, dataset.pixel_max).items()}
    best = max(found, key=lambda said: found[said])
    if found[best] < now + FAR:
        return []
    return [
        f"the MLP fed forward is right on {100 * now:.1f} % of {len(labels)} training images, and "
        f"on {100 * found[best]:.1f} % with {best}; give the input range that it was trained on"
    ]


def _real(images: npt.NDArray[np.uint8], dataset: Dataset) -> npt.NDArray[np.float64]:
    """Pixels over 0..1, (batch, pixels)."""
    return images.reshape(len(images), -1) / float(dataset.pixel_max)
