"""Weights of its own for the way back of a coupling: feedback alignment.

Where two populations that update are joined so, no energy exists (docs/numerics.md, section 4).
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors


class FeedbackKind(Enum):
    """How the way back of a coupling gets its weights."""

    SYMMETRIC = "symmetric"
    """They are those of the way forward."""
    FIXED = "fixed"
    """They are its own, and stay."""
    LEARNED = "learned"
    """They are its own, and learn as those of the way forward do."""


@named_type_errors
@dataclass(frozen=True, eq=False)
class OwnFeedback:
    """weight: stored integers of the way back, int8, of the parameters' shape and format.

    learned: whether they learn; only those of a dense coupling do.
    """

    weight: npt.NDArray[np.int8]
    learned: bool = False

    def __post_init__(self) -> None:
        weight = np.array(self.weight)
        weight.flags.writeable = False
        object.__setattr__(self, "weight", weight)

    @property
    def kind(self) -> FeedbackKind:
        """Fixed or learned."""
        return FeedbackKind.LEARNED if self.learned else FeedbackKind.FIXED


@dataclass(frozen=True, eq=False, kw_only=True)
class Feedback:
    """feedback_shift: s, by which the way back is 2^-s times as strong as the way forward.

    own_feedback: weights of the way back; None where they are those of the way forward.
    """

    feedback_shift: int = 0
    own_feedback: OwnFeedback | None = None
