"""A variant of a track that is broken on purpose changes the track's verdict.

Some train on torch tensors, so that all are tested here.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.track import QUICK, Judged, Track, find


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tracks share trained networks here."""
    return tmp_path_factory.mktemp("tracks")


def judged(track: Track, work: Path, broken: str = "") -> Judged:
    rows = track.measure(replace(QUICK, broken=broken), Place(work)).rows
    return track.judge(rows)


def variants() -> list[tuple[Track, str]]:
    return [(track, broken) for track in find() for broken in track.broken]


@pytest.mark.parametrize(
    ("track", "broken"), variants(), ids=[f"{track.name}-{name}" for track, name in variants()]
)
def test_a_broken_variant_changes_the_verdict(track: Track, broken: str, work: Path) -> None:
    before, after = judged(track, work), judged(track, work, broken)
    assert before.controlled, before.sentence
    assert after.outcome != before.outcome, (before, after)
