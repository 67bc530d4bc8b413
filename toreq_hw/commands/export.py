"""`toreq-hw export`: a network as an ONNX or QONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt

from toreq_hw import data, sim
from toreq_hw import network as network_file
from toreq_hw.cli import console
from toreq_hw.cli.checked import Files, Values, checked_command
from toreq_hw.cli.numbers import MAX_COUNT, Name, Whole
from toreq_hw.cli.options import (
    data_option,
    json_option,
    network_argument,
    out_file_option,
    samples_option,
)
from toreq_hw.contract.results import differing_samples
from toreq_hw.errors import InputError
from toreq_hw.extras import onnx_installed
from toreq_hw.files import draft_of, together, write_json
from toreq_hw.network import ConvolutionCoupling, Network
from toreq_hw.records.exchange import Exported, VerifiedExport
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from onnx import ModelProto

VERIFIED = 100
"""Test images of --verify where no number is given."""

EXPORT_SWEEPS = 40
"""Of a QONNX graph: above the 35 seen on trained MNIST networks."""


def _out(values: Values) -> Path:
    """Where the graph goes."""
    path: Path = values["network_path"].with_suffix(f".{values['file_format']}")
    return values["out"] or path


@checked_command(
    files=lambda values: Files(outputs={"--out": _out(values)}),
    epilog="Example: toreq-hw export build/sim/network.safetensors --format onnx "
    "--out build/network.onnx --verify 300 --data digits",
)
@network_argument
@click.option(
    "--format",
    "file_format",
    type=Name(["onnx", "qonnx"]),
    default="onnx",
    show_default=True,
    help="onnx: a Loop to quiescence in int32; qonnx: Quant nodes, sweeps unrolled, one sample.",
)
@click.option(
    "--sweeps", type=Whole(1, 1000), help=f"Sweeps of a qonnx graph.  [default: {EXPORT_SWEEPS}]"
)
@out_file_option("NETWORK with .FORMAT")
@click.option(
    "--verify",
    type=Whole(1, MAX_COUNT),
    is_flag=False,
    flag_value=VERIFIED,
    metavar="[N]",
    help=f"Run N ({VERIFIED}) test images of --data through the file in onnxruntime and through "
    "the simulator.",
)
@samples_option("The same as --verify N.")
@data_option
@json_option
def command(
    network_path: Path,
    file_format: str,
    sweeps: int | None,
    out: Path | None,
    verify: int | None,
    samples: int | None,
    data_name: str,
    json_path: Path | None,
) -> int:
    """Write the free phase of NETWORK, from input states to class and states, as an ONNX graph.

    A runtime computes the very states of `toreq-hw simulate`, bit for bit. With --verify the
    command shows it, and ends with status 1 where any state, class or count differs.
    """
    verify = samples or verify
    path = _out({"out": out, "network_path": network_path, "file_format": file_format})
    network = network_file.load(network_path)
    if sweeps is not None and file_format == "onnx":
        raise InputError("--sweeps must be left out with --format onnx, which loops to the end")
    if verify and file_format != "onnx":
        raise InputError("--verify must be left out with --format qonnx, which onnxruntime lacks")
    inputs = _test_inputs(network, data_name, verify) if verify else None
    with onnx_installed():
        from toreq_hw.quant.onnx_file import write_model
    model = _graph(network, file_format, EXPORT_SWEEPS if sweeps is None else sweeps)
    with together():
        write_model(model, path)
        differing = None
        if inputs is not None:
            differing = _differing(draft_of(path), network, inputs)
        if json_path:
            record = Exported(
                network_sha256=network.sha256,
                format=file_format,
                file=str(path),
                nodes=len(model.graph.node),
                operator_set=model.opset_import[0].version,
                verified=VerifiedExport(data_name, verify, differing),
                versions=versions("onnx"),
            )
            write_json(json_path, record)
    _say_written(path, network, file_format)
    if differing is not None:
        console.output.print(
            f"{verify} test images of {data_name} in onnxruntime and in the simulator: "
            f"{differing} with a differing state, class, status or number of sweeps"
        )
    return 1 if differing else 0


def _say_written(path: Path, network: Network, file_format: str) -> None:
    """Names the file, and convolutions that an ONNX graph holds as matrices."""
    from toreq_hw.quant.onnx_products import is_native

    console.output.print(f"{path}: {file_format} graph of network {network.sha256[:12]}")
    for coupling in network.couplings if file_format == "onnx" else ():
        if isinstance(coupling, ConvolutionCoupling) and not is_native(network, coupling):
            console.output.print(
                f"{coupling.name}: written as a matrix in int32, because sums of a Conv in float32 "
                "could pass 2^24"
            )


def _graph(network: Network, file_format: str, sweeps: int) -> "ModelProto":
    """The graph of a network. sweeps: of a qonnx graph; the other one loops to the end."""
    with onnx_installed():
        from toreq_hw.quant.onnx_loop import to_onnx
        from toreq_hw.quant.qonnx_export import to_qonnx
    return to_onnx(network) if file_format == "onnx" else to_qonnx(network, sweeps)


def _test_inputs(network: Network, data_name: str, images: int) -> npt.NDArray[np.int16]:
    """Input states of the first test images. Raises InputError where there are not as many."""
    dataset = data.load(data_name, network.encoding)
    if images > len(dataset.test) or dataset.pixels != network.input.size:
        raise InputError(
            f"--verify {images} must be of at most {len(dataset.test)} images of "
            f"{dataset.pixels} pixels ({data_name}); the network has {network.input.size} inputs"
        )
    shown = dataset.test.images[:images]
    return data.input_states(network, shown, dataset.pixel_max)


def _differing(path: Path, network: Network, inputs: npt.NDArray[np.int16]) -> int:
    """Images of which the file, as onnxruntime runs it, gives anything but the simulator's."""
    from toreq_hw.quant.onnx_file import read_model
    from toreq_hw.quant.onnx_run import OnnxRunner

    found = OnnxRunner(read_model(path), network)(inputs)
    expected = sim.free_phase(network, inputs)
    return int(differing_samples(expected, found).sum())
