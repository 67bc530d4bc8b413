"""What a core saves if it does less, and what that costs: sending less, or stopping sooner.

The lossy mode leaves small deltas unsent (docs/numerics.md, section 3). Its control is the
lossless core that is stopped after a few sweeps, settled or not: a core can do that without any
threshold. Both are compared with the lossless core that settles, image by image.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from toreq_hw import data
from toreq_hw.network import Network
from toreq_hw.records.lazy import Effort, Measured, Saving
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.targets.workload import measure_workload


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
    efforts = efforts_of(thresholds, limits)
    check(network, lanes, efforts)
    full: Measured | None = None
    for effort in efforts:
        found = measure(network, lanes, dataset, effort)
        full = full or found
        yield saving(effort, found, full)


def efforts_of(thresholds: Sequence[int], limits: Sequence[int]) -> list[Effort]:
    """The full effort, each threshold, each limit."""
    return [
        Effort(),
        *(Effort(threshold=t) for t in thresholds),
        *(Effort(limit=n) for n in limits),
    ]


def check(network: Network, lanes: int, efforts: Iterable[Effort]) -> None:
    """Raises NetworkError where a core cannot hold the network, a threshold or a limit."""
    for effort in efforts:
        _core(network, lanes, effort)


def measure(network: Network, lanes: int, dataset: data.Dataset, effort: Effort) -> Measured:
    """The whole test set with one effort. Raises NetworkError as `check` does."""
    found, right = measure_workload(
        network, _core(network, lanes, effort), dataset, effort.threshold
    )
    return Measured(found, np.packbits(right).tobytes().hex())


def saving(effort: Effort, found: Measured, full: Measured) -> Saving:
    """What an effort saves beside the full one."""
    right, full_right = (_bits(one.right) for one in (found, full))
    lost, won = (int(np.count_nonzero(k)) for k in (full_right & ~right, right & ~full_right))
    return Saving(
        effort=effort,
        workload=found.workload,
        saved=1 - found.workload.cycles_mean / full.workload.cycles_mean,
        lost=lost,
        won=won,
        p_value=float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0,
    )


def _bits(right: str) -> npt.NDArray[np.bool_]:
    """A bool an image; up to 7 more, which are False."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(right), dtype=np.uint8)).astype(np.bool_)


def _core(network: Network, lanes: int, effort: Effort) -> CoreParameters:
    if effort.limit is not None:
        return CoreParameters.of(network, lanes, effort.limit)
    return CoreParameters.of(network, lanes, threshold=effort.threshold or None)
