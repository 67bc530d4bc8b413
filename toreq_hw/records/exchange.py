"""Networks that come from other tools and go to them: ONNX files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Carried:
    """How one coupling was carried over, and what its layer computes beside the graph's.

    exact: the integers stand for the very weights; otherwise they were rounded to INT8, which
    sqnr_db and clipped_fraction tell. pre_scale, post_scale: the real value of one step of a state
    at either end. Of `states` compared, feedback left out: ties differ by one where a rounding
    boundary lies on the exact sum or within the graph's float error; moved differ because weights
    were rounded, by at most `largest`; lowest have the graph's lowest signed integer, which no
    population has.
    """

    coupling: str
    exact: bool
    sqnr_db: float | None
    clipped_fraction: float
    pre_scale: float
    post_scale: float
    states: int
    ties: int
    moved: int
    largest: int
    lowest: int


@dataclass(frozen=True)
class Imported:
    """What `toreq-hw import --json` writes. file: the network's. couplings: of an MLP; none for a
    network that came back as it was exported.
    """

    network_sha256: str
    file: str
    couplings: tuple[Carried, ...]
    versions: dict[str, str]


@dataclass(frozen=True)
class VerifiedExport:
    """images: of data set `data`, that ran in both. differing: on which anything differs. None
    where nothing was asked to be verified.
    """

    data: str
    images: int | None
    differing: int | None


@dataclass(frozen=True)
class Exported:
    """What `toreq-hw export --json` writes. format: onnx or qonnx. file: the graph's."""

    network_sha256: str
    format: str
    file: str
    nodes: int
    operator_set: int
    verified: VerifiedExport
    versions: dict[str, str]
