"""The record of `toreq-hw simulate`."""

from dataclasses import dataclass

from toreq_hw.records.summary import Summary


@dataclass(frozen=True)
class Relaxed(Summary):
    """A relaxation in figures, and how it was made. threshold: of the lossy mode, 0 for lossless.

    bit_exact: all engines gave the same bits; None where one ran. sparsity: of the network.
    """

    data: str
    split: str
    engine: str
    threshold: int
    images_per_second: float
    bit_exact: bool | None
    sparsity: float
    network_sha256: str
    versions: dict[str, str]
