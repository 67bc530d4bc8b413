"""Controls of tracks do what their names say, whatever comes out of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toreq_hw.data import Dataset
from toreq_hw.errors import DataError
from toreq_hw.network import WeightFormat
from toreq_hw.sim.learning import Trainer
from toreq_hw.studies.tracks import convolution, feedback, measuring, nudges
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.track import QUICK
from toreq_hw.training.integer import IntegerSettings, begin


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


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_feedback_can_be_almost_none_on_every_data_set(name: str) -> None:
    try:
        dataset = measuring.load(name)
    except DataError as error:
        pytest.skip(f"{name} IS ABSENT: {error}")
    half = measuring.HIDDEN[name] // 2
    weak = feedback.WEAKEST.get(name, feedback.WEAK)
    settings = IntegerSettings(
        hidden=(half, half), weights=WeightFormat.INT8, feedback_shifts=(weak, weak)
    )
    begin(dataset, settings, 1)
