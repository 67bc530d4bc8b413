"""A study whose runs cost nothing: squares of numbers, kept in a ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toreq_hw.studies.ledger import Ledger, Run


@dataclass(frozen=True)
class Square:
    """A row of a toy study."""

    number: int
    square: int


def squared(run: Run) -> Square:
    number = int(run["number"] or 0)
    return Square(number, number**2)


def runs(count: int) -> list[Run]:
    return [{"number": number} for number in range(count)]


def toy(folder: Path, **shared: Any) -> Ledger[Square]:
    return Ledger(folder, "toy", {"code": "", **shared}, Square)
