"""What the page of a deployment shows beside its table of figures."""

from dataclasses import dataclass

from toreq_hw.records.chip import ChipRecord


@dataclass(frozen=True)
class Deployment:
    """split: which samples ran. notes: sentences that a person must read. chip: None for a target
    that is no chip.
    """

    split: str
    passed: bool
    notes: tuple[str, ...]
    versions: dict[str, str]
    chip: ChipRecord | None
