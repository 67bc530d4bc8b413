"""A training on a board whose line or power fails: no sample is lost, and none comes twice."""

from collections.abc import Callable

import pytest

from testbench.boards import learning_board
from testbench.boards.byte_board import CLOCK_HZ, ByteTransport
from testbench.boards.faulty import FaultyTransport
from testbench.boards.learning_board import PARAMETERS, PATIENCE, RULE, library, samples
from toreq_hw.boards.link.learning_host import LearningLink
from toreq_hw.boards.link.protocol import Frame, FrameError, Request
from toreq_hw.boards.link.simulated import SimulatedTransport, compile_system
from toreq_hw.errors import LinkError
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.sim.learning import Trainer
from toreq_hw.targets.board_learner import BoardLearner, DifferenceError, Sample
from toreq_hw.targets.learned import state_of_trainer

LONGEST = 12
"""Bytes of an answer to READ that still come through a noisy line."""


class Line(ByteTransport):
    """A line on which answers are lost, or power fails, as `fate` says of each request sent."""

    def __init__(self, fate: Callable[[Frame], str]) -> None:
        super().__init__(library())
        self._fate = fate
        self._deaf = False

    def write(self, data: bytes) -> None:
        try:
            fate = self._fate(Frame.decode(data.strip(b"\x7e")))
        except FrameError:
            fate = ""
        if fate == "power":
            self.close()
            super().__init__(library())
        self._deaf = fate in ("lost", "gone")
        if fate != "gone":
            super().write(data)

    def read(self, timeout_s: float) -> bytes:
        found = super().read(timeout_s)
        return b"" if self._deaf else found


def at_samples(*numbers: int, fate: str) -> Callable[[Frame], str]:
    """The fate of the TRAINs of these numbers in the order of sending."""
    sent = 0

    def of(frame: Frame) -> str:
        nonlocal sent
        if frame.type != Request.TRAIN:
            return ""
        sent += 1
        return fate if sent - 1 in numbers else ""

    return of


def learner(line: Line, said: list[str]) -> tuple[BoardLearner, Trainer]:
    trainer = learning_board.trainer()
    link = LearningLink(line, PARAMETERS, PATIENCE / CLOCK_HZ)
    return BoardLearner(link, trainer, said.append), trainer


def learn(board: BoardLearner, count: int, first: int = 0, *, ahead: bool = False) -> None:
    found = samples()
    given = [Sample(k + 1, found.images[k], int(found.labels[k])) for k in range(first + count)]
    for k in range(first, first + count):
        board.learn(given[k], given[k + 1] if ahead and k + 1 < first + count else None)


def test_answers_that_are_lost_cost_no_sample() -> None:
    said: list[str] = []
    board, _ = learner(Line(at_samples(2, 5, fate="lost")), said)
    learn(board, 10)
    board.read_back()
    assert board.counts.unheard == 2
    assert said == []


def test_power_that_fails_is_made_good_from_the_last_read_back() -> None:
    said: list[str] = []
    board, trainer = learner(Line(at_samples(6, 12, fate="power")), said)
    learn(board, 4)
    board.read_back()
    learn(board, 8, first=4)
    board.read_back()
    assert learning_board.same(state_of_trainer(trainer), learning_board.states(12)[12])
    assert board.counts.repeated == 3 + 6
    assert said[0].endswith("repeated from the last read-back: samples 5 to 7 of epoch 1")


def test_a_line_too_noisy_for_long_answers_is_read_in_shorter_ones() -> None:
    asked: list[int] = []

    def of(frame: Frame) -> str:
        if frame.type != Request.READ:
            return ""
        asked.append(int.from_bytes(frame.payload[:2], "big"))
        return "lost" if asked[-1] > LONGEST else ""

    board, trainer = learner(Line(of), [])
    learn(board, 3)
    board.read_back()
    assert learning_board.same(board._kept, state_of_trainer(trainer))
    assert max(asked) > LONGEST
    first = next(k for k, size in enumerate(asked) if size <= LONGEST)
    assert all(size <= LONGEST for size in asked[first:]), "what failed is not asked again"


def test_a_line_that_repeats_frames_is_said_to_be_noisy() -> None:
    said: list[str] = []
    board, _ = learner(Line(at_samples(*range(0, 60, 2), fate="lost")), said)
    learn(board, 14)
    noisy = [line for line in said if "the line is noisy" in line]
    assert noisy == ["10 frames were sent again so far: the line is noisy"]


def test_a_board_that_is_gone_names_the_samples_that_are_lost() -> None:
    board, _ = learner(Line(at_samples(*range(6, 100), fate="gone")), [])
    learn(board, 4)
    board.read_back()
    with pytest.raises(
        LinkError,
        match=r"it was silent 5 times.*lost since the last read-back: samples 5 to 7 of epoch 1",
    ):
        learn(board, 8, first=4)


def test_the_first_difference_is_named() -> None:
    board, trainer = learner(Line(lambda _: ""), [])
    learn(board, 3)
    trainer.latents(0)[2, 1] ^= 1 << 16 - RULE.latent_bits
    with pytest.raises(
        DifferenceError,
        match=r"coupling 'input-hidden', row 2, column 1: latent .*, samples 1 to 3 of epoch 1",
    ):
        board.read_back()
    trainer.latents(0)[...] = -trainer.latents(0)
    trainer.program()
    with pytest.raises(DifferenceError, match=r"sample \d+: \w+ \d+, the simulator has \d+"):
        learn(board, 10, first=3)


@pytest.mark.parametrize("lost", [(2,), (2, 3), (3, 4, 5)])
def test_answers_that_are_lost_cost_no_sample_that_was_sent_ahead(lost: tuple[int, ...]) -> None:
    said: list[str] = []
    board, trainer = learner(Line(at_samples(*lost, fate="lost")), said)
    learn(board, 10, ahead=True)
    board.read_back()
    assert learning_board.same(state_of_trainer(trainer), learning_board.states(10)[10])
    assert board.counts.unheard > 0
    assert said == []


def test_samples_sent_ahead_take_less_time() -> None:
    times = []
    for ahead in (False, True):
        board, _ = learner(Line(lambda _: ""), [])
        learn(board, 16, ahead=ahead)
        board.read_back()
        assert board.counts.unheard == 0
        assert board._link.retries == 0
        times.append(board.counts.sample_s)
    assert times[1] < 0.9 * times[0]


def test_an_interrupt_loses_no_sample_that_was_sent_ahead() -> None:
    board, trainer = learner(Line(lambda _: ""), [])
    learn(board, 4, ahead=True)
    found = samples()
    fifth, sixth = (Sample(k + 1, found.images[k], int(found.labels[k])) for k in (4, 5))
    board.learn(fifth, sixth)
    board.settle()
    board.read_back()
    assert learning_board.same(state_of_trainer(trainer), learning_board.states(6)[6])


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("kind", ["flip", "drop", "double"])
def test_a_noisy_line_learns_the_same(kind: str, *, ahead: bool) -> None:
    """Bits of a UART this time."""
    network = learning_board.network()
    images = MemoryImages.of(network, PARAMETERS)
    inner = SimulatedTransport(compile_system(PARAMETERS, images, CLOCK_HZ), CLOCK_HZ)
    line = FaultyTransport(inner, 11, 0.004, (kind,))
    trainer = learning_board.trainer()
    board = BoardLearner(LearningLink(line, PARAMETERS, 0.002), trainer, lambda _: None)
    learn(board, 16, ahead=ahead)
    board.read_back()
    assert line.counts[kind] > 0
    assert learning_board.same(state_of_trainer(trainer), learning_board.states(16)[16])
    line.close()
