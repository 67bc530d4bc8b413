"""Convolutions as compiled code walks them: a stencil for each position, shared by its channels.

All channels of a position reach the same targets. Where taps lie side by side their targets do as
well: such a *span* is one row of lanes for all channels. The weights lie as the spans are walked.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import ConvolutionCoupling, Coupling
from toreq_hw.network.couplings.window import Window
from toreq_hw.network.projection import Projection

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]

NO_CELL = -1
"""In a layout: a weight of 0 that no parameter stands for, beside an odd last channel."""

_ONE_PLACE = Window(size=1, kernel=1, stride=1, padding=0, pool=1)
"""The axis that a convolution along one axis lacks."""


class StencilPlan(NamedTuple):
    """Spans of all projections that are stencils.

    entry: of each projection, where its entries of `first` begin, -1 for one without stencil.
    channels: of each projection, those of a position of its source. first: int64, where the spans
    of each source position begin, one entry more a projection. target, lanes: a span's first target
    neuron, and how many follow. place, stride: where its weights of the first pair of channels
    begin, from the start of `Plan.weights`, and how much later those of the next pair do. For each
    lane a pair's two weights lie side by side.
    """

    entry: Ints
    channels: Ints
    first: Ints
    target: Places
    place: Places
    stride: Places
    lanes: Places


class Stencil(NamedTuple):
    """One projection's share of `StencilPlan`, and the parameter of each of its weights.

    layout: int64, a flat index of a parameter or `NO_CELL`.
    """

    channels: int
    first: Ints
    target: Ints
    place: Ints
    stride: Ints
    lanes: Ints
    layout: Ints


class _Axis(NamedTuple):
    """One axis, entry after entry in order of its sources: taps whose targets are neighbours.

    row: which row of taps they are of. begin, taps: the first of them in that row, and how many.
    """

    source: Ints
    target: Ints
    row: Ints
    begin: Ints
    taps: Ints


def has_stencil(coupling: Coupling) -> bool:
    """Whether `coupling` is walked so: a convolution without pooling."""
    return isinstance(coupling, ConvolutionCoupling) and coupling.windows[0].pool == 1


def windows_of(coupling: ConvolutionCoupling) -> tuple[Window, Window]:
    """Of two axes, whatever a convolution has."""
    found = (_ONE_PLACE, *coupling.windows)
    return found[-2], found[-1]


def stencil_of(projection: Projection) -> Stencil:
    """The stencil of a projection for which `has_stencil` holds."""
    coupling, backward = projection.coupling, projection.backward
    assert isinstance(coupling, ConvolutionCoupling)
    down, across = windows_of(coupling)
    cells = np.arange(coupling.parameters.size).reshape(
        down.kernel, across.kernel, *coupling.weight.shape[-2:]
    )
    if backward:
        cells = cells.swapaxes(-1, -2)
    rows = _rows_of_taps(across, backward)
    parts = [_paired(cells[tap, row]) for tap in range(down.kernel) for row in rows]
    begins = np.cumsum([0, *(part.size for part in parts)])
    y, x = _lines(down, backward), _axis(across, rows, backward)
    one, other = (part.ravel() for part in np.indices((len(y.source), len(x.source))))
    source_line, target_line = across.size, across.outputs
    if backward:
        source_line, target_line = target_line, source_line
    source = y.source[one] * source_line + x.source[other]
    order = np.argsort(source, kind="stable")
    one, other, source = one[order], other[order], source[order]
    channels, lanes = cells.shape[-2], cells.shape[-1]
    sources = source_line * (down.outputs if backward else down.size)
    stride = np.array([2 * lanes * len(row) for row in rows], dtype=np.int64)
    row = x.row[other]
    return Stencil(
        channels=channels,
        first=np.searchsorted(source, np.arange(sources + 1)).astype(np.int64),
        target=(y.target[one] * target_line + x.target[other]) * lanes,
        place=begins[y.row[one] * len(rows) + row] + 2 * lanes * x.begin[other],
        stride=stride[row],
        lanes=x.taps[other] * lanes,
        layout=np.concatenate(parts),
    )


def _rows_of_taps(window: Window, backward: bool) -> list[Ints]:
    """Taps whose targets are neighbours, in the order of their targets.

    From an output each tap leads to the next input; from an input every stride-th one, the last
    first, leads to the next output.
    """
    taps = np.arange(window.kernel)
    if backward:
        return [taps]
    return [taps[k :: window.stride][::-1] for k in range(min(window.stride, window.kernel))]


def _paired(cells: Ints) -> Ints:
    """The cells of a row of taps, (taps, channels, lanes), as they lie: pair, tap, lane, half."""
    taps, channels, lanes = cells.shape
    filled = np.full((taps, channels + channels % 2, lanes), NO_CELL, dtype=np.int64)
    filled[:, :channels] = cells
    return filled.reshape(taps, -1, 2, lanes).transpose(1, 0, 3, 2).ravel()


def _ends(window: Window, backward: bool) -> tuple[Ints, Ints, Ints]:
    """Sources, targets and taps, sorted by source and then target."""
    taps = window.taps
    source, target = (taps.output, taps.input) if backward else (taps.input, taps.output)
    order = np.lexsort((target, source))
    return source[order], target[order], taps.tap[order]


def _lines(window: Window, backward: bool) -> _Axis:
    """The axis along which each tap is alone; a row is a tap."""
    source, target, tap = _ends(window, backward)
    return _Axis(source, target, tap, np.zeros_like(tap), np.ones_like(tap))


def _axis(window: Window, rows: list[Ints], backward: bool) -> _Axis:
    """The axis along which taps are joined."""
    source, target, tap = _ends(window, backward)
    begins = np.flatnonzero(np.diff(source, prepend=-1))
    row_of, place_in = np.zeros(window.kernel, np.int64), np.zeros(window.kernel, np.int64)
    for number, row in enumerate(rows):
        row_of[row], place_in[row] = number, np.arange(len(row))
    return _Axis(
        source[begins],
        target[begins],
        row_of[tap[begins]],
        place_in[tap[begins]],
        np.diff(begins, append=len(source)),
    )


def stencil_plan(stencils: list[Stencil | None], begins: list[int]) -> StencilPlan:
    """Joins the stencils of all projections, None for one that has none.

    begins: where each projection's weights begin.
    """
    none = Stencil(0, *(np.zeros(0, dtype=np.int64) for _ in range(6)))
    found = [stencil or none for stencil in stencils]
    spans = np.cumsum([0, *(len(one.target) for one in found)])
    entries = np.cumsum([0, *(len(one.first) for one in found)])
    joined = [none, *found]
    return StencilPlan(
        entry=np.array(
            [-1 if one is None else entries[k] for k, one in enumerate(stencils)], dtype=np.int64
        ),
        channels=np.array([one.channels for one in found], dtype=np.int64),
        first=np.concatenate(
            [none.first, *(one.first + k for one, k in zip(found, spans, strict=False))]
        ),
        target=np.concatenate([one.target for one in joined]).astype(np.int32),
        place=np.concatenate(
            [none.place, *(one.place + k for one, k in zip(found, begins, strict=False))]
        ).astype(np.int32),
        stride=np.concatenate([one.stride for one in joined]).astype(np.int32),
        lanes=np.concatenate([one.lanes for one in joined]).astype(np.int32),
    )
