"""The record of `toreq-hw learning`: cores that learn, on boards."""

from dataclasses import dataclass

from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.energy import EnergyRecord
from toreq_hw.records.intervals import Interval


@dataclass(frozen=True)
class SampleCycles:
    """Cycles a training sample on the core. phases: means of FREE, NUDGE_POSITIVE, NUDGE_NEGATIVE
    and LEARN. idle: the fraction of samples in which nothing was to be learned.
    """

    samples: int
    mean: float
    p50: int
    p95: int
    p99: int
    phases: tuple[float, ...]
    idle: float


@dataclass(frozen=True, kw_only=True)
class LearningRun:
    """One training with one seed. accuracy: on the test images, after the last epoch.

    first, later: of the first epoch's samples, and of all others'. sweeps: mean a phase.
    unsettled: phases that met the limit on sweeps.
    """

    seed: int
    split: str
    accuracy: float
    train_accuracy: float
    first: SampleCycles
    later: SampleCycles
    sweeps: float
    unsettled: int
    network_sha256: str


@dataclass(frozen=True)
class LinkLoad:
    """Means of bytes a sample on the line, frames and escapes included: what the host sends, and
    what the board answers.
    """

    request: float
    answer: float


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a learner is to reach; None where nothing is asked. Times are means of core time a
    sample, p99 among the later epochs' samples.
    """

    accuracy: float | None = None
    first_us: float | None = None
    later_us: float | None = None
    p99_us: float | None = None


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A core that learns one data set on one board.

    sizes: of all populations. settings: of the rule, in words. clock_hz: of the core. accuracy:
    over seeds, in per cent, with an interval of 95 %. dense_cycles: of a sample that skips nothing.
    synthesis: None where it could not be built, and `not_built` says why. outdated: core or link
    have changed since it was built.
    """

    name: str
    board: str
    title: str
    data: str
    sizes: tuple[int, ...]
    weights: str
    latent_bits: int
    lanes: int
    learn_lanes: int
    settings: str
    clock_hz: float
    asked: Asked
    accuracy: Interval
    runs: tuple[LearningRun, ...]
    dense_cycles: float
    link: LinkLoad
    synthesis: SynthesisRecord | None
    not_built: str
    energy: EnergyRecord
    outdated: bool = False

    @property
    def clock_mhz(self) -> float:
        """Of the core."""
        return self.clock_hz / 1e6


@dataclass(frozen=True)
class Learning:
    """All learners, in the order of their list."""

    rows: tuple[Learner, ...]
    versions: dict[str, str]
