"""An ESTIMATE of the energy of an image: counted activity, published coefficients, ranges."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType


@dataclass(frozen=True)
class Activity:
    """Means per image of the free phase, over `images` images, from the first word to the class.

    cycles: clock cycles. toggles: bits of registers and of memories' outputs that change.
    read_bits: by every memory of core and link, which all read in every cycle but the stores of
    rows, read once a beat. written_bits: of words that a write changed. classes: what the core
    answered, to be compared with the simulator.
    """

    images: int
    cycles: float
    toggles: float
    read_bits: float
    written_bits: float
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Coefficient:
    """low and high in `unit`, where they come from, and why they are what they are."""

    low: float
    high: float
    unit: str
    source: str
    reason: str


@dataclass(frozen=True)
class Coefficients:
    """Of one device.

    fixed: power of the configured device whatever it does. clock: a cycle of the clock's network.
    flip_flop: a cycle of a clocked flip-flop. toggle: a change of a register's bit, with the
    logic and wires behind it. memory_bit: a bit of a memory word read or written.
    """

    fixed: Coefficient
    clock: Coefficient
    flip_flop: Coefficient
    toggle: Coefficient
    memory_bit: Coefficient


@dataclass(frozen=True)
class Range:
    """low and high end, in uJ."""

    low: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        """End by end."""
        return Range(self.low + other.low, self.high + other.high)


@dataclass(frozen=True)
class EnergyParts:
    """Of one image, by what spends it, and all of it, each a range in uJ."""

    fixed: Range
    clock: Range
    flip_flops: Range
    toggles: Range
    memories: Range
    total: Range


@dataclass(frozen=True)
class EnergyEstimate:
    """flip_flops: of the whole design, as the tools count them."""

    activity: Activity
    flip_flops: int
    coefficients: Coefficients
    uj: EnergyParts


@dataclass(frozen=True, kw_only=True)
class EnergyRecord:
    """An estimate with its label, or `absent`: why there is none."""

    absent: str | UnsetType = UNSET
    label: str | UnsetType = UNSET
    activity: Activity | UnsetType = UNSET
    flip_flops: int | UnsetType = UNSET
    coefficients: Coefficients | UnsetType = UNSET
    uj: EnergyParts | UnsetType = UNSET

    @classmethod
    def of(cls, found: EnergyEstimate) -> "EnergyRecord":
        """The record of an estimate."""
        return cls(label="ESTIMATE", **vars(found))

    @property
    def why_absent(self) -> str:
        """Why there is no estimate."""
        return "" if self.absent is UNSET else self.absent

    @property
    def estimate(self) -> EnergyEstimate | None:
        """The estimate; None where it is absent."""
        activity, flip_flops, coefficients, uj = (
            self.activity,
            self.flip_flops,
            self.coefficients,
            self.uj,
        )
        if activity is UNSET or flip_flops is UNSET or coefficients is UNSET or uj is UNSET:
            return None
        return EnergyEstimate(activity, flip_flops, coefficients, uj)
