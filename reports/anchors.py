"""What others have published for MNIST on FPGAs, to be read beside our own rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """What a published design counts its logic in. lut4: one of it in LUT4, low and high."""

    name: str
    lut4: tuple[float, float]


LUT6 = Unit("LUT6", (1.6, 4.0))
"""Low: logic cells a LUT6 in Xilinx' own tables (DS180: XC7A35T, 33,280 cells in 20,800 LUT6);
high: any function of six inputs takes four LUT4 and the multiplexers of an ECP5 slice."""

LOGIC_CELL = Unit("logic cells", (1.0, 4.0))
"""One LUT4 with its flip-flop, unless its author means a LUT6."""


@dataclass(frozen=True)
class Anchor:
    """A published design. accuracy: of 1, on MNIST. unit: what `luts` counts.

    latency_us: of one image, None where none is stated.
    """

    name: str
    device: str
    accuracy: float
    luts: int
    unit: Unit
    latency_us: float | None
    source: str

    @property
    def lut4(self) -> tuple[int, int]:
        """The same in LUT4, from its low to its high end."""
        low, high = self.unit.lut4
        return round(self.luts * low), round(self.luts * high)


ANCHORS = (
    Anchor(
        name="FINN LFC-max",
        device="ZC706",
        accuracy=0.984,
        luts=83_000,
        unit=LUT6,
        latency_us=2.4,
        source="Umuroglu et al., FINN, 2017",
    ),
    Anchor(
        name="FINN SFC-max",
        device="ZC706",
        accuracy=0.958,
        luts=91_000,
        unit=LUT6,
        latency_us=0.31,
        source="Umuroglu et al., FINN, 2017",
    ),
    Anchor(
        name="DWN, encoder included",
        device="Basys3",
        accuracy=0.978,
        luts=3500,
        unit=LUT6,
        latency_us=0.048,
        source="Differentiable Weightless Networks; 5 cycles at 104 MHz",
    ),
    Anchor(
        name="Spiker+",
        device="Artix-7",
        accuracy=0.939,
        luts=7600,
        unit=LOGIC_CELL,
        latency_us=780.0,
        source="Carpegna et al., Spiker+",
    ),
    Anchor(
        name="LST-1",
        device="XC7Z010",
        accuracy=0.98,
        luts=6500,
        unit=LUT6,
        latency_us=None,
        source="as published with it",
    ),
)
"""Figures as published, rounded as they are quoted; not measured here."""
