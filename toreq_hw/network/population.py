"""A population: neurons that share a role and a state format."""

import re
from dataclasses import dataclass
from enum import Enum

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.reading import shown

STATE_DTYPE = np.dtype(np.int16)
"""Holds every state of every format: unsigned 8 bits reaches 255, signed 8 bits -127."""

MAX_NEURONS = 1 << 24
"""Largest population; keeps neuron indices and array sizes far from int32 overflow."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Role(Enum):
    """What a population does: is clamped, relaxes, or relaxes and is nudged and read out."""

    INPUT = "input"
    HIDDEN = "hidden"
    OUTPUT = "output"


@named_type_errors
@dataclass(frozen=True)
class Population:
    """`size` neurons with integer states of `state_bits` bits.

    Unsigned states run over 0..2^b - 1 (hard sigmoid), b in 1..8; signed states over
    -(2^(b-1) - 1)..2^(b-1) - 1 (hard tanh), b in 2..8, because one signed bit would
    leave only the state 0.
    """

    name: str
    size: int
    role: Role
    state_bits: int = 8
    signed: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise NetworkError(
                "population name must be 1 to 32 lower-case letters, digits or underscores "
                f"and start with a letter, not {shown(self.name)}"
            )
        if not isinstance(self.role, Role):
            raise NetworkError(
                f"population {shown(self.name)}: role must be a Role, not {shown(self.role)}"
            )
        if type(self.size) is not int or not 1 <= self.size <= MAX_NEURONS:
            raise NetworkError(
                f"population {shown(self.name)}: size must be an integer in 1..{MAX_NEURONS}, "
                f"not {shown(self.size)}"
            )
        if type(self.signed) is not bool:
            raise NetworkError(
                f"population {shown(self.name)}: signed must be true or false, "
                f"not {shown(self.signed)}"
            )
        fewest = 2 if self.signed else 1
        if type(self.state_bits) is not int or not fewest <= self.state_bits <= 8:
            kind = "signed" if self.signed else "unsigned"
            raise NetworkError(
                f"population {shown(self.name)}: {kind} state_bits must be an "
                f"integer in {fewest}..8, not {shown(self.state_bits)}"
            )

    @property
    def state_min(self) -> int:
        """Smallest state."""
        return -((1 << (self.state_bits - 1)) - 1) if self.signed else 0

    @property
    def state_max(self) -> int:
        """Largest state."""
        return (1 << (self.state_bits - self.signed)) - 1
