"""What `toreq-hw verify` found: each published claim, measured beside a control, and judged."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from toreq_hw.records.intervals import Interval, interval

Outcome = Literal["holds", "holds within limits", "refuted", "not testable here"]

Side = Literal["EqProp", "backpropagation", "neither"]


@dataclass(frozen=True)
class TrackRun:
    """One case with one seed. values: by the quantity's name with its unit, such as `accuracy, %`.

    seconds: wall-clock of this run, trainings that were kept before left out.
    """

    values: dict[str, float]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrackRow:
    """One quantity of one case. arm: what is compared, such as `parity, limited`.

    values: one a seed, from seed 1 on; of a record that was taken in, as many as it gives.
    control: whether the row belongs to the control. given: the interval of a record that was taken
    in without the values behind it.
    """

    data: str
    arm: str
    quantity: str
    values: tuple[float, ...]
    control: bool = False
    given: Interval | None = None

    @cached_property
    def interval(self) -> Interval | None:
        """Of 95 %, from the t distribution; None of one value."""
        if self.given or len(self.values) < 2:  # one value has no spread
            return self.given
        return interval(self.values)

    @property
    def mean(self) -> float:
        """Of all values."""
        return sum(self.values) / len(self.values)

    @property
    def low(self) -> float:
        """Lower end of the interval; the mean of one value."""
        return self.mean if self.interval is None else self.interval.low

    @property
    def high(self) -> float:
        """Upper end of the interval; the mean of one value."""
        return self.mean if self.interval is None else self.interval.high


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What a page shows besides figures: images side by side, of one network.

    images: rows of states of each, integers. columns: images in a line.
    """

    caption: str
    images: tuple[tuple[tuple[int, ...], ...], ...]
    columns: int


@dataclass(frozen=True, kw_only=True)
class TrackResult:
    """One track. ids: its numbers in what was published. name: its file.

    outcome, sentence: the verdict. favours: the side for which the figures speak. controlled:
    whether the control behaved as it must; else the track measured nothing. seconds: of all its
    runs. command: what repeats it. code: digest of what measured it. better: what the favoured side
    does better. drawings: of seed 1.
    """

    ids: tuple[str, ...]
    name: str
    claim: str
    setup: str
    control: str
    thresholds: str
    sources: str
    outcome: Outcome
    sentence: str
    favours: Side
    controlled: bool
    seeds: int
    rows: tuple[TrackRow, ...]
    picture: str
    seconds: float
    command: str
    code: str
    better: str = ""
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True)
class NotRun:
    """A track that this record has no measurement of."""

    ids: tuple[str, ...]
    claim: str


@dataclass(frozen=True)
class Verification:
    """Every track. quick: small, for checks only. versions: of what made it. failed: what could not
    be measured the last time, a sentence a track.
    """

    quick: bool
    results: tuple[TrackResult, ...]
    not_run: tuple[NotRun, ...]
    versions: dict[str, str]
    failed: tuple[str, ...] = ()

    @property
    def controlled(self) -> bool:
        """Whether every control behaved as it must."""
        return all(result.controlled for result in self.results)
