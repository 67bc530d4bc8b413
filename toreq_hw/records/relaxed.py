"""The record of `toreq-hw simulate`."""

from dataclasses import dataclass

from toreq_hw.records.summary import Summary


@dataclass(frozen=True)
class Cycled:
    """How many samples ended in a cycle whose states return after `period` sweeps, exactly."""

    period: int
    samples: int


@dataclass(frozen=True)
class Relaxed(Summary):
    """A relaxation in figures, and how it was made. threshold: of the lossy mode, 0 for lossless.

    cycles: of samples that did not settle, shortest first. The limit on sweeps ended the others of
    these, so that nothing is known of their cycles.
    bit_exact: all engines gave the same bits; None where one ran. sparsity: of the network.
    """

    cycles: tuple[Cycled, ...]
    data: str
    split: str
    engine: str
    threshold: int
    images_per_second: float
    bit_exact: bool | None
    sparsity: float
    network_sha256: str
    versions: dict[str, str]

    @property
    def at_sweep_limit(self) -> int:
        """How many samples the limit on sweeps ended."""
        return self.unsettled - sum(cycled.samples for cycled in self.cycles)
