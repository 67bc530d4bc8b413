"""A board that learns: states in and out, samples once each, refusals, resets at any moment."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from testbench.boards import learning_board
from testbench.boards.byte_board import CLOCK_HZ, ByteTransport
from testbench.boards.learning_board import (
    CLASSES,
    PARAMETERS,
    PATIENCE,
    LearningBoard,
    rates,
    same,
    sample,
    samples,
    states,
    train_payload,
)
from testbench.boards.small_board import NETWORK as PLAIN_NETWORK
from testbench.boards.small_board import PARAMETERS as PLAIN
from testbench.boards.small_board import SmallBoard, answer
from toreq_hw.boards.link import requests
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.learning_host import LearningLink, StateLostError
from toreq_hw.boards.link.protocol import Code, ImageFlag, Request, State
from toreq_hw.boards.link.requests import _packed, read
from toreq_hw.errors import InputError, LinkError
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.targets.learned import rates_of_trainer, state_of_trainer

PACKED = int(ImageFlag.PACKED)


@pytest.fixture
def board() -> Iterator[LearningBoard]:
    board = LearningBoard()
    yield board
    board.close()


def test_a_board_learns_what_the_simulator_learns(board: LearningBoard) -> None:
    found, expected = samples(), states(learning_board.SAMPLES)
    assert same(board.link.read_state(), expected[0])
    learns = learning_board.trainer()
    for k in range(learning_board.SAMPLES):
        replies = board.link.train(found.images[k], int(found.labels[k]))
        assert replies is not None
        progress = learns.learn(found.images, found.labels, [k])
        free, positive, negative, learn = (reply.summary for reply in replies)
        assert progress.correct == (free["label"] == found.labels[k])
        assert progress.sweeps == sum(s["sweeps"] for s in (free, positive, negative))
        assert progress.events == sum(s["events"] for s in (free, positive, negative))
        assert set(learn) == {"cycles"}
        assert learn["cycles"] > 0
        assert same(board.link.read_state(), expected[k + 1]), k
    assert not same(expected[0], expected[-1])
    status = board.link.status()
    assert (status.samples, status.faults, board.link.retries) == (learning_board.SAMPLES, 0, 0)


def test_rates_change_without_a_load(board: LearningBoard) -> None:
    found, learns = samples(), learning_board.trainer()
    for k in range(4):
        learns.learn(found.images, found.labels, [k])
        board.link.train(found.images[k], int(found.labels[k]))
    learns.rule = replace(learns.rule, shift=7, bias_shift=9)
    board.link.set_rates(rates_of_trainer(learns))
    assert not same(states(6)[6], state_of_trainer(learns))
    for k in range(4, 6):
        learns.learn(found.images, found.labels, [k])
        board.link.train(found.images[k], int(found.labels[k]))
    assert same(board.link.read_state(), state_of_trainer(learns))


def test_a_board_that_is_not_loaded_learns_nothing() -> None:
    line = ByteTransport(learning_board.library())
    link = LearningLink(line, PARAMETERS, PATIENCE / CLOCK_HZ)
    with pytest.raises(StateLostError, match="must hold what it has learned"):
        link.train(samples().images[0], 0)
    with pytest.raises(StateLostError, match="nothing is loaded in it"):
        link.read_state()
    with pytest.raises(LinkError, match="nothing is loaded in it"):
        link.set_rates(rates())
    line.close()


@pytest.mark.parametrize("form", [0, PACKED])
def test_every_form_of_an_image_is_the_same_sample(board: LearningBoard, form: int) -> None:
    image, label = samples().images[0], int(samples().labels[0])
    values = {
        0: bytes(image.astype(np.uint8)),
        PACKED: b"".join(_packed(image)[1]),
    }
    reply = board.ask(Request.TRAIN, sample(form, values[form], label=label))
    assert reply is not None
    assert reply[:2] == (Code.OK, State.LOADED)
    board.link.samples = 1
    assert board.learns_right(1)


def dense_parts(image: npt.NDArray[np.int16], label: int, room: int) -> tuple[list[bytes], bytes]:
    """Payloads of an image of which all values are sent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "_shorter", requests._dense)
        return requests.train(image, label, 0, PARAMETERS, room)


@pytest.mark.parametrize("room", [7, 8, 9])
def test_an_image_in_parts_is_the_same_sample(board: LearningBoard, room: int) -> None:
    image, label = samples().images[0], int(samples().labels[0])
    parts, last = dense_parts(image, label, room)
    assert parts
    for part in parts:
        assert board.ask(Request.IMAGE, part) == (Code.OK, State.LOADED | State.OPEN, b"")
    reply = board.ask(Request.TRAIN, last)
    assert reply is not None
    assert (reply[:2], len(reply[2])) == ((Code.OK, State.LOADED), 13 + 9 + 9 + 3)
    board.link.samples = 1
    assert board.learns_right(1)


def test_the_end_of_an_image_that_asks_for_states_is_no_sample(board: LearningBoard) -> None:
    image, label = samples().images[0], int(samples().labels[0])
    (part,), last = dense_parts(image, label, 9)
    assert board.ask(Request.IMAGE, bytes([part[0] | ImageFlag.REPORT]) + part[1:]) is not None
    assert board.ask(Request.TRAIN, last) == (Code.REFUSED, State.LOADED, b"")
    assert board.link.status().samples == 0
    assert board.ask(Request.RESET) == (Code.OK, State.LOADED, b"")
    assert board.learns_right(0)


@pytest.mark.parametrize("seed", range(20))
def test_a_packed_image_says_where_every_value_goes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(-3, 4, 2000) * (rng.random(2000) < rng.choice([0, 0.002, 0.1, 0.9, 1]))
    unpacked, at, data = np.zeros(2000, np.int16), 0, b"".join(_packed(image.astype(np.int16))[1])
    while data:
        value, zeros, data = np.int8(np.uint8(data[0])), 0, data[1:]
        if not value:
            zeros, data = data[0], data[1:]
        unpacked[at] = value
        at += 1 + zeros
    assert np.array_equal(unpacked, image)
    assert at <= 2000


def test_a_sample_sent_twice_is_learned_once(board: LearningBoard) -> None:
    frame = board.frame(Request.TRAIN, train_payload(0))
    board.line.write(frame.encode())
    assert answer(frame, board.line.wait(PATIENCE, closed=64)) is not None
    board.line.write(frame.encode())
    reply = answer(frame, board.line.wait(PATIENCE, closed=64))
    assert reply == (Code.REPEATED, State.LOADED, b"")
    assert board.ask(Request.TRAIN, train_payload(0)) == (Code.ORDER, State.LOADED, b"")
    board.link.samples = 1
    assert board.learns_right(1)


@pytest.mark.parametrize("kind", [Request.RESET, Request.IDENTIFY])
def test_a_reset_at_any_moment_leaves_a_whole_sample_or_none(
    board: LearningBoard, kind: Request
) -> None:
    """In steps of cycles, from the end of the request to behind its answer."""
    begun = {False: 0, True: 0}
    unloaded = 0
    expected = states(1)
    for cycles in range(1, 1800, 37):
        board.link.load_state(expected[0], rates())
        board.line.write(board.frame(Request.TRAIN, train_payload(0)).encode())
        board.pass_time(cycles)
        assert board.ask(kind) is not None
        status = board.link.status()
        if State.LOADED not in status.state:
            unloaded += 1
            continue
        learned = status.samples == 1
        begun[learned] += 1
        assert same(board.link.read_state(), expected[learned]), cycles
        board.link.samples = status.samples
        assert board.learns_right(int(learned)), cycles
    assert min(begun[False], begun[True], unloaded) > 0


def test_a_read_that_is_broken_off_changes_nothing(board: LearningBoard) -> None:
    for cycles in range(30, 400, 53):
        board.line.write(board.frame(Request.READ, read(Space.WEIGHTS, 0, 60)).encode())
        board.pass_time(cycles)
        assert board.ask(Request.IDENTIFY) is not None
        assert same(board.link.read_state(), states(0)[0])
    assert board.learns_right(0)


def test_identity_says_that_a_board_learns() -> None:
    identity = Identity.of(PARAMETERS, CLOCK_HZ)
    assert (identity.version, identity.learn_lanes, identity.latent_bits) == (3, 2, (12, 12))
    assert Identity.decode(identity.encode()) == identity
    for wrong in (identity.encode()[:-1], identity.encode() + b"\0", identity.encode()[:-3]):
        with pytest.raises(ValueError, match="identity must have its own length"):
            Identity.decode(wrong)


def test_boards_that_learn_and_others_are_told_apart(board: LearningBoard) -> None:
    plain = CoreParameters.of(learning_board.network(), lanes=4)
    with pytest.raises(LinkError, match=r"must be one that does not learn .* found version 3"):
        BoardLink(board.line, plain)
    with pytest.raises(LinkError, match="in other formats or with another threshold"):
        LearningLink(
            board.line,
            CoreParameters.of(learning_board.network(), lanes=4, learn_lanes=2, latent_bits=13),
        )
    with pytest.raises(LinkError, match="must be loaded with latents, found a network"):
        board.link.load(learning_board.network())
    with pytest.raises(InputError, match="must be built with learn_lanes"):
        LearningLink(board.line, plain)
    other = SmallBoard()
    learns = CoreParameters.of(PLAIN_NETWORK, lanes=2, learn_lanes=1)
    with pytest.raises(LinkError, match=r"must be one that learns .* found version 2"):
        LearningLink(other.line, learns)
    other.close()


def test_a_board_that_cannot_learn_does_not_know_the_requests() -> None:
    board = SmallBoard()
    board.load()
    for kind in (Request.TRAIN, Request.READ, Request.SET):
        assert board.ask(kind, bytes(9)) == (Code.UNKNOWN, State.LOADED, b"")
    assert PLAIN.learning is None
    assert board.is_alive()
    assert board.runs_right()
    board.close()


def test_samples_out_of_range_are_not_sent(board: LearningBoard) -> None:
    image = samples().images[0]
    for wrong in (image[:-1], image + 16, image - 16):
        with pytest.raises(InputError, match="inputs: must"):
            board.link.train(wrong, 0)
    for label in (-1, CLASSES, True):
        with pytest.raises(InputError, match="label must be in"):
            board.link.train(image, label)
    with pytest.raises(InputError, match=r"k must be in 0\.\.12 on a core, found 13"):
        board.link.set_rates(replace(rates(), shifts=dict.fromkeys(rates().shifts, 13)))
    state = states(0)[0]
    odd = {name: latents | 1 for name, latents in state.latents.items()}
    with pytest.raises(InputError, match="must be multiples of 16"):
        board.link.load_state(replace(state, latents=odd), rates())
    assert board.learns_right(0)
