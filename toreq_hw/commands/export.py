"""`toreq-hw export`: a network as an ONNX or QONNX file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from toreq_hw import network as network_file
from toreq_hw.commands.options import check_writable, json_option, network_argument
from toreq_hw.errors import InputError, MissingDependencyError
from toreq_hw.files import write_json
from toreq_hw.versions import versions

EXPORT_SWEEPS = 40
"""Of a QONNX graph: above the 35 seen on trained MNIST networks."""


@contextmanager
def onnx_installed() -> Iterator[None]:
    """Turns an absent onnx package into one line that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{error.name} must be installed for ONNX: pip install 'toreq-hw[quant]' "
            "or make quant-test"
        ) from error


@click.command(
    epilog="Example: toreq-hw export build/sim/network.safetensors --format onnx "
    "--out build/network.onnx"
)
@network_argument
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["onnx", "qonnx"]),
    default="onnx",
    show_default=True,
    help="onnx: a Loop to quiescence in int32; qonnx: Quant nodes, sweeps unrolled, one sample.",
)
@click.option("--sweeps", type=int, help=f"Sweeps of a qonnx graph.  [default: {EXPORT_SWEEPS}]")
@click.option("--out", type=click.Path(path_type=Path), help="[default: NETWORK with .FORMAT]")
@json_option
def command(
    network_path: Path,
    file_format: str,
    sweeps: int | None,
    out: Path | None,
    json_path: Path | None,
) -> None:
    """Write the free phase of NETWORK, from input states to class and states, as an ONNX graph.

    A runtime computes the very states of `toreq-hw simulate`, bit for bit.
    """
    path = out or network_path.with_suffix(f".{file_format}")
    check_writable(path, json_path)
    network = network_file.load(network_path)
    if sweeps is not None and file_format == "onnx":
        raise InputError("--sweeps must be left out with --format onnx, which loops to the end")
    with onnx_installed():
        from toreq_hw.quant.onnx_file import write_model
        from toreq_hw.quant.onnx_loop import to_onnx
        from toreq_hw.quant.qonnx_export import to_qonnx
    if file_format == "onnx":
        model = to_onnx(network)
    else:
        model = to_qonnx(network, EXPORT_SWEEPS if sweeps is None else sweeps)
    write_model(model, path)
    if json_path:
        record = {
            "network_sha256": network.sha256,
            "format": file_format,
            "file": str(path),
            "nodes": len(model.graph.node),
            "operator_set": model.opset_import[0].version,
            "versions": versions("onnx"),
        }
        write_json(json_path, record)
    click.echo(f"{path}: {file_format} graph of network {network.sha256[:12]}")
