"""`toreq-hw host`: a C host that loads a network into its board and runs images."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toreq_hw import data, network
from toreq_hw.boards import registry
from toreq_hw.boards.board import Board
from toreq_hw.boards.choice import check_choice, chosen_board
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command, overwriting
from toreq_hw.cli.export_folder import ExportFolder, remove
from toreq_hw.cli.numbers import Name, PowerOfTwo
from toreq_hw.cli.options import (
    accumulator_register_option,
    board_file_option,
    data_option,
    network_argument,
    out_folder_option,
    overwrites,
    threshold_option,
)
from toreq_hw.files import together, write_text
from toreq_hw.rtl.placement import MOST_LANES as MOST
from toreq_hw.studies.synthesis import needs

if TYPE_CHECKING:
    from toreq_hw.rtl.parameters import CoreParameters

_WRITTEN = (
    "toreq_link.h",
    "toreq_link.c",
    "main.c",
    "Makefile",
    "toreq_link_protocol.h",
    "toreq_network.h",
    "images.txt",
    "host.json",
)
IMAGES = 10
"""Of images.txt; the first test images."""

_EPILOG = """\b
Examples:
  toreq-hw host build/sim/network.safetensors --board icebreaker
  make -C build/host
  toreq-hw host build/sim/network.safetensors --board icebreaker --serve"""


@checked_command(epilog=_EPILOG)
@network_argument
@click.option("--board", "board_name", type=Name(registry.names()), help="Which holds the core.")
@board_file_option("In place of --board: a board of your own.")
@click.option("--lanes", type=PowerOfTwo(2, MOST), help="As of synth; default: as many as fit.")
@threshold_option
@accumulator_register_option
@click.option(
    "--serve",
    "serves",
    is_flag=True,
    help="Also offer the simulated board as a serial port, until Ctrl-C; and write images.txt.",
)
@data_option
@out_folder_option("build/host", *_WRITTEN)
@overwrites("Replace files in --out that no host was written as, or that were changed since.")
def command(
    network_path: Path,
    board_name: str | None,
    board_file: Path | None,
    lanes: int | None,
    threshold: int | None,
    accumulator_register: bool,
    serves: bool,
    data_name: str,
    out: Path,
) -> None:
    """Write a host in C99 for NETWORK on a board: driver, constants, weights and an example.

    The driver allocates nothing, and reaches the line through two functions of yours. The board
    must hold the bitstream that toreq-hw synth makes with the same options.

    With --serve no board is needed: the command prints the name of a port, behind which the
    simulated board answers. It answers slowly, so the host then waits for a minute.
    """
    check_choice(board_name, board_file)
    folder = ExportFolder.found(out, overwriting(), "host.json")
    folder.check(out / name for name in _WRITTEN if name != folder.manifest)
    net = network.load(network_path)
    needs()
    board = chosen_board(board_name, board_file)
    from toreq_hw.boards.fit.check import check_fit, lanes_that_fit
    from toreq_hw.boards.link.c_files import c_files

    lanes = lanes or lanes_that_fit(board, net, threshold)
    parameters = check_fit(board, net, lanes, threshold, accumulator_register=accumulator_register)
    texts = c_files(net, parameters, board, simulated=serves)
    if serves:
        texts["images.txt"] = _images(net, data_name)
    with together():
        for name, content in texts.items():
            write_text(out / name, content)
        stale = folder.keep(out / name for name in texts)
    remove(stale, out)
    console.output.print(f"wrote {', '.join(sorted(texts))} into {out}; run: make -C {out}")
    if serves:
        _serve(board, net, parameters, out)


def _images(net: network.Network, name: str) -> str:
    """The first test images as main.c reads them: a label and the values in a line each."""
    dataset = data.load(name, net.encoding)
    test = dataset.test.take(slice(0, IMAGES))
    inputs = data.input_states(net, test.images, dataset.pixel_max)
    return "".join(
        f"{label} {' '.join(map(str, values))}\n"
        for label, values in zip(test.labels.tolist(), inputs.tolist(), strict=True)
    )


def _serve(board: Board, net: network.Network, parameters: "CoreParameters", out: Path) -> None:
    """Prints the port and a command that uses it, and answers there; ends by Ctrl-C alone."""
    from toreq_hw.boards.link.served import behind_pseudoterminal
    from toreq_hw.boards.link.simulated import SimulatedTransport, compile_system
    from toreq_hw.rtl.images import MemoryImages
    from toreq_hw.rtl.timing import most_cycles

    images = MemoryImages.of(net, parameters)
    library = compile_system(parameters, images, board.clock_hz)
    line = SimulatedTransport(library, board.clock_hz)
    with behind_pseudoterminal(line, 2 * most_cycles(parameters)) as served:
        console.output.print(f"serving at {served.port}; Ctrl-C ends it")
        console.output.print(
            f"TOREQ_IMAGES={out / 'images.txt'} {out / 'host'} {served.port}", soft_wrap=True
        )
        sys.stdout.flush()
        served.serve()
