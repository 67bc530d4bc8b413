"""`toreq-hw deploy --train`: a board learns over its link, and must learn what the simulator does.

`toreq_hw.commands.deploy` hands over to it where --train is given.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from toreq_hw import data, network
from toreq_hw.boards import registry
from toreq_hw.boards.board import Board
from toreq_hw.boards.choice import chosen_board
from toreq_hw.cli import console
from toreq_hw.cli.checked import Files, Values, checked_command
from toreq_hw.cli.numbers import MAX_COUNT, Name, PowerOfTwo, Whole
from toreq_hw.cli.options import (
    DataName,
    accumulator_register_option,
    board_file_option,
    json_option,
    out_file_option,
    overwrite_option,
    samples_option,
    seed_option,
    with_samples,
)
from toreq_hw.cli.paths import InputFile, OutputFile
from toreq_hw.cli.runs import current_run
from toreq_hw.cli.train_files import checkpoint_path, train_files
from toreq_hw.cli.train_options import integer_options
from toreq_hw.cli.train_start import begin_training
from toreq_hw.files import together, write_json
from toreq_hw.records.board_training import BoardTrainingRun, Spread
from toreq_hw.records.training import CheckpointNotes
from toreq_hw.rtl.placement import MOST_LANES as MOST
from toreq_hw.studies.board_training import BoardChoice, BoardStudy
from toreq_hw.targets.board import board_target, check_port

LANES, LEARN_LANES = 4, 1
"""Of a board that learns, unless asked otherwise."""

_EPILOG = """\b
Examples:
  toreq-hw deploy --target icebreaker --train digits --epochs 3 --port sim --out net.safetensors
  toreq-hw deploy --target icebreaker --train digits --resume net.checkpoint --epochs 40
    --port /dev/ttyUSB1 --out net.safetensors
  toreq-hw deploy --board-file my_board.toml --train digits --port sim --out net.safetensors
  toreq-hw train --resume net.checkpoint --out net.safetensors"""


def _files(values: Values) -> Files:
    """Those of `toreq-hw train`."""
    return train_files({**values, "engine": "integer"})


@checked_command(epilog=_EPILOG, files=_files)
@click.option("--target", "name", type=Name(registry.names()), help="The board that learns.")
@board_file_option("A board of your own in place of --target.")
@click.option(
    "--train",
    "data_name",
    type=DataName(),
    required=True,
    help="Data set whose samples it learns.",
)
@click.option("--port", help="Serial port of the board, or sim for the simulated one.")
@click.option(
    "--program", type=InputFile(), metavar="BITSTREAM", help="Put this onto the board first."
)
@click.option(
    "--lanes",
    type=PowerOfTwo(2, MOST),
    default=LANES,
    show_default=True,
    help="Of the core on the board.",
)
@click.option(
    "--learn-lanes",
    type=PowerOfTwo(1, MOST),
    default=LEARN_LANES,
    show_default=True,
    help="Synapses that it updates at once.",
)
@accumulator_register_option
@click.option(
    "--read-every",
    type=Whole(1, MAX_COUNT),
    help="Read latents back after every N samples too; default: after each epoch.",
)
@integer_options
@samples_option("Measure on the first N test images only.")
@out_file_option()
@overwrite_option
@click.option("--checkpoint", "checkpoint_path", type=OutputFile(), help="Default: beside --out.")
@seed_option
@json_option
def command(
    name: str | None,
    board_file: Path | None,
    port: str | None,
    program: Path | None,
    lanes: int,
    learn_lanes: int,
    accumulator_register: bool,
    read_every: int | None,
    out: Path,
    json_path: Path | None,
    **options: Any,
) -> int:
    """Let a board learn, sample by sample over its link, and compare it with the simulator.

    Network, rule, samples and their order are those of `toreq-hw train` with these options. Counts
    are compared after every sample; weights, latents, biases and the generator whenever the board
    is read back. A checkpoint is written then, which this command and `toreq-hw train` go on from
    with --resume. So is one on Ctrl-C and SIGTERM, after the last sample that was learned.
    Exit status: 0 everything is equal, 1 a difference, 2 bad usage or input, or no board.
    """
    board = chosen_board(name, board_file, "--target")
    checked = check_port(board, port, program)
    board_target(board).require()
    choice = BoardChoice(
        board=board,
        port=checked,
        lanes=lanes,
        learn_lanes=learn_lanes,
        accumulator_register=accumulator_register,
        program=program,
        read_every=read_every,
    )
    study = _study(options, choice, checkpoint_path(out, options["checkpoint_path"]))
    record = study.train()
    with together():
        if record.bit_exact:
            network.save(study.trainer.network(), out, run=current_run())
        if json_path:
            write_json(json_path, record)
    _show(record, board, out)
    return 0 if record.bit_exact and not record.faults else 1


def _study(options: Values, choice: BoardChoice, kept: Path | None) -> BoardStudy:
    """Where the training begins; its recipe is said once nothing can be refused any more."""
    started = begin_training(options)
    trainer, notes = started.trainer, started.notes
    dataset = _dataset(notes, options, trainer.blueprint.encoding)
    choice.core(trainer, notes.epochs)
    started.say()
    return BoardStudy(
        trainer=trainer,
        dataset=dataset,
        notes=notes,
        choice=choice,
        kept=kept,
        run=current_run(),
        screen=console.terminal,
    )


def _dataset(
    notes: CheckpointNotes, options: Mapping[str, Any], encoding: network.Encoding | None
) -> data.Dataset:
    """What is learned and measured."""
    dataset = data.load(notes.data, encoding)
    if notes.holdout:
        dataset = dataset.holding_out(notes.holdout)
    return with_samples(dataset, options["samples"])


def _show(record: BoardTrainingRun, board: Board, out: Path) -> None:
    """What a person reads: core time and time over the link told apart, and the verdict."""
    free, positive, negative, learn = record.phase_cycles or (0.0,) * 4
    rows = [
        ("samples learned", f"{record.samples:,}"),
        ("core, cycles a sample", f"{free + positive + negative + learn:,.0f}"),
        ("of these LEARN", f"{learn:,.0f}"),
        ("core, us a sample", _spread(record.core_us)),
        (f"{_line(record)} at {record.baud:,.0f} baud, us a sample", _number(record.link_us)),
        ("read back, s", f"{record.read_back_s:.3g}"),
        ("wall time of all, s", f"{record.wall_s:.3g}"),
        ("sent again, repeated, unheard", f"{record.retries}, {record.repeated}, {record.unheard}"),
        (
            "test accuracy",
            _number(record.accuracy),
        ),
    ]
    title = f"{record.target}, {record.form}: learned {record.data} over its link"
    console.output.print(console.table(title, ("figure", "value"), rows))
    if record.form == "simulated system":
        console.output.print(
            "Nothing ran on silicon: the system of a bitstream was simulated. Its line is as fast "
            f"as its UART allows; the board's has {board.baud:,} baud."
        )
    if record.faults:
        console.output.print(f"FAULTS: the board must raise none, found {_named(record.faults)}")
    if record.first_difference is not None:
        console.output.print(f"A DIFFERENCE: {record.first_difference}; nothing written to {out}")
        return
    verdict = "weights, latents, biases and generator equal the simulator's"
    console.output.print(f"{verdict}; wrote {out}, network {record.network_sha256[:12]}")


def _line(record: BoardTrainingRun) -> str:
    return "simulated line" if record.form == "simulated system" else "link"


def _named(faults: int) -> str:
    from toreq_hw.rtl.interfaces import Fault

    return ", ".join(fault.name for fault in Fault if faults >> fault & 1)


def _spread(value: Spread | None) -> str:
    if value is None:
        return "-"
    return f"mean {value.mean:.1f}, p50 {value.p50:.1f}, p95 {value.p95:.1f}, p99 {value.p99:.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
