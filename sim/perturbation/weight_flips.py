"""Weight bits that flip in the ticks of a phase: what each flip makes of the stored word it hits.

A list holds bits; machines that keep weights, not words, need what the cell reads before and
after, which depends on the flips of the same cell before: a word is never read back and rewritten.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.network import Network
from toreq_hw.sim.perturbation.weight_damage import flip_words
from toreq_hw.sim.plan import Plan, places_of_cells

Lines = npt.NDArray[np.int64]


def flips_of_cells(network: Network, flips: Lines) -> Lines:
    """Flips of parameters as flips of the default lowering's cells, one an edge, in their order.

    flips: int64 (flips, 5), as in `Disturbance.weight_flips`, of `network`. The result, of the same
    columns, is of `network.lowered`.
    """
    found, line = [np.zeros((0, 5), dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for number, coupling in enumerate(network.couplings):
        own = np.flatnonzero(flips[:, 2] == number)
        if not len(own):
            continue
        pre, post, parameter = coupling.edges()
        order = np.argsort(parameter, kind="stable")
        first = np.searchsorted(parameter[order], flips[own, 3])
        counts = np.searchsorted(parameter[order], flips[own, 3], side="right") - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        edge = order[np.repeat(first, counts) + within]
        rows = np.repeat(flips[own], counts, axis=0)
        rows[:, 3] = pre[edge] * coupling.shape[1] + post[edge]
        found.append(rows)
        line.append(np.repeat(own, counts))
    ordered: Lines = np.concatenate(found)[np.argsort(np.concatenate(line), kind="stable")]
    return ordered


def readings(network: Network, flips: Lines) -> Lines:
    """What each line's cell reads before its flip and after it, int64 (n, 2).

    network: of dense couplings. flips: as in `Disturbance.weight_flips`; every sample starts from
    the network's weights.
    """
    found = np.zeros((len(flips), 2), dtype=np.int64)
    for number, coupling in enumerate(network.dense_couplings):
        where = np.flatnonzero(flips[:, 2] == number)
        where = where[np.lexsort((flips[where, 3], flips[where, 0]))]  # in order within a cell
        if not len(where):
            continue
        sample, _, _, cell, bit = flips[where].T
        masks = np.left_shift(1, bit).astype(np.uint8)
        after = np.bitwise_xor.accumulate(masks)
        before = after ^ masks
        new = (np.diff(sample, prepend=-1) != 0) | (np.diff(cell, prepend=-1) != 0)
        base = before[np.maximum.accumulate(np.where(new, np.arange(len(where)), 0))]
        words = coupling.weight.ravel()[cell]
        for column, mask in enumerate((before ^ base, after ^ base)):
            found[where, column] = flip_words(words, mask, coupling.weight_format)
    return found


def stored_lines(network: Network, plan: Plan, flips: Lines) -> Lines:
    """For compiled code: rows of tick, both places in `plan.weights`, readings before and after.

    Returns int64 (flips, 5).
    """
    places = np.zeros((len(flips), 2), dtype=np.int64)
    for k in np.unique(flips[:, 2]):
        lines = flips[:, 2] == k
        places[lines] = np.stack(places_of_cells(network, plan, int(k), flips[lines, 3]), axis=1)
    return np.column_stack([flips[:, 1], places, readings(network, flips)])


def lines_by_direction(network: Network, flips: Lines) -> Lines:
    """Rows of sample, tick, source, target, change of W 2^(F - f) in that direction; by tick.

    flips: int64 (flips, 5). Returns int64 (n, 5).
    """
    start = Layout(network).starts
    change = np.diff(readings(network, flips))[:, 0]
    found = [np.zeros((0, 5), dtype=np.int64)]
    for k in np.unique(flips[:, 2]):
        lines = flips[:, 2] == k
        sample, tick, _, cell, _ = flips[lines].T
        row, column = np.divmod(cell, network.dense_couplings[k].shape[1])
        for one in network.projections:
            for source, target in one.ends(row, column) if one.index == k else ():
                ends = [start[one.source.name] + source, start[one.target.name] + target]
                rows = [sample, tick, *ends, change[lines] << one.shift]
                found.append(np.stack(rows, axis=1))
    lists = np.concatenate(found)
    ordered: Lines = lists[np.argsort(lists[:, 1], kind="stable")]
    return ordered
