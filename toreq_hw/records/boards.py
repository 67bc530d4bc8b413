"""The record of `toreq-hw boards`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BoardFacts:
    """One board. lanes: of the core that is built unless asked otherwise. lut4, dsp, spram_bits,
    block_ram_bits: what the device holds. source: where that stands.
    """

    name: str
    title: str
    family: str
    oscillator_hz: int
    clock_hz: int
    lanes: int
    block_ram_bits: int
    spram_bits: int
    lut4: int
    dsp: int
    source: str


@dataclass(frozen=True)
class Boards:
    """All of them, a board file's last."""

    boards: tuple[BoardFacts, ...]
    versions: dict[str, str]
