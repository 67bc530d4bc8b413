"""The record of `toreq-hw rtl`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CoreFiles:
    """A core that was written. network: its SHA-256. threshold: of the lossy mode, None for
    lossless. memory_bits: by memory. files: paths, by what they hold.
    """

    network: str
    lanes: int
    threshold: int | None
    accumulator_bits: int
    memory_bits: dict[str, int]
    files: dict[str, str]
    versions: dict[str, str]
