"""A relaxation in figures: accuracy, how long it took to settle, what it cost."""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.network import check_classes
from toreq_hw.records.relaxed import Cycled
from toreq_hw.records.summary import Spread, Summary


@named_type_errors
def spread(values: npt.NDArray[np.integer]) -> Spread:
    """Of a non-empty 1-d integer array. values: integers, shape (n,)."""
    p50, p95, p99 = np.percentile(values, (50, 95, 99), method="inverted_cdf").astype(int).tolist()
    return Spread(float(values.mean()), p50, p95, p99, int(values.max()))


@named_type_errors
def summarise(relaxation: PhaseResult, labels: npt.ArrayLike) -> Summary:
    """Figures of a non-empty batch; labels: (batch,). Raises InputError.

    Of a readout with several rows (batch, rows): a sample is right where all of them are.
    """
    classes = check_classes(relaxation.network, labels, len(relaxation.classes))
    right = (relaxation.classes == classes).reshape(len(classes), -1).all(axis=1)
    return Summary(
        samples=len(classes),
        accuracy=float(np.mean(right)),
        sweeps=spread(relaxation.sweeps),
        unsettled=relaxation.unsettled,
        events_per_sample=float(np.mean(relaxation.events + relaxation.input_events)),
        synops_per_sample=float(np.mean(relaxation.synops)),
        dense_synops_per_sample=float(np.mean(relaxation.dense_synops)),
    )


@named_type_errors
def cycles_in(relaxation: PhaseResult) -> tuple[Cycled, ...]:
    """How many samples ended in a cycle of each exact period, shortest first."""
    cycled = relaxation.periods[relaxation.status == Status.CYCLE]
    periods, samples = np.unique(cycled, return_counts=True)
    return tuple(map(Cycled, periods.tolist(), samples.tolist()))
