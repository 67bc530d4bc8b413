"""`toreq-hw import`: a network from an ONNX file."""

from pathlib import Path

import click

from toreq_hw import network as network_file
from toreq_hw.cli import console
from toreq_hw.cli.checked import Files, Values, checked_command
from toreq_hw.cli.import_report import describe
from toreq_hw.cli.options import json_option, out_file_option, overwrite_option
from toreq_hw.cli.paths import InputFile
from toreq_hw.cli.runs import current_run
from toreq_hw.extras import onnx_installed
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together, write_json
from toreq_hw.records.exchange import Imported
from toreq_hw.versions import versions


def _out(values: Values) -> Path:
    """Where the network goes."""
    path: Path = values["file"].with_suffix(".safetensors")
    return values["out"] or path


@checked_command(
    files=lambda values: Files(outputs={"--out": _out(values)}),
    epilog="Example: toreq-hw import build/network.onnx --out build/back.safetensors",
)
@click.argument("file", type=InputFile(Kind.ONNX))
@out_file_option("FILE with .safetensors")
@overwrite_option
@json_option
def command(file: Path, out: Path | None, json_path: Path | None) -> None:
    """Read FILE and write the network it holds.

    A file of `toreq-hw export` gives back the same network to the bit. A plain quantised MLP
    (Brevitas, QONNX or QCDQ) gives a network to start training from: couplings carry activity both
    ways, so its states are not the MLP's. With the feedback left out they are: the graph is run,
    and each layer compared.
    """
    path = _out({"file": file, "out": out})
    with onnx_installed():
        from toreq_hw.quant.onnx_import import read_onnx
    network, carried = read_onnx(file)
    with together():
        network_file.save(network, path, run=current_run())
        if json_path:
            record = Imported(network.sha256, str(path), carried, versions("onnx"))
            write_json(json_path, record)
    kind = "starting network of an MLP" if carried else "network as it was exported"
    console.output.print(f"{path}: {kind}, {network.sha256[:12]}")
    for line in describe(carried):
        console.output.print(line)
