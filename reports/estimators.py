"""The page of estimators on tables: from the record of `toreq-hw study estimators`."""

from toreq_hw.records.estimators import Estimators, TableScores
from toreq_hw.records.intervals import Interval
from toreq_hw.reports.numbers import MAY_PASS_LIMITS
from toreq_hw.reports.page import Page, Section, Table

OURS, CONTROL = "EqPropClassifier", "EqPropClassifier, classes shuffled"
THEIRS = ("logistic regression", "MLPClassifier")
POINTS = 1.5
"""How far behind the better of `THEIRS` it may be."""


def lead(record: Estimators) -> str:
    """The table where it is furthest behind, in a sentence."""
    worst = max(record.tables, key=lambda table: table.behind)
    near = sum(table.behind <= POINTS for table in record.tables)
    return (
        f"Within {POINTS} points on {near} of {len(record.tables)} tables; the furthest is "
        f"{worst.name}, {_behind(worst)}."
    )


def estimators_page(record: Estimators) -> Page:
    """From the whole record."""
    methods = list(record.tables[0].accuracy)
    return Page(
        "Estimators on tables, beside scikit-learn",
        lead(record),
        (
            Section("Accuracy", _what(), _accuracy(record, methods)),
            Section("Processor seconds of a fit", "The median over folds.", _times(record)),
            Section("Tables", _tables(), _sizes(record)),
        ),
        dict(record.versions),
    )


def _what() -> str:
    return (
        "Five stratified folds, mean and 95 % interval over folds, in per cent. "
        f"{MAY_PASS_LIMITS} All methods have "
        "the same folds and their defaults; scikit-learn's two get standardised features and up "
        "to 1,000 iterations. In the column before the last, the control, classes of training "
        "rows are shuffled."
    )


def _tables() -> str:
    return (
        "Four tables are scikit-learn's. Two are made from seeds, with one-hot categories and "
        "classes of unequal size. The settings of the recipe were compared on inner validation "
        "splits of training rows and on other made tables, never by a score of this page."
    )


def _accuracy(record: Estimators, methods: list[str]) -> Table:
    rows = [
        (table.name, *(_text(table.accuracy[m]) for m in methods), _behind(table))
        for table in record.tables
    ]
    return Table(("table", *methods, "to the better of the two"), tuple(rows))


def _times(record: Estimators) -> Table:
    methods = [m for m in record.tables[0].seconds if m != CONTROL]
    rows = [(t.name, *(f"{t.seconds[m]:.2f}" for m in methods)) for t in record.tables]
    return Table(("table", *methods), tuple(rows))


def _sizes(record: Estimators) -> Table:
    rows = [
        (t.name, f"{t.samples:,}", str(t.features), str(t.classes), f"{t.largest_class:.1f} %")
        for t in record.tables
    ]
    return Table(("table", "rows", "features", "classes", "largest class"), tuple(rows))


def _text(found: Interval) -> str:
    return f"{found.value:.2f} ± {found.half_width:.2f}"


def _behind(table: TableScores) -> str:
    if table.behind <= 0:
        return f"{-table.behind:.2f} points ahead"
    return f"{table.behind:.2f} points behind"
