"""docs/link.md shows a conversation; the simulated board has the same one."""

import struct
from pathlib import Path

import numpy as np

from testbench.boards.worked_example import (
    INPUTS,
    LABEL,
    conversation,
    learner,
    learning_conversation,
)
from toreq_hw.boards.link.protocol import REPLY, Frame, Request, requests_of, summary_bytes
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.targets.learned import state_of_trainer

PAGE = Path(__file__).parents[2] / "docs" / "link.md"
CYCLES_BYTES = 4


def read_shown(number: int = 0) -> list[str]:
    """Lines of a conversation of the page: 0, or 1 with a board that learns."""
    blocks = PAGE.read_text().split("```\n")[1::2]
    return [block.splitlines() for block in blocks if block.startswith("IDENTIFY")][number]


def frames(lines: list[str]) -> list[tuple[str, Frame]]:
    """Speaker and frame of each line; a wrong CRC or length is an error."""
    split = [
        line.split(maxsplit=2) if line[0] != " " else ["", *line.split(maxsplit=1)]
        for line in lines
    ]
    return [(who, Frame.decode(bytes.fromhex(data)[1:-1])) for _, who, data in split]


def masked(frame: Frame) -> Frame:
    """Without what a change of the core may move: the hash of the hardware, and cycles."""
    payload = bytearray(frame.payload)
    if frame.type == Request.IDENTIFY | REPLY:
        payload[2:10] = bytes(8)
    if len(payload) > summary_bytes(learns=False):
        payload[-CYCLES_BYTES:] = bytes(CYCLES_BYTES)
    return Frame(frame.sequence, frame.type, bytes(payload))


def test_the_conversation_of_the_page_is_the_board_s() -> None:
    wanted, found = read_shown(), conversation()
    for (who, frame), (really, other) in zip(frames(wanted), frames(found), strict=True):
        assert (who, masked(frame)) == (really, masked(other))
    for line, other in zip(wanted, found, strict=True):
        assert line[:15] == other[:15]
        if " host " in line:
            assert line == other


def test_the_conversation_has_every_request() -> None:
    asked = [frame.type for who, frame in frames(read_shown()) if who == "host"]
    assert set(asked) == set(requests_of(learns=False))


def test_the_page_says_what_its_bytes_mean() -> None:
    board = [frame for who, frame in frames(read_shown()) if who == "board"]
    results = [f.payload for f in board if f.type in (Request.IMAGE | REPLY, Request.NUDGE | REPLY)]
    states = [(payload[1] & 0xF, payload[1] >> 4) for payload in results]
    assert states == [(0, 6), (13, 0), (0, 12)]
    settled, label, sweeps, input_events, events, cycles = struct.unpack(">BHHHII", results[0][2:])
    assert (settled, label, sweeps, input_events, events) == (1, 1, 2, 2, 1)
    assert cycles > 0


def test_the_board_that_learns_says_what_the_page_shows() -> None:
    """Both end with the latents that the simulator has learned."""
    wanted, (found, held) = read_shown(1), learning_conversation()
    assert [line for line in wanted if " host " in line] == [
        line for line in found if " host " in line
    ]
    replies = list(zip(frames(wanted), frames(found), strict=True))
    for (_, frame), (_, other) in replies[1:]:  # the first has the hash of the hardware
        if frame.type != Request.TRAIN | REPLY:  # whose cycles move with the core
            assert frame == other
    trains = learner()
    trains.learn(INPUTS[None], np.array([LABEL]), [0])
    expected = state_of_trainer(trains)
    assert learned_difference(expected, held) is None
    assert expected.latents["input-output"].tolist() == [[3840, -3856], [1424, 11600]]


def test_the_page_loads_what_it_says() -> None:
    rows = next(frame.payload for _, frame in frames(read_shown(1)) if frame.type == Request.WORDS)
    latents = state_of_trainer(learner()).latents["input-output"].astype(int) >> 4 & 0xFFF
    words = [int(second) << 12 | int(first) for first, second in latents]
    assert rows[4:] == b"".join(word.to_bytes(3, "big") for word in words)
