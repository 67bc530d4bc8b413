"""What a track is, what it is measured under, and which there are: each is one file here."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path

from toreq_hw.errors import InputError
from toreq_hw.reached_code import digest_of_reached
from toreq_hw.records.verification import Drawing, Outcome, Side, TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.claims import CLAIMS, Ids

_HOLDS_ONE = re.compile(r"^TRACK\b.*= Track\(", re.MULTILINE)


CHANGED_LATER = " This rule was changed after figures of digits had been seen."
"""At the end of such thresholds."""


@dataclass(frozen=True)
class Settings:
    """What every track is told. seeds: from 1 on. quick: for checks only.

    data: names of real data sets. samples: test samples at most, None for all. broken: what is
    broken on purpose, a name in `Track.broken`; "" for nothing.
    """

    seeds: int = 5
    quick: bool = False
    data: tuple[str, ...] = ("digits", "mnist")
    samples: int | None = None
    broken: str = ""


QUICK = Settings(seeds=1, quick=True, data=("digits",))


@dataclass(frozen=True)
class Judged:
    """The verdict of a track. sentence: what was found, then sentences with figures by case.

    favours: whom they speak for. controlled: whether the control behaved as it must.
    """

    outcome: Outcome
    sentence: str
    favours: Side = "neither"
    controlled: bool = True


FLOORS: Mapping[str, float] = {
    "digits": 80.0,
    "mnist": 80.0,
    "fashion-mnist": 60.0,
    "cartpole": 60.0,
    "acrobot": 60.0,
    "cifar-10": 15.0,
    "reversal-8": 50.0,
}
"""Per cent that what a track compares with must reach: far above chance, below any sound net. They
were added after figures had been seen."""


@dataclass(frozen=True)
class Measured:
    """Rows of a track, and the seconds of all its runs."""

    rows: tuple[TrackRow, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Track:
    """One published claim, and how it is measured and judged.

    ids: its numbers, a key of `CLAIMS`. name: of its file. setup, control: what is measured, and
    what would show that it measures nothing. thresholds: of the verdict, with their reasons, stated
    before anything ran, or else ending in `CHANGED_LATER`. sources: what the figures come from.
    broken: by name, what a deliberately broken variant does; each must change the verdict. picture:
    the quantity that the page plots. better: what the side that its figures speak for does better,
    such as `forgets less`. show: images of trained networks, for the page. learned: by quantity,
    the arms that must reach `FLOORS`, for else a comparison with them says nothing.
    """

    ids: Ids
    name: str
    setup: str
    control: str
    thresholds: str
    sources: str
    measure: Callable[[Settings, Place], Measured]
    verdict: Callable[[Sequence[TrackRow]], Judged]
    broken: Mapping[str, str]
    picture: str = ""
    better: str = ""
    show: Callable[[Settings, Place], tuple[Drawing, ...]] | None = None
    learned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def claim(self) -> str:
        """As it was published."""
        return CLAIMS[self.ids]

    def judge(self, rows: Sequence[TrackRow]) -> Judged:
        """The verdict, unless something that it compares with never learned."""
        judged = self.verdict(rows)
        for row in rows:
            floor = FLOORS.get(row.data, 0.0)
            if row.arm in self.learned.get(row.quantity, ()) and row.mean < floor:
                low = (
                    f"{row.arm} reaches {row.mean:.1f} % on {row.data}, and must reach {floor:g} %."
                )
                sentence = f"{low[0].upper()}{low[1:]} {judged.sentence}"
                return Judged("not testable here", sentence, controlled=False)
        return judged

    @property
    def code(self) -> str:
        """Digest of what measures it, not of what judges and words it."""
        return digest_of_reached(self.measure)[:16]


@cache
def find() -> tuple[Track, ...]:
    """Every track there is, in the order of `CLAIMS`.

    Raises InputError for one that is not called as its file, or has the numbers of another.
    """
    found: dict[Ids, Track] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not _HOLDS_ONE.search(path.read_text(encoding="utf-8")):
            continue
        track = import_module(f"{__package__}.{path.stem}").TRACK
        if track.name != path.stem or track.ids not in CLAIMS or track.ids in found:
            raise InputError(
                f"{path}: TRACK must be called {path.stem} and have numbers of its own in CLAIMS, "
                f"found {track.name} with {', '.join(track.ids)}"
            )
        found[track.ids] = track
    return tuple(found[ids] for ids in CLAIMS if ids in found)


def chosen(ids: Sequence[str]) -> tuple[Track, ...]:
    """The tracks that these numbers name, each once. Raises InputError for any other."""
    tracks = find()
    known = [one for track in tracks for one in track.ids]
    for one in ids:
        if one in known:
            continue
        if any(one in group for group in CLAIMS):
            raise InputError(f"track {one} must have a study, found none yet; see --list")
        raise InputError(f"track must be one of {', '.join(known)}, not {one[:40]!r}")
    return tuple(track for track in tracks if set(ids) & set(track.ids))
