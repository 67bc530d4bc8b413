"""`toreq-hw quantize`: a float model as a network, with an account of what is lost where."""

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from toreq_hw import data, network, sim
from toreq_hw.commands import console
from toreq_hw.commands.checked import checked_command
from toreq_hw.commands.numbers import Name, Numbers, Whole
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

CALIBRATION = 5000
"""Training images, at most, by which an MLP's activations are scaled."""


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
    out: Path,
    json_path: Path | None,
) -> None:
    """Quantise FLOAT_MODEL after training and measure it on a data set's test images.

    FLOAT_MODEL is an equilibrium model (.safetensors, as `toreq-hw train --engine torch
    --float-out` writes one), or a multilayer perceptron with ReLU between layers: float ONNX, or
    a torch state_dict saved as .safetensors (0.weight, 0.bias, 2.weight, ..). An MLP is scaled
    by its activations on training images (docs/quantisation.md).
    """
    try:
        from toreq_hw.quant.float_file import load_float
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
    if isinstance(model, Mlp):
        test = _real(dataset.test.images, dataset)
        fed_forward = _right(model.activations(test)[-1].argmax(axis=1), dataset)
        model = equilibrium_model(model, _real(dataset.train.images[:CALIBRATION], dataset))
    kind = WeightFormat(weights)
    net, fits = quantise_model(model, kind, state_bits, input_bits, fraction_bits)
    report = account(model, net, fits, dataset)
    inputs = data.encode(dataset.test.images, dataset.pixel_max, net.input)
    accuracy = _right(sim.relax(net, inputs).classes, dataset)
    record = {
        **asdict(report),
        "accuracy_fed_forward": fed_forward,
        "accuracy": accuracy,
        "data": dataset.name,
        "split": dataset.split,
        "weights": weights,
        "state_bits": state_bits,
        "input_bits": input_bits,
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


def _real(images: npt.NDArray[np.uint8], dataset: Dataset) -> npt.NDArray[np.float64]:
    """Pixels over 0..1, (batch, pixels)."""
    return images.reshape(len(images), -1) / float(dataset.pixel_max)


def _right(classes: npt.NDArray[np.int64], dataset: Dataset) -> float:
    return float(np.mean(classes == dataset.test.labels))
