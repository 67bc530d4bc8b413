"""Networks of every kind of coupling, trained, beside baselines of the same shape and budget."""

from dataclasses import dataclass

from toreq_hw.records.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class StructuredRun:
    """One training, measured on the test images.

    learner: `integer`, the on-chip rule; `backprop`, backpropagation of the same shape in float
    with the same quantisers and epochs. accuracy, train_accuracy: fractions; the second of the last
    epoch. sweeps_mean, sweeps_p99: of the free phase. unsettled: test images that did not settle.
    synops, dense_synops: means an image. All of these are None for backpropagation.
    epoch_seconds: median of the wall-clock seconds of an epoch. kernels: of a first coupling with
    two axes, the weights from the first channel to each: (channels, rows, columns).
    """

    case: str
    learner: str
    seed: int
    split: str
    epochs: int
    accuracy: float
    train_accuracy: float
    epoch_seconds: float
    sparsity: float
    network_sha256: str
    sweeps_mean: float | None = None
    sweeps_p99: int | None = None
    unsettled: int | None = None
    synops: float | None = None
    dense_synops: float | None = None
    kernels: tuple[tuple[tuple[int, ...], ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class StructuredCase:
    """One network on one data set. layers, settings: in words. synapses: stored weights.

    published: what others reached, in words. at_least: the fraction that is asked for, or None.
    integer, backprop: accuracy over seeds, in per cent; the interval is of 95 %, from the t
    distribution, and as wide as nothing where there is one seed.
    """

    name: str
    data: str
    layers: str
    weights: str
    settings: str
    synapses: int
    published: str
    at_least: float | None
    integer: Interval
    backprop: Interval | None
    runs: tuple[StructuredRun, ...]


@dataclass(frozen=True)
class Structured:
    """Every case. versions: of what made the record."""

    cases: tuple[StructuredCase, ...]
    versions: dict[str, str]
