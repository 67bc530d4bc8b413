"""The record of `make sim`: what one small network did."""

from dataclasses import dataclass

from toreq_hw.records.summary import Summary
from toreq_hw.records.training import TrainedEpoch


@dataclass(frozen=True)
class ReturnToEquilibrium:
    """Of `samples` settled networks with one state bit flipped each, how many returned.

    exact: to the same equilibrium. same_class: at least to the same class.
    """

    samples: int
    exact: int
    same_class: int


@dataclass(frozen=True)
class _Trained:
    """What was trained. shape: neurons by population."""

    data: str
    split: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Simulation(Summary, _Trained):
    """The demonstration: of the relaxation what `Summary` states, and the rest of the page.

    float_accuracies: of float equilibrium propagation on the same shape, one a seed; their mean is
    float_accuracy. bit_exact: all engines gave the same bits. healed_fraction: of samples that
    returned to the same equilibrium.
    """

    float_accuracy: float
    float_accuracies: tuple[float, ...]
    sparsity: float
    bit_exact: bool
    healed_fraction: float
    healing: ReturnToEquilibrium
    history: tuple[TrainedEpoch, ...]
    network_sha256: str
    seed: int
    seconds: float
    versions: dict[str, str]
