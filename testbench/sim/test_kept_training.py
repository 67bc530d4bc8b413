"""Interrupted anywhere, a training in the simulator goes on to the same bits."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toreq_hw import data, sim
from toreq_hw.data import Dataset
from toreq_hw.network import WeightFormat, layered
from toreq_hw.reading import record_from
from toreq_hw.records.training import TrainedEpoch, TrainingNotes
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.studies.kept_training import Checkpoints
from toreq_hw.studies.screen import NoScreen
from toreq_hw.studies.training import train
from toreq_hw.training import integer

EPOCHS, SAMPLES = 3, 60
NOTES = TrainingNotes(epochs=EPOCHS, augment=1)
Act = Callable[[], object]


class Acting(NoScreen):
    """A screen that acts once `samples` are learned, and keeps what is said."""

    def __init__(self, samples: int = -1, act: Act = lambda: None) -> None:
        self.said: list[str] = []
        self._left, self._act = samples, act

    def say(self, line: str) -> None:
        self.said.append(line)

    @contextmanager
    def bar(self, title: str, total: float | None = None, note: str = "") -> Iterator[Any]:
        yield self

    def advance(self, amount: float = 1) -> None:
        self._left -= int(amount)
        if self._left == 0:
            self._act()

    def show(self, **_: object) -> None:
        """Passed over."""


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def digits() -> Dataset:
    loaded = data.load("digits")
    test = loaded.test.take(slice(0, 20))
    return replace(loaded, train=loaded.train.take(slice(0, SAMPLES)), test=test)


def fresh() -> Trainer:
    shape = layered((64, 6, 10), WeightFormat.TERNARY, (4, 4))
    return Trainer(shape, Rule(decay_epochs=(1,)), seed=4)


def whole(path: Path) -> tuple[object, ...]:
    """What a training has come to: its state, and what each epoch showed but for the seconds."""
    trainer, notes = checkpoint.load(path)
    history = [{**entry, "seconds": 0} for entry in notes["history"]]
    latents = trainer.synapses.latent.tolist(), trainer.synapses.bias_latent.tolist()
    return trainer.epoch, int(trainer.random_state), *latents, history, notes["part"]


def go_on(path: Path) -> None:
    trainer, found = checkpoint.load(path)
    notes = record_from(found, TrainingNotes, "notes", ValueError)
    train(trainer, digits(), notes, Checkpoints(path=path))


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    path = tmp_path_factory.mktemp("straight") / "c"
    history = train(fresh(), digits(), NOTES, Checkpoints(path=path))
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert all(isinstance(epoch, TrainedEpoch) for epoch in history)
    return whole(path)


def part_of(path: Path) -> tuple[int, int]:
    """Epochs that are over, and samples learned of the next."""
    trainer, notes = checkpoint.load(path)
    assert len(notes["history"]) == trainer.epoch
    return trainer.epoch, notes["part"]["samples"] if notes["part"] else 0


@pytest.mark.parametrize(
    ("samples", "epochs", "inside"), [(14, 0, 14), (60, 0, 60), (60 + 7, 1, 7), (180, 2, 60)]
)
def test_an_interrupt_costs_no_sample(
    tmp_path: Path, straight: tuple[object, ...], samples: int, epochs: int, inside: int
) -> None:
    path, screen = tmp_path / "c", Acting(samples, interrupt)
    kept = Checkpoints(path=path, run="a run", every=7, go_on="go --on")
    with pytest.raises(KeyboardInterrupt):
        train(fresh(), digits(), NOTES, kept, screen)
    assert part_of(path) == (epochs, inside)
    place = f"sample {inside} of epoch {epochs + 1} of 3"
    assert screen.said == [f"interrupted after {place}; wrote {path}; go on with: go --on"]
    go_on(path)
    assert whole(path) == straight


def test_an_interrupt_in_the_midst_of_a_sample_waits_for_it(
    tmp_path: Path, straight: tuple[object, ...]
) -> None:
    """The kernel has moved the latents, and the trainer has not noted its generator yet."""
    trainer, path = fresh(), tmp_path / "c"
    kernel, calls = trainer._learn_samples, iter(range(100))

    def learn(**given: Any) -> Any:
        state = kernel(**given)
        if next(calls) == 2:
            interrupt()
        return state

    trainer._learn_samples = learn
    with pytest.raises(KeyboardInterrupt):
        train(trainer, digits(), NOTES, Checkpoints(path=path, every=7))
    assert part_of(path) == (0, 21)
    go_on(path)
    assert whole(path) == straight


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_epoch_that_was_not_measured_is_measured_later(
    tmp_path: Path,
    straight: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
    sent: signal.Signals,
) -> None:
    path, measured = tmp_path / "c", iter(range(9))

    def relax(*given: Any) -> Any:
        if next(measured) == 1:
            raise KeyboardInterrupt if sent is signal.SIGINT else SystemExit(143)
        return sim.relax(*given)

    with monkeypatch.context() as patched:
        patched.setattr(integer, "sim", type("Sim", (), {"relax": staticmethod(relax)}))
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            train(fresh(), digits(), NOTES, Checkpoints(path=path))
    assert part_of(path) == (1, SAMPLES)
    go_on(path)
    assert whole(path) == straight


def test_one_that_is_killed_loses_no_more_than_it_was_asked_to(
    tmp_path: Path, straight: tuple[object, ...]
) -> None:
    """Killed in its eighth run of seven samples."""
    trainer, path = fresh(), tmp_path / "c"
    kernel, calls = trainer._learn_samples, iter(range(100))

    def learn(**given: Any) -> Any:
        if next(calls) == 7:
            raise ConnectionError  # which nothing answers by writing a file
        return kernel(**given)

    trainer._learn_samples = learn
    with pytest.raises(ConnectionError):
        train(trainer, digits(), NOTES, Checkpoints(path=path, every=7))
    assert part_of(path) == (0, 49)
    go_on(path)
    assert whole(path) == straight


def test_an_interrupt_before_the_first_sample_writes_nothing(tmp_path: Path) -> None:
    screen = Acting()
    screen.bar = lambda *_: interrupt()  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        train(fresh(), digits(), NOTES, Checkpoints(path=tmp_path / "c"), screen)
    assert list(tmp_path.iterdir()) == []
    assert screen.said == []


def test_checkpoints_change_no_bit(tmp_path: Path, straight: tuple[object, ...]) -> None:
    path = tmp_path / "c"
    train(fresh(), digits(), NOTES, Checkpoints(path=path, every=11))
    assert whole(path) == straight
