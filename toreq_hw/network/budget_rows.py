"""Populations of budget rows: neurons that share out units among themselves, row by row.

docs/numerics.md, section 8.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FilePart
from toreq_hw.network.budget_table import Normalisation, check_normalisation, table_of
from toreq_hw.reading import Fields, shown

_MOST_UNITS = 255
"""Largest unsigned state."""


@named_type_errors
@dataclass(frozen=True)
class BudgetRows:
    """Every `length` neighbouring neurons of a population are one row.

    budget: A, the sum of a row's states. at_most: the sum may be smaller. normalisation,
    temperature: of the table of thresholds, numerator and denominator of T. mask: texts of
    `length` digits, row r takes text r modulo their number; a neuron at 0 is no cell of its row and
    stays at 0. Without texts every neuron is a cell. Raises NetworkError.
    """

    length: int
    budget: int
    normalisation: Normalisation = Normalisation.SPARSEMAX
    temperature: tuple[int, int] = (1, 1)
    at_most: bool = False
    mask: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("temperature", "mask"):
            if isinstance(getattr(self, name), list):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        check_normalisation("budget rows", self.temperature, self.normalisation)
        for name, most in (("length", 1 << 24), ("budget", _MOST_UNITS)):
            found = getattr(self, name)
            if type(found) is not int or not 1 <= found <= most:
                raise NetworkError(
                    f"{name} of budget rows must be an integer in 1..{most}, not {shown(found)}"
                )
        if type(self.at_most) is not bool:
            raise NetworkError(
                f"at_most of budget rows must be true or false, not {shown(self.at_most)}"
            )
        if not isinstance(self.mask, tuple):
            raise NetworkError(f"mask of budget rows must be a list, not {shown(self.mask)}")
        for text in self.mask:
            listed = isinstance(text, str) and len(text) == self.length
            if not listed or not re.fullmatch("[01]*1[01]*", text):
                raise NetworkError(
                    f"mask of budget rows must hold texts of {self.length} digits 0 or 1, each "
                    f"with a 1, found {shown(text)}"
                )

    def cells(self, size: int) -> npt.NDArray[np.bool_]:
        """Which neurons are cells of their rows, bool (rows, length), in a population of `size`."""
        rows = size // self.length
        if not self.mask:
            return np.ones((rows, self.length), dtype=np.bool_)
        texts = np.array([[digit == "1" for digit in text] for text in self.mask], dtype=np.bool_)
        return np.tile(texts, (rows // len(self.mask), 1))

    def table(self, fraction_bits: int) -> tuple[int, ...]:
        """The thresholds, of scale T A 2^F. Raises NetworkError where they do not rise strictly."""
        unit = self.budget << fraction_bits
        return table_of(self.normalisation, self.temperature, unit, self.budget)

    def describe(self) -> FilePart:
        """Its entry in a network file."""
        return {
            "length": self.length,
            "budget": self.budget,
            "normalisation": self.normalisation.value,
            "temperature": list(self.temperature),
            "at_most": self.at_most,
            **({"mask": list(self.mask)} if self.mask else {}),
        }


_FIELDS = ("length", "budget", "normalisation", "temperature", "at_most", "mask")


def budget_rows_from(entry: Fields) -> BudgetRows:
    """The rows that an entry describes. Raises NetworkError, or the error of `entry`."""
    entry.only(_FIELDS)
    return BudgetRows(
        length=entry.integer("length"),
        budget=entry.integer("budget"),
        normalisation=entry.choice("normalisation", Normalisation),
        temperature=tuple(entry.items("temperature")),
        at_most=entry.flag("at_most"),
        mask=tuple(entry.items("mask")) if "mask" in entry else (),
    )


def causal_mask(positions: int) -> tuple[str, ...]:
    """Row i sees positions 0 .. i. Couplings are symmetric, so this does not hide the future."""
    return tuple("1" * (i + 1) + "0" * (positions - i - 1) for i in range(positions))
