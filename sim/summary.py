"""A relaxation in figures: accuracy, how long it took to settle, what it cost."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.results import PhaseResult
from toreq_hw.network import check_labels


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


def spread(values: npt.NDArray[np.integer]) -> Spread:
    """Of a non-empty 1-d integer array."""
    p50, p95, p99 = np.percentile(values, (50, 95, 99), method="inverted_cdf").astype(int).tolist()
    return Spread(float(values.mean()), p50, p95, p99, int(values.max()))


def summarise(relaxation: PhaseResult, labels: npt.ArrayLike) -> Summary:
    """Figures of a non-empty batch; labels: (batch,). Raises InputError."""
    classes = check_labels(relaxation.network.output, labels, len(relaxation.classes))
    return Summary(
        samples=len(classes),
        accuracy=float(np.mean(relaxation.classes == classes)),
        sweeps=spread(relaxation.sweeps),
        unsettled=relaxation.unsettled,
        events_per_sample=float(np.mean(relaxation.events + relaxation.input_events)),
        synops_per_sample=float(np.mean(relaxation.synops)),
        dense_synops_per_sample=float(np.mean(relaxation.dense_synops)),
    )
