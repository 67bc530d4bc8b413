"""Estimators on tables, beside those of scikit-learn."""

from dataclasses import dataclass

from toreq_hw.records.intervals import Interval


@dataclass(frozen=True)
class FoldRun:
    """One fit on four of five folds. accuracy: 0..1 on the fifth. seconds: the processor's."""

    table: str
    method: str
    fold: int
    accuracy: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TableScores:
    """One table. accuracy: in per cent by method, over folds, with intervals of 95 %.

    seconds: of the processor for a fit, by method, the median. largest_class: share in per cent.
    behind: points by which the estimator is behind the better of scikit-learn's two; below 0
    where it is ahead.
    """

    name: str
    samples: int
    features: int
    classes: int
    largest_class: float
    accuracy: dict[str, Interval]
    seconds: dict[str, float]
    behind: float


@dataclass(frozen=True)
class Estimators:
    """Every table and every fit. versions: of what made the record."""

    tables: tuple[TableScores, ...]
    runs: tuple[FoldRun, ...]
    versions: dict[str, str]
