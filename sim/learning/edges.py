"""Edges of couplings that are not dense, laid out for compiled learning."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import DenseCoupling, Network
from toreq_hw.sim.plan import Ints


class EdgeLists(NamedTuple):
    """Edges of every coupling that is not dense, those of one parameter next to each other.

    rows, columns: per coupling, int64 (couplings,), how its parameters form rows; rows is -1 for
    a dense coupling, which has no list. first: where its entries of `begin` start, one for each
    parameter and one more. begin: where a parameter's edges start. pre, post: int64 (edges,),
    numbers of neurons within their populations.
    """

    rows: Ints
    columns: Ints
    first: Ints
    begin: Ints
    pre: Ints
    post: Ints

    @property
    def widest_row(self) -> int:
        """Most columns of a row of parameters; 0 where all couplings are dense."""
        return int(self.columns.max(initial=0))


def edge_lists(network: Network) -> EdgeLists:
    """The lists of `network`; empty where all couplings are dense."""
    rows, columns, first = [], [], []
    begins: list[npt.NDArray[np.int64]] = []
    ends: list[npt.NDArray[np.int64]] = []
    entries = edges = 0
    for coupling in network.couplings:
        first.append(entries)
        if isinstance(coupling, DenseCoupling):
            rows.append(-1)
            columns.append(0)
            continue
        parameters = coupling.parameters
        columns.append(parameters.shape[-1])
        rows.append(parameters.size // max(parameters.shape[-1], 1))
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
        columns=np.array(columns, dtype=np.int64),
        first=np.array(first, dtype=np.int64),
        begin=np.concatenate([np.zeros(0, dtype=np.int64), *begins]),
        pre=np.ascontiguousarray(both[0]),
        post=np.ascontiguousarray(both[1]),
    )
