"""What load words go to, as a table: the load port, load words and the link read it.

A new memory that is loaded is one more entry.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Space(IntEnum):
    """What a load word goes to; WEIGHTS + k is store k of `CoreParameters.stores`."""

    WEIGHTS = 0
    BIAS = 4
    MAX_SWEEPS = 5
    THRESHOLD = 6
    BIAS_LATENT = 7
    RATE = 8
    GENERATOR = 9
    THETA = 10


@dataclass(frozen=True)
class LoadWord:
    """One word of the load stream, field by field (`load_payload` in rtl/interfaces.py)."""

    space: int
    address: int
    data: int


class Accepts(Enum):
    """Which words a space takes."""

    WEIGHTS = "fields that are weights of the store's format"
    ANY = "all"
    POSITIVE = "all but 0"
    MOVE = "a move of a state, or less"
    RATE = "a shift that lanes of LEARN can do"
    THETA = "1 to 32,767"


@dataclass(frozen=True)
class LoadSpace:
    """Words of `bits` bits at addresses below `rows`.

    code: in a load word; those of stores are the lowest. is_network: a load of a network brings all
    its rows, in this order.
    """

    code: int
    rows: int
    bits: int
    accepts: Accepts
    is_network: bool = True

    @property
    def is_store(self) -> bool:
        """Whether its rows are words of a store of weights."""
        return self.code < Space.BIAS

    @property
    def is_read_back(self) -> bool:
        """Whether a core that learns says what it holds there."""
        return self.is_store or self.code in (Space.BIAS_LATENT, Space.GENERATOR)


LEARNING_SPACES = (Space.BIAS_LATENT, Space.RATE, Space.GENERATOR, Space.THETA)
"""What only a core that learns can be given."""
