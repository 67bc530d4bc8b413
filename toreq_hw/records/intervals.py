"""An estimate and how sure it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate and its two-sided confidence interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of what lies between the ends."""
        return (self.high - self.low) / 2
