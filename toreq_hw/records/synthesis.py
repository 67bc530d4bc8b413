"""The record of `toreq-hw reports`: every published design, built and measured."""

from dataclasses import dataclass

from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.energy import EnergyRecord
from toreq_hw.records.workload import Workload


@dataclass(frozen=True)
class DesignNetwork:
    """The network of a design, by the name of its file. weights: its formats, in words."""

    name: str
    sha256: str
    weights: str


@dataclass(frozen=True)
class Latency:
    """Times of a test image, percentiles over the test set in us, and images a second."""

    p50_us: float
    p95_us: float
    p99_us: float
    images_per_s: float


@dataclass(frozen=True)
class Figures:
    """What a design does with its test set."""

    workload: Workload
    energy: EnergyRecord


@dataclass(frozen=True)
class Design:
    """A design that was built. latency: at the PLL's clock; None where that clock is not met."""

    name: str
    network: DesignNetwork
    workload: Workload
    synthesis: SynthesisRecord
    latency: Latency | None
    energy: EnergyRecord

    @property
    def title(self) -> str:
        """What the design is called wherever it is shown."""
        return f"{self.network.name} on {self.synthesis.board}, {self.synthesis.lanes} lanes"


@dataclass(frozen=True)
class Failure:
    """A design that could not be built, and why."""

    name: str
    error: str


@dataclass(frozen=True)
class Synthesis:
    """All designs, in the order of their list."""

    rows: tuple[Design, ...]
    failures: tuple[Failure, ...]
    versions: dict[str, str]
