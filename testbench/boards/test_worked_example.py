"""docs/link.md shows a conversation; the simulated board has the same one."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.boards.worked_example import (
    INPUTS,
    LABEL,
    conversation,
    learner,
    learning_conversation,
)
from toreq_hw.boards.link.protocol import REPLY, Frame, Request, requests_of, summary_bytes
from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.parameters import CoreParameters
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


def rows_of_page(net: Network, lanes: int) -> list[bytes]:
    """What "Rows" of the page says of a board that does not learn, without our own packing."""
    stores: dict[tuple[WeightFormat, bool], list[list[int]]] = {}
    for coupling in net.dense_couplings:
        weight, fed = coupling.weight, coupling.pre == net.input.name
        skewed = not fed and weight.size >= 16_384
        rows = stores.setdefault((coupling.weight_format, skewed), [])
        n, m = weight.shape
        matrices = [weight] if fed or skewed else [weight, weight.T]
        for matrix in matrices:
            padded = np.pad(matrix, [(0, -size % lanes) for size in matrix.shape])
            if skewed:
                for post in range(0, m, lanes):
                    for pre in range(0, n, lanes):
                        tile = padded[pre : pre + lanes, post : post + lanes]
                        for i in range(lanes):
                            rows.append([int(tile[i, (b - i) % lanes]) for b in range(lanes)])
            else:
                rows += padded[: len(matrix)].reshape(-1, lanes).tolist()
    packed = []
    for (weight_format, _), rows in stores.items():
        bits = 2 if weight_format is WeightFormat.TERNARY else 8
        for row in rows:
            word = sum((value % (1 << bits)) << bits * k for k, value in enumerate(row))
            packed.append(word.to_bytes(-(-bits * lanes // 8), "big"))
    return packed


@pytest.mark.parametrize("weights", WeightFormat)
@pytest.mark.parametrize("sizes", [(5, 7, 3), (6, 130, 129, 9)])
def test_rows_are_what_the_page_says(weights: WeightFormat, sizes: tuple[int, ...]) -> None:
    """The larger one has a skewed store."""
    rng = np.random.default_rng(len(sizes))
    limit = int(weights.limit)
    blank = layered(sizes, weights, (5,) * (len(sizes) - 1))
    couplings = tuple(
        c.with_parameters(rng.integers(-limit, limit + 1, c.weight.shape).astype(np.int8))
        for c in blank.dense_couplings
    )
    net = replace(blank, couplings=couplings)
    parameters = CoreParameters.of(net, lanes=4)
    stores = [word for word in load_words(net, parameters) if word.space < Space.BIAS]
    width = [-(-4 * store.width // 8) for store in parameters.stores]
    assert [w.data.to_bytes(width[w.space], "big") for w in stores] == rows_of_page(net, 4)
    assert any(store.skewed for store in parameters.stores) == (len(sizes) == 4)
