"""`toreq-hw import`: a network from an ONNX file."""

from dataclasses import asdict
from pathlib import Path

import click

from toreq_hw import network as network_file
from toreq_hw.commands.export import onnx_installed
from toreq_hw.commands.options import check_writable, json_option
from toreq_hw.files import write_json
from toreq_hw.versions import versions


@click.command(epilog="Example: toreq-hw import build/network.onnx --out build/back.safetensors")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="[default: FILE with .safetensors]")
@json_option
def command(file: Path, out: Path | None, json_path: Path | None) -> None:
    """Read FILE and write the network it holds.

    A file of `toreq-hw export` gives back the same network to the bit. A plain quantised MLP
    (Brevitas or QONNX) gives a network to start training from: couplings carry activity both
    ways, so its states are not the MLP's.
    """
    path = out or file.with_suffix(".safetensors")
    check_writable(path, json_path)
    with onnx_installed():
        from toreq_hw.quant.onnx_import import read_onnx
    network, carried = read_onnx(file)
    network_file.save(network, path)
    if json_path:
        record = {
            "network_sha256": network.sha256,
            "file": str(path),
            "couplings": [asdict(c) for c in carried],
            "versions": versions("onnx"),
        }
        write_json(json_path, record)
    kind = "starting network of an MLP" if carried else "network as it was exported"
    click.echo(f"{path}: {kind}, {network.sha256[:12]}")
    for coupling in carried:
        how = "same integers" if coupling.exact else f"rounded, SQNR {coupling.sqnr_db:.1f} dB"
        click.echo(f"  {coupling.coupling}: {how}, {coupling.clipped_fraction:.2%} clipped")
