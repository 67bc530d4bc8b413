"""A population: neurons that share a role and a state format."""

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FileEntry
from toreq_hw.network.budget_rows import BudgetRows
from toreq_hw.reading import shown

STATE_DTYPE = np.dtype(np.int16)
"""Holds every state of every format: unsigned 8 bits reaches 255, signed 8 bits -127."""

MAX_NEURONS = 1 << 24
"""Largest population; keeps neuron indices and array sizes far from int32 overflow."""

MAX_STATE_BITS = 8
"""Widest states, signed or not."""

MAX_AXES = 4
"""Largest number of axes of a shape: three of positions, and channels."""

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

    shape: positions, then channels, such as (y, x, channels); neurons are numbered in its order,
    channels fastest. Empty where the neurons have no positions. bias_per_channel: neurons of one
    channel share one bias, at all positions. rows: of neurons that share out units; None for
    neurons that round their own accumulators.
    """

    name: str
    size: int
    role: Role
    state_bits: int = 8
    signed: bool = False
    shape: tuple[int, ...] = field(default=(), kw_only=True)
    bias_per_channel: bool = field(default=False, kw_only=True)
    rows: BudgetRows | None = field(default=None, kw_only=True)

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
        if type(self.state_bits) is not int or not fewest <= self.state_bits <= MAX_STATE_BITS:
            kind = "signed" if self.signed else "unsigned"
            raise NetworkError(
                f"population {shown(self.name)}: {kind} state_bits must be an "
                f"integer in {fewest}..{MAX_STATE_BITS}, not {shown(self.state_bits)}"
            )
        self._check_shape()
        self._check_rows()

    def _check_shape(self) -> None:
        found = self.shape
        listed = isinstance(found, tuple | list) and len(found) <= MAX_AXES
        if not listed or not all(type(n) is int and n >= 1 for n in found):
            raise NetworkError(
                f"population {shown(self.name)}: shape must be at most {MAX_AXES} whole numbers "
                f"from 1 on, not {shown(found)}"
            )
        object.__setattr__(self, "shape", tuple(found))
        if found and prod(found) != self.size:
            raise NetworkError(
                f"population {shown(self.name)}: shape must hold {self.size} neurons, "
                f"not {prod(found)}"
            )
        if type(self.bias_per_channel) is not bool or (self.bias_per_channel and not found):
            raise NetworkError(
                f"population {shown(self.name)}: bias_per_channel must be true or false, and "
                f"needs a shape, not {shown(self.bias_per_channel)}"
            )

    def _check_rows(self) -> None:
        rows, where = self.rows, f"population {shown(self.name)}: "
        if rows is None:
            return
        if not isinstance(rows, BudgetRows):
            raise NetworkError(f"{where}rows must be BudgetRows or None, not {shown(rows)}")
        if self.role is not Role.HIDDEN or self.signed:
            kind = "signed" if self.signed else self.role.value
            raise NetworkError(f"{where}budget rows must be hidden and unsigned, found {kind}")
        if rows.budget > self.state_max:
            raise NetworkError(
                f"{where}budget of rows must be at most {self.state_max}, the largest state, not "
                f"{rows.budget}"
            )
        if self.size % rows.length:
            raise NetworkError(
                f"{where}size must be a multiple of the length of its rows, found {self.size} and "
                f"{rows.length}"
            )
        if rows.mask and self.size // rows.length % len(rows.mask):
            raise NetworkError(
                f"{where}mask must have a text a row, or repeat, found {len(rows.mask)} texts and "
                f"{self.size // rows.length} rows"
            )

    @property
    def biases(self) -> int:
        """Number of biases that are stored and learned: neuron i has bias i modulo this."""
        return self.shape[-1] if self.bias_per_channel else self.size

    @property
    def file_version(self) -> int:
        """First version of the network file that can hold it."""
        return 2 if self.shape or self.rows else 1

    @property
    def plain(self) -> "Population":
        """The same neurons without positions, each with a bias of its own."""
        return replace(self, shape=(), bias_per_channel=False) if self.shape else self

    def describe(self) -> FileEntry:
        """Its entry in a network file: plain JSON values."""
        entry: FileEntry = {
            "name": self.name,
            "size": self.size,
            "role": self.role.value,
            "state_bits": self.state_bits,
            "signed": self.signed,
        }
        if self.shape:
            entry |= {"shape": list(self.shape), "bias_per_channel": self.bias_per_channel}
        if self.rows is not None:
            entry["rows"] = self.rows.describe()
        return entry

    def spread_biases(self, biases: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """One value a stored bias, (..., biases), as one a neuron, (..., size)."""
        return np.tile(biases, self.size // self.biases)

    @property
    def state_min(self) -> int:
        """Smallest state."""
        return -((1 << (self.state_bits - 1)) - 1) if self.signed else 0

    @property
    def state_max(self) -> int:
        """Largest state."""
        return (1 << (self.state_bits - self.signed)) - 1
