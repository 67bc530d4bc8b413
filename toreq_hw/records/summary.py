"""A relaxation in figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Mean, percentiles (of the samples themselves, no interpolation) and maximum."""

    mean: float
    p50: int
    p95: int
    p99: int
    max: int


@dataclass(frozen=True)
class Summary:
    """What a batch took, per sample where the name says so.

    events and synops include the input's. dense_synops: the machine described in
    docs/numerics.md, section 4, that recomputes everything and stops as early.
    """

    samples: int
    accuracy: float
    sweeps: Spread
    unsettled: int
    events_per_sample: float
    synops_per_sample: float
    dense_synops_per_sample: float
