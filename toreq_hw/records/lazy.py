"""What cores save that send less or stop sooner: the record of `toreq-hw lazy`."""

from dataclasses import dataclass

from toreq_hw.records.workload import Workload


@dataclass(frozen=True)
class Effort:
    """How much a core does: threshold 0 is lossless; limit: sweeps, None where it settles."""

    threshold: int = 0
    limit: int | None = None


@dataclass(frozen=True)
class Measured:
    """What one core did. right: which images got their class right, a bit an image, first image in
    the highest bit of the first byte, hexadecimal.
    """

    workload: Workload
    right: str


@dataclass(frozen=True)
class Saving:
    """A core of some effort, beside the one that is lossless and settles.

    saved: fraction of its mean cycles. lost, won: images that it alone gets right, and those that
    it alone gets wrong. p_value: of a difference as large where neither is better (McNemar's exact
    test).
    """

    effort: Effort
    workload: Workload
    saved: float
    lost: int
    won: int
    p_value: float


@dataclass(frozen=True)
class LazyNetwork:
    """One network on one test set. name: with its shape and lanes. savings: as asked, the lossless
    core that settles first.
    """

    name: str
    sha256: str
    data: str
    split: str
    lanes: int
    savings: tuple[Saving, ...]


@dataclass(frozen=True)
class LazyRecord:
    """All networks, in the order in which they were named."""

    networks: tuple[LazyNetwork, ...]
    versions: dict[str, str]
