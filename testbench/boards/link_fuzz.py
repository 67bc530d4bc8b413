"""Random, mutated, reordered and overlapping frames, against the model of the protocol.

python -m testbench.boards.link_fuzz --frames 100000    (make link-fuzz)

The board is the small one without UART. Each answer must be the model's, each result the
simulator's for the network whose rows were loaded. A frame that is broken on the line must have no
answer; two that overlap must leave a board that answers RESET. In the end the board must run the
network that the model says is loaded, or none.
"""

import random
import sys
import time
from dataclasses import replace
from functools import cache

import click
import numpy as np

from testbench.boards.random_requests import RandomRequests
from testbench.boards.reference import Reference
from testbench.boards.simulated_board import differences
from testbench.boards.small_board import (
    CLOSED,
    NETWORK,
    PARAMETERS,
    PATIENCE,
    SmallBoard,
    answer,
    frames_of,
)
from testbench.rtl.model import Model, Phase
from toreq_hw.boards.link.protocol import Code, Frame, ImageFlag, Request, State
from toreq_hw.boards.link.results import result
from toreq_hw.errors import ToreqError
from toreq_hw.network import Network
from toreq_hw.rtl.phases import Command


class MismatchError(Exception):
    """The board did not do what docs/link.md says; the message has the frame."""


@cache
def network_of(rows: tuple[tuple[int, bytes], ...]) -> Network:
    """The network of two and two neurons whose load has these rows."""
    weights = [[row[0] >> 2 * k & 3 for k in range(2)] for space, row in rows if space == 0]
    biases = [int.from_bytes(row, "big") for space, row in rows if space != 0]
    signs = np.array([0, 1, 2, -1], np.int8)
    wide = 1 << PARAMETERS.bias_bits
    signed = [(b % wide + wide // 2) % wide - wide // 2 for b in biases]
    half = PARAMETERS.relaxing[0].half
    coupling = NETWORK.couplings[0].with_parameters(signs[np.array(weights)])
    return replace(
        NETWORK,
        couplings=(coupling,),
        biases={"output": np.array(signed, np.int32) - np.int32(half)},
    )


@cache
def expected(
    rows: tuple[tuple[int, bytes], ...], image: tuple[int, ...], limit: int, label: int
) -> list[Phase]:
    """The three phases of an image, as the simulator has them."""
    inputs = np.array([image], np.int16)
    return Model(network_of(rows), PARAMETERS, limit).phases(inputs, np.array([label]))[0]


class Fuzz:
    """One campaign from one seed. counts: frames by what was done with them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.board = SmallBoard()
        self.model = Reference(PARAMETERS)
        self.requests = RandomRequests(self.random)
        self.limit = self.label = 0
        self.raised = -1
        self.counts: dict[str, int] = {}

    def run(self, frames: int) -> None:
        """Sends `frames` frames and more, then asks the board what it holds."""
        done = 0
        while done < frames:
            script = self.requests.script()
            for kind, payload in script:
                self.one(kind, payload)
            done += len(script)
        self.end()

    def end(self) -> None:
        """The board answers, and runs the network that the model says, or none."""
        self.one(Request.RESET, b"")
        self.one(Request.IDENTIFY, b"")
        flags = ImageFlag.FIRST | ImageFlag.LAST | ImageFlag.REPORT
        self.one(Request.IMAGE, bytes([flags, 0, 9, 3, 5]))

    def one(self, kind: int, payload: bytes) -> None:
        """A frame, in one of the ways in which frames come."""
        way = self.random.random()
        self.board.sequence = (self.board.sequence + 1) % 256
        if way < 0.03:
            self.board.sequence = self.model.sequence
        elif way < 0.05:
            self.board.sequence = self.random.randrange(256)
        frame = Frame(self.board.sequence, kind, payload)
        if 0.1 < way < 0.16:
            self.broken(frame)
        elif 0.16 < way < 0.22:
            self.overlapping(frame)
        else:
            self.asked(frame)

    def asked(self, frame: Frame) -> None:
        """A whole frame, and the answer to it."""
        self.count("answered")
        before = self.model.follows
        code = self.model.answer(frame)
        self.board.line.write(frame.encode())
        found = answer(frame, self.board.line.wait(PATIENCE, closed=CLOSED))
        wanted = (code, self.model.state())
        if found is None or found[:2] != wanted:
            raise MismatchError(f"{frame}: expected {wanted}, got {found}")
        if code is Code.OK:
            self.check_data(frame, found[2], before)
        elif found[2]:
            raise MismatchError(f"{frame}: expected no data, got {found[2].hex()}")

    def check_data(self, frame: Frame, data: bytes, before: int) -> None:
        """What follows OK."""
        if frame.type == Request.IMAGE and frame.payload[0] & ImageFlag.FIRST:
            self.limit = int.from_bytes(frame.payload[1:3], "big")
        if frame.type == Request.IMAGE and frame.payload[0] & ImageFlag.LAST:
            self.check_phase(frame, data, 0)
        elif frame.type == Request.NUDGE:
            self.label = int.from_bytes(frame.payload[1:3], "big")
            if before == Command.NUDGE_POSITIVE.value:
                self.raised = self.label
            self.check_phase(frame, data, before)
        elif frame.type not in (Request.IDENTIFY, Request.STATUS) and data:
            raise MismatchError(f"{frame}: expected no data, got {data.hex()}")

    def check_phase(self, frame: Frame, data: bytes, phase: int) -> None:
        """A result is the simulator's, states and counters."""
        self.count("results")
        model = self.model
        assert model.loaded is not None
        image = tuple(model.ran.get(k, 0) for k in range(PARAMETERS.input.size))
        found = result(data, PARAMETERS)
        if (found.states is not None) != model.reports:
            raise MismatchError(f"{frame}: expected states only if asked for")
        phases = expected(tuple(model.loaded), image, self.limit, self.label)
        wrong = differences((found,), phases[phase:])
        if wrong:
            raise MismatchError(f"{frame}: {wrong[0]}")

    def broken(self, frame: Frame) -> None:
        """A frame with bits flipped, bytes lost or doubled: no answer, unless it is still whole."""
        self.count("broken")
        sent = bytearray(frame.encode())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(sent))
            how = self.random.randrange(3)
            if how == 0:
                sent[at] ^= 1 << self.random.randrange(8)
            elif how == 1:
                del sent[at]
            else:
                sent.insert(at, self.random.choice((0x7D, self.random.randrange(256))))
            if not sent:
                return
        whole = frames_of(bytes(sent))
        self.board.line.write(bytes([0x7E]) + bytes(sent) + bytes([0x7E]))
        received = self.board.line.wait(PATIENCE)
        if not whole:
            if received:
                raise MismatchError(f"{sent.hex()}: expected silence, got {received.hex()}")
            return
        self.settle(whole)

    def overlapping(self, frame: Frame) -> None:
        """Another frame, or a RESET or IDENTIFY, before the answer to this one is over."""
        self.count("overlapping")
        line, others = self.board.line, [(Request.RESET, b""), (Request.IDENTIFY, b"")]
        drawn = self.random.choice([*others, self.requests.step()])
        other = Frame((frame.sequence + 1) % 256, *drawn)
        self.board.sequence = other.sequence
        line.write(frame.encode())
        line.wait(self.random.choice((1, 10, 40, 200)), self.random.choice((1, 1, 3, 9)))
        line.write(other.encode())
        replies = frames_of(line.wait(PATIENCE))
        urgent = other.type in (Request.RESET, Request.IDENTIFY) and not other.payload
        if urgent and other.sequence not in [reply.sequence for reply in replies]:
            raise MismatchError(f"{frame}, then {other}: expected an answer, got {replies}")
        self.settle([frame, other])

    def settle(self, frames: list[Frame]) -> None:
        """Frames of which some were taken: what may be loaded is, then both begin from one state.

        A board may be loaded only if it was, or one of the frames ended a load that was whole.
        """
        could = self.model.loaded
        begun = self.model.rows if self.model.loading else None
        for frame in frames:
            self.model.answer(frame)
            could = self.model.loaded or could
        self.board.sequence = (self.board.sequence + 1) % 256
        found = self.board.ask(Request.STATUS)
        if found is None:
            raise MismatchError(f"{frames}: the board must answer STATUS, it was silent")
        if State.LOADED in found[1] and could is None:
            raise MismatchError(f"{frames}: nothing may be loaded, found {found[1]} after {begun}")
        self.model.loaded = could if State.LOADED in found[1] else None
        self.model.loading = False
        for kind in (
            (Request.RESET, Request.BEGIN) if State.LOADING in found[1] else (Request.RESET,)
        ):
            reply = self.board.ask(kind)
            if reply is None or reply[0] is not Code.OK:
                raise MismatchError(f"{frames}: the board must answer {kind.name}, got {reply}")
            self.model.answer(Frame(self.board.sequence, kind))

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


@click.command()
@click.option("--frames", default=100_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
def command(frames: int, seed: int) -> None:
    """Send FRAMES frames in campaigns of 2,000, each to a board just switched on."""
    began, counts = time.process_time(), dict[str, int]()
    for number in range(-(-frames // 2_000)):
        fuzz = Fuzz(seed * 1_000_000 + number)
        try:
            fuzz.run(min(2_000, frames - 2_000 * number))
        except (MismatchError, ToreqError, AssertionError) as error:
            click.echo(f"FAIL link-fuzz, seed {seed * 1_000_000 + number}: {error}")
            sys.exit(1)
        fuzz.board.close()
        for what, count in fuzz.counts.items():
            counts[what] = counts.get(what, 0) + count
        click.echo(f"{sum(counts.values()) - counts['results']} frames", err=True)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    seconds = time.process_time() - began
    click.echo(f"PASS link-fuzz: {told}; {seconds:.0f} s of the processor")


if __name__ == "__main__":
    command(prog_name="python -m testbench.boards.link_fuzz")
