"""`toreq-hw quantize`: a float model as a network, with an account of what is lost where."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from rich.table import Table

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.float_models import equilibrium_of, warnings_of_loss
from toreq_hw.cli.numbers import Name, Numbers, Real, Whole
from toreq_hw.cli.options import (
    data_option,
    json_option,
    out_file_option,
    overwrite_option,
    samples_option,
    with_samples,
)
from toreq_hw.cli.paths import InputFile
from toreq_hw.cli.runs import current_run
from toreq_hw.data import Dataset
from toreq_hw.extras import missing
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together, write_json
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.quantisation import InputScaling, QuantisationReport, Quantised
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.quant.fit import Fit
    from toreq_hw.quant.float_model import FloatModel
    from toreq_hw.quant.mlp import Mlp

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
    model, dataset = _load(float_model), with_samples(data.load(data_name), samples)
    from toreq_hw.quant.input_range import InputRange
    from toreq_hw.quant.post_training import quantise_model

    given = InputRange(input_scale, input_mean, input_std)
    prepared = equilibrium_of(model, float_model, given, dataset)
    net, fits = quantise_model(
        prepared.equilibrium, WeightFormat(weights), state_bits, input_bits, fraction_bits
    )
    report, net, accuracy = _measure(prepared.equilibrium, net, fits, dataset)
    record = Quantised(
        **vars(report),
        accuracy_fed_forward=prepared.accuracy_fed_forward,
        accuracy=accuracy,
        data=dataset.name,
        split=dataset.split,
        weights=weights,
        state_bits=state_bits,
        input_bits=input_bits,
        input_range=InputScaling(input_scale, input_mean, input_std),
        warnings=(*prepared.warnings, *warnings_of_loss(prepared, report, accuracy, dataset)),
        network_sha256=net.sha256,
        versions=versions("torch"),
    )
    _write(net, out, record, json_path)
    _print(record, out)


def _write(net: Network, out: Path, record: Quantised, json_path: Path | None) -> None:
    with together():
        network.save(net, out, run=current_run())
        if json_path:
            write_json(json_path, record)


def _load(path: Path) -> "FloatModel | Mlp":
    try:
        from toreq_hw.quant.float_file import load_float
    except ModuleNotFoundError as error:
        raise missing("quantisation", error.name, "quant") from error
    return load_float(path)


def _measure(
    model: "FloatModel", net: Network, fits: "tuple[Fit, ...]", dataset: Dataset
) -> tuple[QuantisationReport, Network, float]:
    """What each step of quantisation costs on the test images; the network, with the encoding of
    the data set, and its accuracy.
    """
    from toreq_hw.quant.post_training import account

    net = replace(net, encoding=dataset.encoding_of(net.input))
    inputs = data.input_states(net, dataset.test.images, dataset.pixel_max)
    accuracy = float(np.mean(sim.relax(net, inputs).classes == dataset.test.labels))
    return account(model, net, fits, dataset), net, accuracy


def _print(record: Quantised, out: Path) -> None:
    title = f"{record.weights}, {record.state_bits}-bit states"
    console.output.print(_table(record, title))
    name, fed_forward = record.data, record.accuracy_fed_forward
    if fed_forward is not None:
        console.output.print(
            f"{name}: accuracy {100 * fed_forward:.2f} % of the MLP fed forward, before "
            "its layers were joined both ways"
        )
    console.output.print(
        f"{name}: accuracy {100 * record.accuracy_float:.2f} % in floats, "
        f"{100 * record.accuracy_weights:.2f} % with quantised weights, "
        f"{100 * record.accuracy:.2f} % with quantised states as well; wrote {out}"
    )
    for warning in record.warnings:
        console.messages.print(f"warning: {warning}")


def _table(report: QuantisationReport, title: str) -> Table:
    """What quantising each coupling cost."""
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
    return console.table(title, header, rows)
