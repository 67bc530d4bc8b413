"""The phases of equilibrium propagation (docs/numerics.md, section 1), in the order of a sample."""

from enum import StrEnum


class Phase(StrEnum):
    """A relaxation of one sample; the members stand in the order in which they run."""

    FREE = "free"
    """From all-zero states, without a nudge; ends at s*."""
    POSITIVE = "positive"
    """From s*, nudged towards the target; ends at s+."""
    NEGATIVE = "negative"
    """From s*, nudged away from the target; ends at s-."""

    @property
    def sign(self) -> int:
        """Of the nudge that is added to the output accumulators: 0, 1 or -1."""
        return {Phase.FREE: 0, Phase.POSITIVE: 1, Phase.NEGATIVE: -1}[self]


PHASES = tuple(Phase)
NUDGED_PHASES = (Phase.POSITIVE, Phase.NEGATIVE)
