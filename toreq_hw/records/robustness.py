"""The record of `make robustness`: campaigns, learning and damage, critical weights."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from toreq_hw.records.campaign import Campaign
from toreq_hw.records.critical import BitDamage, Critical, SingleFlips
from toreq_hw.records.recovery import Asymmetry, Hardening, Recovery


@dataclass(frozen=True)
class DataStudy:
    """Everything on one data set. shape: neurons by population. The last three: UNSET where only
    a few campaigns were asked for.
    """

    split: str
    shape: tuple[int, ...]
    image_shape: tuple[int, ...]
    network_sha256: str
    campaigns: tuple[Campaign, ...]
    recovery: tuple[Recovery, ...]
    hardening: Hardening | None
    asymmetry: Asymmetry | None
    critical_lines: tuple[float, ...] | UnsetType = UNSET
    critical_bits: tuple[BitDamage, ...] | UnsetType = UNSET
    single_flips: SingleFlips | UnsetType = UNSET

    @property
    def critical(self) -> Critical | None:
        """The last three fields; None where they were not measured."""
        lines, bits, flips = self.critical_lines, self.critical_bits, self.single_flips
        if lines is UNSET or bits is UNSET or flips is UNSET:
            return None
        return Critical(lines, bits, flips)


@dataclass(frozen=True)
class RecomputedBaselines:
    """Trials of feed-forward networks that were run again after the others, and by which code."""

    recomputed: tuple[str, ...]
    sources: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Robustness:
    """By name of the data set. sources: digest of the code that trials and learning depend on."""

    seed: int
    quick: bool
    data: dict[str, DataStudy]
    sources: str
    versions: dict[str, str]
    twins: RecomputedBaselines | UnsetType = UNSET

    @property
    def passed(self) -> bool:
        """Whether every control held."""
        return all(c.controls.passed for study in self.data.values() for c in study.campaigns)
