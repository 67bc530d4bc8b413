"""Whether deep networks beat those of one hidden layer and as many synapses."""

from dataclasses import dataclass

from toreq_hw.records.intervals import Interval
from toreq_hw.records.structured import StructuredRun


@dataclass(frozen=True, kw_only=True)
class DepthCase:
    """One candidate. learning_layers: couplings of the longest way from the input to the output.

    held_out: accuracy on held-out training samples, in per cent, mean over the seeds of the choice.
    chosen: whether it is the best of its side.
    """

    name: str
    layers: str
    settings: str
    synapses: int
    learning_layers: int
    held_out: float
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class DepthPair:
    """Deep candidates beside shallow ones. deep, shallow: test accuracy of the chosen ones over
    seeds, in per cent. difference: deep less shallow, of equal seeds. Intervals are of 95 %.
    """

    name: str
    data: str
    cases: tuple[DepthCase, ...]
    deep: Interval
    shallow: Interval
    difference: Interval
    runs: tuple[StructuredRun, ...]


@dataclass(frozen=True)
class Depth:
    """Every pair. versions: of what made the record."""

    pairs: tuple[DepthPair, ...]
    versions: dict[str, str]
