"""`toreq-hw host`: a C host that loads a network into its board and runs images."""

from pathlib import Path

import click

from toreq_hw import network
from toreq_hw.boards import registry
from toreq_hw.boards.choice import check_choice, chosen_board
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import Name, PowerOfTwo
from toreq_hw.cli.options import (
    board_file_option,
    network_argument,
    out_folder_option,
    threshold_option,
)
from toreq_hw.files import together, write_text
from toreq_hw.studies.synthesis import needs

_WRITTEN = (
    "toreq_link.h",
    "toreq_link.c",
    "main.c",
    "Makefile",
    "toreq_link_protocol.h",
    "toreq_network.h",
)
_EPILOG = """\b
Examples:
  toreq-hw host build/sim/network.safetensors --board icebreaker
  make -C build/host"""


@checked_command(epilog=_EPILOG)
@network_argument
@click.option("--board", "board_name", type=Name(registry.names()), help="Which holds the core.")
@board_file_option("In place of --board: a board of your own.")
@click.option("--lanes", type=PowerOfTwo(2, 64), help="As of synth; default: as many as fit.")
@threshold_option
@out_folder_option("build/host", *_WRITTEN)
def command(
    network_path: Path,
    board_name: str | None,
    board_file: Path | None,
    lanes: int | None,
    threshold: int | None,
    out: Path,
) -> None:
    """Write a host in C99 for NETWORK on a board: driver, constants, weights and an example.

    The driver allocates nothing, and reaches the line through two functions of yours. The board
    must hold the bitstream that toreq-hw synth makes with the same options.
    """
    check_choice(board_name, board_file)
    net = network.load(network_path)
    needs()
    board = chosen_board(board_name, board_file)
    from toreq_hw.boards.fit.check import check_fit, lanes_that_fit
    from toreq_hw.boards.link.c_files import c_files

    parameters = check_fit(board, net, lanes or lanes_that_fit(board, net, threshold), threshold)
    texts = c_files(net, parameters, board)
    with together():
        for name, content in texts.items():
            write_text(out / name, content)
    console.output.print(f"wrote {', '.join(sorted(texts))} into {out}; run: make -C {out}")
