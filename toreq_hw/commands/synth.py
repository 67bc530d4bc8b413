"""`toreq-hw synth`: a network becomes a board's bitstream, on open tools alone."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET

from toreq_hw import network
from toreq_hw.boards import registry
from toreq_hw.boards.choice import choice_name, chosen_board
from toreq_hw.boards.flow.stage import FOLDER
from toreq_hw.cli import console
from toreq_hw.cli.checked import Files, Values, checked_command
from toreq_hw.cli.learning_options import learning_choice, learning_options
from toreq_hw.cli.numbers import MAX_JOBS, MAX_SEEDS, Name, PowerOfTwo, Real, Whole
from toreq_hw.cli.options import (
    accumulator_register_option,
    board_file_option,
    json_option,
    network_argument,
    threshold_option,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.cli.stages import Stages
from toreq_hw.files import together, write_json
from toreq_hw.rtl.placement import MOST_LANES as MOST
from toreq_hw.studies.synthesis import needs
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.records.design import SynthesisRecord

_EPILOG = """\b
Examples:
  toreq-hw synth build/sim/network.safetensors --board icebreaker
  toreq-hw synth mnist.safetensors --board ulx3s_85f --lanes 64 --json ulx3s.json
  toreq-hw synth build/sim/network.safetensors --board-file my_board.toml
  toreq-hw synth mnist.safetensors --board ulx3s_85f --learning --learn-lanes 4 --latent-bits 12"""


def _files(values: Values) -> Files:
    """What is written into --out."""
    folder = values["out"] or FOLDER / choice_name(values["board_name"], values["board_file"])
    return Files(folders={"--out": (folder, ("record.json", "top.bin", "top.bit", "top.fs"))})


@checked_command(epilog=_EPILOG, files=_files)
@network_argument
@click.option("--board", "board_name", type=Name(registry.names()), help="Target.")
@board_file_option("Target in place of --board: a board of your own.")
@click.option("--lanes", type=PowerOfTwo(2, MOST), help="Sums a beat; default: as many as fit.")
@threshold_option
@accumulator_register_option
@learning_options
@click.option("--clock-mhz", type=Real(0, 10_000, above=True), help="Default: the board's.")
@click.option(
    "--seeds",
    type=Whole(1, MAX_SEEDS),
    default=5,
    show_default=True,
    help="Runs of place and route, with seeds 1 to N; the bitstream is that of the fastest.",
)
@click.option("--jobs", type=Whole(1, MAX_JOBS), help="Seeds at once; default: the cores at hand.")
@click.option("--out", type=OutputFolder(), help="Folder; default: build/synth/BOARD.")
@json_option
def command(
    network_path: Path,
    board_name: str | None,
    board_file: Path | None,
    lanes: int | None,
    threshold: int | None,
    accumulator_register: bool,
    clock_mhz: float | None,
    seeds: int,
    jobs: int | None,
    out: Path | None,
    json_path: Path | None,
    **learning: Any,
) -> int:
    """Build NETWORK for a board: synthesis, place and route for several seeds, bitstream.

    With --learning the core holds latents in place of weights, and learns (toreq-hw deploy
    --train).

    Finished stages are kept in build/synth/cache and not run again. Exit status: 0 built, 1 the
    clock is not met by any seed (no bitstream is written), 2 bad usage, bad input or a tool that
    failed.
    """
    choice = learning_choice(learning)
    net = network.load(network_path)
    needs()
    board = chosen_board(board_name, board_file)
    from toreq_hw.boards.flow.synthesis import Learning, Request, synthesise

    request = Request.of(
        net,
        board,
        lanes=lanes,
        clock_mhz=clock_mhz,
        seeds=seeds,
        jobs=jobs,
        out=out,
        threshold=threshold,
        learning=choice and Learning.alike(net, *choice),
        accumulator_register=accumulator_register,
    )
    with together():  # the bitstream and its record
        with Stages() as stages:
            record = synthesise(request, stages.watch)
        record = replace(record, versions=versions() | record.versions)
        for path in (request.out / "record.json", json_path):
            if path is not None:
                write_json(path, record)
    _show(record, request.out)
    return 0 if record.met else 1


def _show(record: "SynthesisRecord", out: Path) -> None:
    used, capacity = record.resources, record.capacity
    rows = [
        (name, str(number), f"{available}", f"{100 * number / available:.0f} %")
        for name, number, available in (
            ("LUT4", used.lut4, capacity.lut4),
            ("flip-flops", used.ff, capacity.ff),
            ("block RAM", used.block_ram, capacity.block_ram),
            ("SPRAM", used.spram, capacity.spram),
            ("DSP", used.dsp, capacity.dsp),
        )
        if available
    ]
    shape = "-".join(map(str, record.sizes))
    learns = "" if record.learn_lanes is UNSET else f", {record.learn_lanes} of them learn"
    held = "" if record.accumulator_register is UNSET else ", accumulator register"
    title = f"{shape}, {record.lanes} lanes{learns}{held} on {record.title}"
    console.output.print(console.table(title, ("resource", "used", "available", "share"), rows))
    seeds = len(record.placements)
    verdict = "met" if record.met else "NOT MET"
    console.output.print(
        f"clock {record.constraint_mhz:.2f} MHz {verdict}: {record.fmax_max_mhz:.2f} MHz in the "
        f"bitstream; over {seeds} seeds median {record.fmax_median_mhz:.2f}, "
        f"{record.fmax_min_mhz:.2f} to {record.fmax_max_mhz:.2f}"
    )
    if record.met:
        size = record.bitstream.size_bytes
        console.output.print(f"wrote {out / record.bitstream.file} ({size:,} bytes), record.json")
    else:
        console.output.print(
            "no bitstream: use a lower --clock-mhz or fewer lanes; wrote record.json"
        )
