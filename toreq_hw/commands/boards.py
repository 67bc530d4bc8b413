"""`toreq-hw boards`: the boards that there are, and whether a file of one's own is one."""

from pathlib import Path

from toreq_hw.boards import registry
from toreq_hw.boards.board import Board
from toreq_hw.boards.choice import chosen_board
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.options import board_file_option, json_option
from toreq_hw.files import write_json
from toreq_hw.records.boards import BoardFacts, Boards
from toreq_hw.versions import versions

_EPILOG = """\b
Examples:
  toreq-hw boards
  toreq-hw boards --board-file my_board.toml"""


@checked_command(epilog=_EPILOG)
@board_file_option("Check this board, and list it as well.")
@json_option
def command(board_file: Path | None, json_path: Path | None) -> None:
    """List the boards that synth and deploy know, with their devices, clocks and memories."""
    boards = [registry.get(name) for name in registry.names()]
    if board_file is not None:
        boards.append(chosen_board(None, board_file))
    facts = tuple(map(_facts, boards))
    if json_path:
        write_json(json_path, Boards(facts, versions()))
    console.output.print(
        console.table(
            "boards",
            ("--board", "what it is", "oscillator", "core's clock", "lanes", "block RAM", "SPRAM"),
            [
                (
                    one.name,
                    one.title,
                    f"{one.oscillator_hz / 1e6:g} MHz",
                    f"{one.clock_hz / 1e6:g} MHz",
                    str(one.lanes),
                    f"{one.block_ram_bits / 1024:,.0f} kbit",
                    f"{one.spram_bits / 1024:,.0f} kbit" if one.spram_bits else "-",
                )
                for one in facts
            ],
        )
    )


def _facts(board: Board) -> BoardFacts:
    capacity = board.capacity
    return BoardFacts(
        name=board.name,
        title=board.title,
        family=str(board.family),
        oscillator_hz=board.oscillator_hz,
        clock_hz=board.clock_hz,
        lanes=board.lanes,
        block_ram_bits=capacity.block_ram * capacity.block_ram_bits,
        spram_bits=capacity.spram * capacity.spram_bits,
        lut4=capacity.lut4,
        dsp=capacity.dsp,
        source=capacity.source,
    )
