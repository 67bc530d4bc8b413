"""The record of `toreq-hw rtl`."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType


@dataclass(frozen=True)
class CoreFiles:
    """A core that was written. network: its SHA-256. threshold: of the lossy mode, None for
    lossless. memory_bits: by memory. files: paths, by what they hold. learn_lanes, latent_bits (by
    coupling): of a core that learns. accumulator_register: of a core that has it.
    """

    network: str
    lanes: int
    threshold: int | None
    accumulator_bits: int
    memory_bits: dict[str, int]
    files: dict[str, str]
    versions: dict[str, str]
    learn_lanes: int | UnsetType = UNSET
    latent_bits: dict[str, int] | UnsetType = UNSET
    accumulator_register: bool | UnsetType = UNSET
