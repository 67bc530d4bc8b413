"""A training on a board: equal to the simulator's, handed over at any sample, back after faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.boards import learning_board
from testbench.boards.byte_board import ByteTransport
from testbench.command_line import deploy
from toreq_hw.boards import registry
from toreq_hw.cli.termination import STATUS
from toreq_hw.data import Dataset, Split
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.training import CheckpointNotes
from toreq_hw.sim.learning import Progress, Rule, Trainer, checkpoint
from toreq_hw.studies.board_training import BoardChoice, BoardStudy
from toreq_hw.studies.kept_training import Checkpoints
from toreq_hw.studies.screen import Bar
from toreq_hw.studies.training import train
from toreq_hw.targets import board as board_target
from toreq_hw.targets.learned import state_of_trainer

EPOCHS, IMAGES = 3, 20


def dataset() -> Dataset:
    """Images of 3 x 4 pixels in three classes, brighter in one column each."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, IMAGES + 8)
    images = rng.integers(0, 9, (len(labels), 3, 4)) * (rng.random((len(labels), 3, 4)) < 0.6)
    images[np.arange(len(labels)), :, labels] += 7
    split = [
        Split(images[part].reshape(-1, 12).astype(np.uint8), labels[part])
        for part in (slice(0, IMAGES), slice(IMAGES, None))
    ]
    return Dataset("columns", (3, 4), 16, 3, "the last eight are test images", *split)


def small_trainer() -> Trainer:
    """Ternary, its rate falls in the second epoch."""
    network = layered((12, 5, 3), WeightFormat.TERNARY, (3, 3))
    return Trainer(network, Rule(shift=4, bias_shift=6, decay_epochs=(1,)), seed=3)


NOTES = CheckpointNotes(data="columns", holdout=None, epochs=EPOCHS, augment=1)
CHOICE = BoardChoice(registry.get("icebreaker"), "sim", lanes=4, learn_lanes=1)


class Interrupting:
    """A screen on which the command is told to `end` as the `at`-th sample is shown."""

    def __init__(self, at: int, end: BaseException | None = None) -> None:
        self.at, self.end = at, end or KeyboardInterrupt()
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    @contextmanager
    def bar(self, title: str, total: float | None = None, note: str = "") -> Iterator[Bar]:
        yield self

    def advance(self, amount: float = 1) -> None:
        self.at -= 1
        if self.at == 0:
            raise self.end

    def show(
        self, done: float | None = None, total: float | None = None, note: str | None = None
    ) -> None:
        pass


def same_training(one: Path, other: Path) -> None:
    """Whether two checkpoints hold the same training, times apart."""
    (mine, my_notes), (its, its_notes) = checkpoint.load(one), checkpoint.load(other)
    assert learning_board.same(state_of_trainer(mine), state_of_trainer(its))
    assert mine.epoch == its.epoch
    for notes in (my_notes, its_notes):
        for epoch in notes["history"]:
            epoch["seconds"] = 0
    assert my_notes == its_notes


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of the whole training in the simulator."""
    kept = tmp_path_factory.mktemp("reference") / "all.checkpoint"
    train(small_trainer(), dataset(), NOTES, Checkpoints(path=kept))
    return kept


def notes_of(path: Path) -> tuple[Trainer, CheckpointNotes]:
    from toreq_hw.reading import record_from

    trainer, notes = checkpoint.load(path)
    return trainer, record_from(notes, CheckpointNotes, "notes", InputError)


def test_a_board_ends_where_the_simulator_ends(reference: Path, tmp_path: Path) -> None:
    kept = tmp_path / "board.checkpoint"
    trainer = small_trainer()
    record = BoardStudy(trainer, dataset(), NOTES, CHOICE, kept).train()
    assert record.bit_exact
    assert record.samples == EPOCHS * IMAGES
    assert (record.retries, record.repeated, record.unheard, record.faults) == (0, 0, 0, 0)
    assert record.core_us is not None
    assert sum(record.phase_cycles) / record.clock_hz * 1e6 == pytest.approx(record.core_us.mean)
    assert record.link_us is not None
    assert record.link_us > record.core_us.mean
    assert record.network_sha256 == checkpoint.load(reference)[0].network().sha256
    same_training(kept, reference)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (7, KeyboardInterrupt()),
        (IMAGES, SystemExit(STATUS)),  # which SIGTERM becomes
        (IMAGES + 9, KeyboardInterrupt()),
    ],
)
def test_a_training_goes_from_simulator_to_board_to_simulator(
    at: int, end: BaseException, reference: Path, tmp_path: Path
) -> None:
    """The board takes over inside the first epoch and is interrupted `at` samples later."""
    kept, first = tmp_path / "handed.checkpoint", small_trainer()
    part = _learn_some(first, 5)
    notes = replace(NOTES, part=replace_part(part))
    screen = Interrupting(at, end)
    with pytest.raises(type(end)):
        BoardStudy(first, dataset(), notes, CHOICE, kept, screen=screen).train()
    trainer, found = notes_of(kept)
    learned = trainer.epoch * IMAGES + (found.part.samples if found.part else 0)
    assert learned in (5 + at, 6 + at)  # the next one may have been sent ahead
    assert screen.said[-1].startswith("read back after sample ")
    assert screen.said[-1].endswith(f"; go on with --resume {kept}")
    train(trainer, dataset(), found, Checkpoints(path=kept))
    same_training(kept, reference)


def _learn_some(trainer: Trainer, count: int) -> Progress:
    """Learns the first samples of the epoch that the trainer is in, as `train` does."""
    from toreq_hw import data
    from toreq_hw.sim.learning.training_samples import TrainingSamples, epoch_samples

    columns = dataset()
    pixels = data.encode(columns.train.images, columns.pixel_max, trainer.blueprint.input)
    training = TrainingSamples(pixels, columns.train.labels, columns.shape, NOTES.augment)
    images, order = epoch_samples(trainer, training)
    return trainer.learn(images, training.labels, order[:count])


def replace_part(progress: Progress) -> object:
    from toreq_hw.records.training import EpochPart

    return EpochPart(**vars(progress))


def test_an_interrupt_without_a_checkpoint_says_so() -> None:
    screen = Interrupting(3)
    with pytest.raises(KeyboardInterrupt):
        BoardStudy(small_trainer(), dataset(), NOTES, CHOICE, screen=screen).train()
    assert screen.said[-1].endswith("; this run has written no checkpoint; begin it again")


def test_a_training_that_is_done_is_refused(reference: Path) -> None:
    trainer, notes = notes_of(reference)
    with pytest.raises(InputError, match=r"must be more than the 3 .* nothing is left to learn"):
        BoardStudy(trainer, dataset(), notes, CHOICE).train()


def test_a_part_of_more_samples_than_there_are_is_refused() -> None:
    part = replace(_learn_some(small_trainer(), 5), samples=IMAGES + 1)
    notes = replace(NOTES, part=replace_part(part))
    for run in (
        lambda: train(small_trainer(), dataset(), notes),
        lambda: BoardStudy(small_trainer(), dataset(), notes, CHOICE).train(),
    ):
        with pytest.raises(InputError, match="must go on behind at most 20 samples"):
            run()


def test_rates_that_no_core_has_are_refused_before_anything_is_compiled() -> None:
    trainer = small_trainer()
    trainer.rule = replace(trainer.rule, shift=1)
    with pytest.raises(InputError, match=r"must be in 2\.\.16 on a core, found 1"):
        BoardStudy(trainer, dataset(), NOTES, CHOICE).train()
    trainer.rule = replace(trainer.rule, shift=16, bias_shift=16, decay_epochs=(1,))
    with pytest.raises(NetworkError, match="must be a power of two"):
        BoardStudy(trainer, dataset(), NOTES, replace(CHOICE, learn_lanes=3)).train()


def test_the_command_refuses_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", str(tmp_path / "net.safetensors"))
    board = ("--target", "icebreaker", "--train", "digits")
    for more, said in (
        ((), "--port must be given, a serial port"),
        (("--port", str(tmp_path / "tty")), "must be present, found: no such port"),
        (("--port", "sim", "--hidden", "4000"), "network must fit onto icebreaker"),
        (("--port", "sim", "--shift", "1"), "must be in 2..16 on a core, found 1"),
        (("--port", "sim", "--learn-lanes", "8"), "--learn-lanes must be a power of two in 1..4"),
        (("--port", "sim", "--readout", "clamped"), "for the core"),
    ):
        assert deploy(*board, *out, *more) == 2
        assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_writes_what_train_goes_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A board of a file learns. The set is cut short; the board that is simulated has no UART."""
    from testbench.boards.byte_board import compile_byte_system
    from testbench.command_line import toreq_hw as run
    from toreq_hw import data
    from toreq_hw.rtl.images import MemoryImages

    digits = data.load("digits")
    short = replace(digits, train=digits.train.take(slice(0, 40)))
    monkeypatch.setattr(data, "load", lambda *_: short)
    monkeypatch.setattr(
        board_target,
        "transport_of",
        lambda _board, network, parameters, _port, _watch: ByteTransport(
            compile_byte_system(parameters, MemoryImages.of(network, parameters))
        ),
    )
    monkeypatch.setattr("toreq_hw.studies.board_training.transport_of", board_target.transport_of)
    same = ("--hidden", "3", "--epochs", "2", "--seed", "5")
    own = tmp_path / "my_board.py"
    own.write_text(
        "from dataclasses import replace\n"
        "from toreq_hw.boards.icebreaker import BOARD as OURS\n"
        "BOARD = replace(OURS, name='mine')\n"
    )
    board, sim = tmp_path / "board.safetensors", tmp_path / "sim.safetensors"
    train = ("--train", "digits", "--port", "sim", *same)
    assert deploy("--board-file", str(own), *train, "--out", str(board)) == 0
    assert "mine, simulated system" in capsys.readouterr().out
    assert run("train", "--data", "digits", *same, "--out", str(sim)).status == 0
    same_training(board.with_suffix(".checkpoint"), sim.with_suffix(".checkpoint"))
