"""Trilinear terms and budget rows as arrays, the form in which compiled code walks them."""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network

Ints = npt.NDArray[np.int64]


class TermPlan(NamedTuple):
    """Per term, int64 (terms,): scores, left, right: numbers of populations as in `Plan`. heads,
    queries, keys, width: as in `Trilinear`. cell: where its scores begin in `cells`.

    shift: int64 (terms, 3), by `ROLES`. cells: bool, which scores have products, all terms joined.
    """

    scores: Ints
    left: Ints
    right: Ints
    heads: Ints
    queries: Ints
    keys: Ints
    width: Ints
    cell: Ints
    shift: Ints
    cells: npt.NDArray[np.bool_]


class RowPlan(NamedTuple):
    """Per population, int64 (populations,): length, 0 where neurons update alone; budget; at_most;
    table: where its thresholds begin in `thresholds`, as many as its budget.

    cells: bool (neurons,), which neurons are cells of rows.
    """

    length: Ints
    budget: Ints
    at_most: Ints
    table: Ints
    thresholds: Ints
    cells: npt.NDArray[np.bool_]


def term_plan(network: Network, number: dict[str, int]) -> TermPlan:
    """All terms of `network`. number: of each population, as in `Plan`."""
    terms = network.terms
    shares = network.term_shares
    cells = [share.cells.ravel() for share in shares if share.role == 0]
    return TermPlan(
        scores=_ints([number[term.scores] for term in terms]),
        left=_ints([number[term.left] for term in terms]),
        right=_ints([number[term.right] for term in terms]),
        heads=_ints([term.heads for term in terms]),
        queries=_ints([term.queries for term in terms]),
        keys=_ints([term.keys for term in terms]),
        width=_ints([term.width for term in terms]),
        cell=_ints([0, *accumulate(part.size for part in cells)][:-1]),
        shift=_ints([share.shift for share in shares]).reshape(-1, 3),
        cells=np.concatenate([np.zeros(0, dtype=np.bool_), *cells]),
    )


def row_plan(network: Network) -> RowPlan:
    """All budget rows of `network`."""
    populations = [p.rows for p in network.relaxing]
    tables = [network.row_tables.get(p.name, ()) for p in network.relaxing]
    cells = [
        np.zeros(p.size, dtype=np.bool_) if p.rows is None else p.rows.cells(p.size).ravel()
        for p in network.relaxing
    ]
    return RowPlan(
        length=_ints([0 if rows is None else rows.length for rows in populations]),
        budget=_ints([0 if rows is None else rows.budget for rows in populations]),
        at_most=_ints([rows is not None and rows.at_most for rows in populations]),
        table=_ints([0, *accumulate(len(table) for table in tables)][:-1]),
        thresholds=_ints([theta for table in tables for theta in table]),
        cells=np.concatenate(cells),
    )


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)
