"""Working memory of compiled code."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.sim.plan import Plan


class Scratch(NamedTuple):
    """Working memory of one thread; allocating it per sample would cost more than relaxing.

    Per neuron: sent, the state it last sent; deltas, what it sends in this tick; before, its
    state before this tick (when tracing); before_sweep and kept (with cycles). Per
    block: sending, how many of its neurons send; seen, the version of its population that it
    was last updated with. version: deliveries per population. rows, packed: the events of one
    delivery, listed. partial: its 16-bit sums. pair, word: the pairs of channels of a
    position that changed. row_sums, row_units: the cells of a budget row.
    """

    sent: npt.NDArray[np.int16]
    deltas: npt.NDArray[np.int16]
    before: npt.NDArray[np.int16]
    before_sweep: npt.NDArray[np.int16]
    kept: npt.NDArray[np.int16]
    sending: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    version: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    packed: npt.NDArray[np.int16]
    partial: npt.NDArray[np.int16]
    pair: npt.NDArray[np.int32]
    word: npt.NDArray[np.int32]
    row_sums: npt.NDArray[np.int32]
    row_units: npt.NDArray[np.int16]


def new_scratch(plan: Plan, inputs: int) -> Scratch:
    """Fresh working memory for a network with `inputs` input neurons."""
    neurons, blocks = len(plan.bias), len(plan.block_start)
    sources = max(neurons, inputs)
    return Scratch(
        sent=np.empty(neurons, dtype=np.int16),
        deltas=np.empty(neurons, dtype=np.int16),
        before=np.empty(neurons, dtype=np.int16),
        before_sweep=np.empty(neurons, dtype=np.int16),
        kept=np.empty(neurons, dtype=np.int16),
        sending=np.empty(blocks, dtype=np.int64),
        seen=np.empty(blocks, dtype=np.int64),
        version=np.empty(len(plan.population_start), dtype=np.int64),
        rows=np.empty(sources, dtype=np.int64),
        packed=np.empty(sources, dtype=np.int16),
        partial=np.empty(neurons, dtype=np.int16),
        pair=np.empty(sources // 2 + 2, dtype=np.int32),
        word=np.empty(sources // 2 + 2, dtype=np.int32),
        row_sums=np.empty(int(plan.rows.length.max(initial=0)), dtype=np.int32),
        row_units=np.empty(int(plan.rows.length.max(initial=0)), dtype=np.int16),
    )
