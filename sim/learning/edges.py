"""Edges of couplings that are not dense, laid out for compiled learning."""

from typing import NamedTuple

import numpy as np

from toreq_hw.network import DenseCoupling, Network
from toreq_hw.sim.plan import Ints


class EdgeLists(NamedTuple):
    """Edges of every coupling that is not dense, those of one parameter next to each other.

    rows: per coupling, int64 (couplings,), how many rows its parameters form; -1 for a dense
    coupling, which has no list. row_first: where its entries of `row_begin` start, one for each row
    and one more. row_begin: the first parameter of a row. first: where its entries of `begin` and
    `column` start, one for each parameter and one more. begin: where a parameter's edges start.
    column: of a parameter. pre, post: int64 (edges,), numbers of neurons within their populations.
    """

    rows: Ints
    row_first: Ints
    row_begin: Ints
    first: Ints
    begin: Ints
    column: Ints
    pre: Ints
    post: Ints

    @property
    def columns(self) -> int:
        """Numbers of columns are below this; 0 where all couplings are dense."""
        return int(self.column.max(initial=-1)) + 1


def edge_lists(network: Network) -> EdgeLists:
    """The lists of `network`; empty where all couplings are dense."""
    rows, row_first, first = [], [], []
    starts: list[Ints] = []
    begins: list[Ints] = []
    columns: list[Ints] = []
    ends: list[Ints] = []
    entries = edges = 0
    for coupling in network.couplings:
        first.append(entries)
        row_first.append(sum(len(one) for one in starts))
        if isinstance(coupling, DenseCoupling):
            rows.append(-1)
            continue
        parameters = coupling.parameters
        starts.append(coupling.row_starts())
        rows.append(len(starts[-1]) - 1)
        columns.append(np.append(coupling.columns_of_parameters(), 0))
        pre, post, parameter = coupling.edges()
        counts = np.bincount(parameter, minlength=parameters.size)
        begins.append(edges + np.concatenate([[0], np.cumsum(counts)]))
        order = np.argsort(parameter, kind="stable")
        ends.append(np.stack([pre[order], post[order]]))
        entries += parameters.size + 1
        edges += len(order)
    both = np.concatenate([np.zeros((2, 0), dtype=np.int64), *ends], axis=1)
    return EdgeLists(
        rows=np.array(rows, dtype=np.int64),
        row_first=np.array(row_first, dtype=np.int64),
        row_begin=_joined(starts),
        first=np.array(first, dtype=np.int64),
        begin=_joined(begins),
        column=_joined(columns),
        pre=np.ascontiguousarray(both[0]),
        post=np.ascontiguousarray(both[1]),
    )


def _joined(parts: list[Ints]) -> Ints:
    joined: Ints = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
    return joined
