"""docs/link.md shows a conversation; the simulated board has the same one."""

import struct
from pathlib import Path

from testbench.boards.worked_example import conversation
from toreq_hw.boards.link.protocol import REPLY, Frame, Request, requests_of, summary_bytes

PAGE = Path(__file__).parents[2] / "docs" / "link.md"
CYCLES_BYTES = 4


def read_shown() -> list[str]:
    return PAGE.read_text().split("```\n")[1].splitlines()


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
