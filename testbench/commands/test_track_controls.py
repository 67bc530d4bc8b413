"""Controls of tracks do what their names say, whatever comes out of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toreq_hw.data import Dataset
from toreq_hw.errors import DataError, InputError
from toreq_hw.network import Network, OwnFeedback
from toreq_hw.reading import read_record
from toreq_hw.records.verification import Verification
from toreq_hw.sim.learning import Trainer
from toreq_hw.studies.tracks import convolution, feedback, measuring, nudges
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.track import FLOORS, QUICK, Track, find
from toreq_hw.training import train
from toreq_hw.training.integer import begin

PUBLISHED = Path(__file__).parents[2] / "reports" / "published"


class Stopped(Exception):  # noqa: N818 # it is no error
    """Ends a run where its training would begin."""


class Watched(Context):
    """Keeps what a track would train on."""

    seen: list[Dataset]

    def trained_on(self, dataset: Dataset, name: str, seed: int, **given: Any) -> Any:
        self.seen.append(dataset)
        raise Stopped


def trained_on(arm: str, tmp_path: Path) -> Dataset:
    context = Watched(QUICK, tmp_path)
    object.__setattr__(context, "seen", [])
    with pytest.raises(Stopped):
        convolution._train(Case("digits", arm), 1, context)
    return context.seen[0]


def test_mixed_pixels_are_the_same_in_another_order(tmp_path: Path) -> None:
    plain = trained_on(convolution.CONVOLUTION, tmp_path).train.images
    mixed = trained_on(convolution.MIXED, tmp_path).train.images
    assert (np.sort(plain, axis=1) == np.sort(mixed, axis=1)).all()
    moved = (plain != mixed).any(axis=0).mean()
    assert moved > 0.5


@pytest.mark.parametrize("arm", nudges.ANNEALED)
def test_an_annealed_nudge_changes_with_the_epochs(
    arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def watched(trainer: Trainer, _: object, epochs: int) -> Iterator[None]:
        used.append((trainer.blueprint.beta_shift, epochs))
        return iter(())

    monkeypatch.setattr(nudges, "learn_epochs", watched)
    shifts = nudges.ANNEALED[arm]
    nudges._annealed("digits", shifts, 1, shuffled=False)
    assert [shift for shift, _ in used] == list(shifts)
    assert len(set(shifts)) > 1
    assert [epochs for _, epochs in used] == [4, 8, 12, 16, 20]


@pytest.mark.parametrize("arm", feedback.KINDS)
@pytest.mark.parametrize("name", ["digits", "mnist", "fashion-mnist"])
def test_every_way_back_can_be_trained_on_every_data_set(name: str, arm: str) -> None:
    try:
        dataset = measuring.load(name)
    except DataError as error:
        pytest.skip(f"{name} IS ABSENT: {error}")
    begin(dataset, feedback.settings_of(name, arm), 1)


def test_settings_of_a_way_back_are_its_own() -> None:
    shifts = {arm: feedback.settings_of("mnist", arm).feedback_shifts for arm in feedback.KINDS}
    weakest = (feedback.WEAK, feedback.WEAK)
    assert shifts[feedback.NONE] == weakest
    assert weakest not in [shifts[arm] for arm in feedback.KINDS if arm != feedback.NONE]
    assert feedback.CHOSEN["mnist"].keys() <= feedback.KINDS.keys()


@pytest.mark.parametrize("arm", [feedback.FIXED, feedback.LEARNED])
def test_a_training_that_is_looked_at_is_the_same(
    arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(measuring.EPOCHS, "digits", 3)
    seen: list[tuple[int, float]] = []

    def look(net: Network, epoch: int) -> None:
        seen.append((epoch, feedback.cosine(net)))

    parts = feedback.trained("digits", arm, 1, look)
    settings = vars(feedback.settings_of("digits", arm))
    whole = train("digits", seed=1, verbose=0, **settings).network
    assert parts.sha256 == whole.sha256
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3]
    assert abs(seen[0][1]) < 0.1 < seen[-1][1] == feedback.cosine(whole)
    found = feedback._train(Case("digits", arm), 1, Context(QUICK, tmp_path))
    angles = [found[feedback.ANGLE.format(epoch)] for epoch, _ in seen]
    assert angles == pytest.approx(np.degrees(np.arccos([cosine for _, cosine in seen])))


@pytest.mark.parametrize(
    ("epochs", "looked_at"),
    [(0, (0,)), (1, (0, 1)), (4, (0, 1, 2, 4)), (20, (0, 1, 2, 10, 20))],
)
def test_angles_are_told_over_all_of_training(epochs: int, looked_at: tuple[int, ...]) -> None:
    assert feedback.looked_at(epochs) == looked_at


def test_the_angle_is_that_of_the_least_aligned_coupling() -> None:
    settings = feedback.settings_of("digits", feedback.FIXED)
    net = begin(measuring.load("digits"), settings, 1).trainer.network()
    first, *others = [c for c in net.couplings if c.own_feedback is not None]
    ways = {
        c.name: replace(c, own_feedback=OwnFeedback(c.parameters if c in others else -c.parameters))  # type: ignore[call-arg] # all have it
        for c in (first, *others)
    }
    turned = replace(net, couplings=tuple(ways.get(c.name, c) for c in net.couplings))
    assert others
    assert feedback.cosine(turned) == pytest.approx(-1)


@pytest.mark.parametrize("track", [one for one in find() if one.learned], ids=lambda one: one.name)
def test_nothing_is_judged_beside_what_never_learned(track: Track) -> None:
    record = read_record(PUBLISHED / "verification.json", Verification, InputError)
    own = next(one for one in record.results if one.ids == track.ids)
    assert track.judge(own.rows).controlled
    known = {(quantity, arm) for quantity, arms in track.learned.items() for arm in arms}
    tried = 0
    for dead in own.rows:
        if (dead.quantity, dead.arm) in known and dead.data in FLOORS:
            values = tuple(10.0 for _ in dead.values)
            rows = [replace(one, values=values) if one is dead else one for one in own.rows]
            found = track.judge(rows)
            assert (found.outcome, found.controlled) == ("not testable here", False)
            assert found.sentence.startswith(f"{dead.arm[0].upper()}{dead.arm[1:]} reaches 10.0 %")
            tried += 1
    assert tried
