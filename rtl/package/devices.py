"""The devices that an exported core is placed on by Yosys and nextpnr, and whether it fits."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """One device of a family. option: of nextpnr. needed: blocks of block RAM that the core takes,
    by an estimate that is seldom one too high; blocks: that the device has, of `block_bits` bits.
    other_lanes: with which the memories of the same network would fit.
    """

    title: str
    option: str
    needed: int
    blocks: int
    block_bits: int
    other_lanes: Sequence[int] = ()

    @property
    def fits(self) -> bool:
        """Whether the memories do; only place and route knows of the logic."""
        return self.needed <= self.blocks

    @property
    def memories(self) -> str:
        """What is needed, and what is there."""
        return f"memories need {self.needed} of {self.blocks} blocks of {self.block_bits} bits"

    @property
    def verdict(self) -> str:
        """One line for people: what fits, or what to do."""
        if self.fits:
            return f"{self.title}: {self.memories}"
        lanes = " or ".join(map(str, self.other_lanes))
        way = f"export with --lanes {lanes}" if lanes else "no number of lanes fits"
        return f"{self.title} is too small: {self.memories}; {way}"


@dataclass(frozen=True)
class Devices:
    """What the targets ice40 and ecp5 build for."""

    ice40: Device
    ecp5: Device
