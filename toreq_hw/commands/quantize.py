"""`toreq-hw quantize`: a float model as a network, with an account of what is lost where."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt

from toreq_hw import data, network, sim
from toreq_hw.commands import console
from toreq_hw.commands.checked import checked_command
from toreq_hw.commands.numbers import Name, Numbers, Real, Whole
from toreq_hw.commands.options import (
    data_option,
    json_option,
    out_file_option,
    overwrite_option,
    samples_option,
    with_samples,
)
from toreq_hw.commands.paths import InputFile
from toreq_hw.commands.runs import current_run
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together, write_json
from toreq_hw.network import WeightFormat
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.quant.input_range import InputRange
    from toreq_hw.quant.mlp import Mlp

CALIBRATION = 5000
"""Training images, at most, by which an MLP's activations are scaled."""

FAR = 0.05
"""How much accuracy may be lost, or won by another input range, before a warning says so."""

POOR = 0.5
"""A float model below this accuracy was hardly trained for what it is measured on."""

_LARGEST = 1e30
"""Of the numbers that tell an input range."""


@checked_command(
    epilog="Example: toreq-hw quantize float.safetensors --weights int8 --state-bits 6 "
    "--out net.safetensors"
)
@click.argument("float_model", type=InputFile(Kind.FLOAT_MODEL, Kind.ONNX, Kind.PICKLE))
@data_option
@samples_option()
@click.option(
    "--weights",
    type=Name([f.value for f in WeightFormat]),
    default="int8",
    show_default=True,
    help="Weight format.",
)
@click.option("--state-bits", type=Whole(1, 8), default=8, show_default=True)
@click.option("--input-bits", type=Whole(1, 8), default=8, show_default=True)
@click.option(
    "--fraction-bits",
    type=Numbers(0, 15, 64),
    help="Of each coupling; default: least squared error.",
)
@click.option(
    "--input-scale",
    type=Real(0, _LARGEST, above=True),
    default=1.0,
    show_default=True,
    help="White in the model's inputs: it takes (scale p - mean) / std for pixels p over 0..1.",
)
@click.option(
    "--input-mean",
    type=Real(-_LARGEST, _LARGEST),
    default=0.0,
    show_default=True,
    help="See --input-scale; 0.1307 after torchvision's Normalize((0.1307,), (0.3081,)).",
)
@click.option(
    "--input-std",
    type=Real(0, _LARGEST, above=True),
    default=1.0,
    show_default=True,
    help="See --input-scale; 0.3081 in that example.",
)
@out_file_option()
@overwrite_option
@json_option
def command(
    float_model: Path,
    data_name: str,
    samples: int | None,
    weights: str,
    state_bits: int,
    input_bits: int,
    fraction_bits: tuple[int, ...] | None,
    input_scale: float,
    input_mean: float,
    input_std: float,
    out: Path,
    json_path: Path | None,
) -> None:
    """Quantise FLOAT_MODEL after training and measure it on a data set's test images.

    FLOAT_MODEL is an equilibrium model (.safetensors, as `toreq-hw train --engine torch
    --float-out` writes one), or a multilayer perceptron with ReLU between layers: float ONNX, or
    a torch state_dict saved as .safetensors (0.weight, 0.bias, 2.weight, ..). An MLP is scaled
    by its activations on training images (docs/quantisation.md).

    The model must have been trained on pixels over 0..1; --input-scale, --input-mean and
    --input-std tell of another range, which is folded into the first weights and biases.
    """
    try:
        from toreq_hw.quant.float_file import load_float
        from toreq_hw.quant.input_range import InputRange
        from toreq_hw.quant.mlp import Mlp, equilibrium_model
        from toreq_hw.quant.post_training import account, quantise_model
    except ModuleNotFoundError as error:
        raise missing("quantisation", error.name, "quant") from error
    model = load_float(float_model)
    dataset = with_samples(data.load(data_name), samples)
    sizes = (len(model.weights[0]), len(model.biases[-1]))
    if sizes != (dataset.pixels, dataset.classes):
        raise InputError(
            f"{float_model}: must have {dataset.pixels} inputs and {dataset.classes} outputs for "
            f"{dataset.name}, found {sizes[0]} and {sizes[1]}"
        )
    fed_forward = None
    warnings = []
    given = InputRange(input_scale, input_mean, input_std)
    if isinstance(model, Mlp):
        warnings += _other_range(model, given, dataset)
        model = given.fold(model)
        test = _real(dataset.test.images, dataset)
        fed_forward = _right(model.activations(test)[-1].argmax(axis=1), dataset)
        model = equilibrium_model(model, _real(dataset.train.images[:CALIBRATION], dataset))
    else:
        model = given.fold(model)
    kind = WeightFormat(weights)
    net, fits = quantise_model(model, kind, state_bits, input_bits, fraction_bits)
    report = account(model, net, fits, dataset)
    inputs = data.encode(dataset.test.images, dataset.pixel_max, net.input)
    accuracy = _right(sim.relax(net, inputs).classes, dataset)
    before = report.accuracy_float if fed_forward is None else fed_forward
    warnings += _lost(before, accuracy, dataset)
    record = {
        **asdict(report),
        "accuracy_fed_forward": fed_forward,
        "accuracy": accuracy,
        "data": dataset.name,
        "split": dataset.split,
        "weights": weights,
        "state_bits": state_bits,
        "input_bits": input_bits,
        "input_range": {"scale": input_scale, "mean": input_mean, "std": input_std},
        "warnings": warnings,
        "network_sha256": net.sha256,
        "versions": versions("torch"),
    }
    with together():
        network.save(net, out, run=current_run())
        if json_path:
            write_json(json_path, record)
    rows = [
        [
            error.coupling,
            str(error.fraction_bits),
            f"{100 * error.clipped_fraction:.2f} %",
            "exact" if error.sqnr_db is None else f"{error.sqnr_db:.1f} dB",
            f"{100 * error.sparsity:.0f} %",
            f"{100 * error.accuracy_alone:.2f} %",
        ]
        for error in report.couplings
    ]
    header = ["coupling", "fraction bits", "clipped", "SQNR", "zero", "accuracy, it alone"]
    console.output.print(console.table(f"{weights}, {state_bits}-bit states", header, rows))
    if fed_forward is not None:
        console.output.print(
            f"{dataset.name}: accuracy {100 * fed_forward:.2f} % of the MLP fed forward, before "
            "its layers were joined both ways"
        )
    console.output.print(
        f"{dataset.name}: accuracy {100 * report.accuracy_float:.2f} % in floats, "
        f"{100 * report.accuracy_weights:.2f} % with quantised weights, "
        f"{100 * accuracy:.2f} % with quantised states as well; wrote {out}"
    )
    for warning in warnings:
        console.messages.print(f"warning: {warning}")


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


def _lost(before: float, accuracy: float, dataset: Dataset) -> list[str]:
    """Warnings where the float model itself is poor, or the network far below it."""
    found = []
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


def _real(images: npt.NDArray[np.uint8], dataset: Dataset) -> npt.NDArray[np.float64]:
    """Pixels over 0..1, (batch, pixels)."""
    return images.reshape(len(images), -1) / float(dataset.pixel_max)


def _right(classes: npt.NDArray[np.int64], dataset: Dataset) -> float:
    return float(np.mean(classes == dataset.test.labels))
