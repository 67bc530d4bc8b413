"""What a core saves if it does less, and what that costs: sending less, or stopping sooner.

The lossy mode withholds small moves of states (docs/numerics.md, section 3). Its control is the
lossless core that is stopped after a few sweeps, settled or not: a core can do that without any
threshold. Both are compared with the lossless core that settles, image by image.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import stats

from toreq_hw import data
from toreq_hw.network import Network
from toreq_hw.records.lazy import Effort, Saving
from toreq_hw.records.workload import Workload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.targets.workload import measured


def savings(
    network: Network,
    lanes: int,
    dataset: data.Dataset,
    thresholds: tuple[int, ...],
    limits: tuple[int, ...],
) -> Iterator[Saving]:
    """The whole test set with each effort, the full one first. Raises NetworkError, before anything
    is measured, where a core cannot hold the network, a threshold or a limit.
    """
    efforts = [
        Effort(),
        *(Effort(threshold=t) for t in thresholds),
        *(Effort(limit=n) for n in limits),
    ]
    cores = [_core(network, lanes, effort) for effort in efforts]
    full: tuple[Workload, npt.NDArray[np.bool_]] | None = None
    for effort, core in zip(efforts, cores, strict=True):
        found = measured(network, core, dataset, effort.threshold)
        full = full or found
        yield _saving(effort, *found, *full)


def _core(network: Network, lanes: int, effort: Effort) -> CoreParameters:
    if effort.limit is not None:
        return CoreParameters.of(network, lanes, effort.limit)
    return CoreParameters.of(network, lanes, threshold=effort.threshold or None)


def _saving(
    effort: Effort,
    found: Workload,
    right: npt.NDArray[np.bool_],
    full: Workload,
    full_right: npt.NDArray[np.bool_],
) -> Saving:
    lost, won = (int(np.count_nonzero(k)) for k in (full_right & ~right, right & ~full_right))
    return Saving(
        effort=effort,
        workload=found,
        saved=1 - found.cycles_mean / full.cycles_mean,
        lost=lost,
        won=won,
        p_value=float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0,
    )
