"""Parameters of couplings that are not dense, laid out for compiled learning."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.learning import WEYL_STEP
from toreq_hw.errors import InputError
from toreq_hw.network import ConvolutionCoupling, Coupling, DenseCoupling, Network
from toreq_hw.network.couplings.runs import Runs
from toreq_hw.sim.learning.parts import Part
from toreq_hw.sim.plan import Ints, Plan, native_places, places_of_cells
from toreq_hw.sim.stencil_plan import has_stencil, windows_of

GRADIENT_LIMIT = (1 << 31) - (1 << 16) - (1 << 15) - 1
"""What a gradient may reach: with its rounding offset and a latent it stays within 32 bits."""


class SharedParameters(NamedTuple):
    """Per part (see `Part`), int64 (parts,): rows of its parameters (-1 for a dense coupling, which
    has no entries here); first: where they begin in `weight` and `weyl`; row_entry, run_entry,
    place_entry: where its entries of `row_first`, `run_first` and `place_first` begin.

    row_first: the first parameter of each row. run_first, run_target, run_place, run_length: its
    edges from pre to post as `Runs`; run_row: the row of parameters that a run lies in.
    place_first: for each parameter, where its `places` begin: indices into `Plan.weights`.
    window: int64 (parts, 11), of a convolution without pooling: size y, x and channels of pre, of
    post, taps y, x, stride, padding y, x; 0 for other parts. whole_rows: whether every weight of a
    row is written where one changed, as a memory that can be damaged asks for.
    weight: int8, what the parameters' latents stand for. weyl: what each adds to the random word of
    its row.

    Working memory of one update: gradient int32 and draws bool, of a coupling's parameters and
    rows; delta int16 and moved int32, of its post neurons; moved[0] stays 0; pre and post, int32,
    a word of both states of each neuron.
    """

    rows: Ints
    first: Ints
    row_entry: Ints
    run_entry: Ints
    place_entry: Ints
    row_first: Ints
    run_first: Ints
    run_target: npt.NDArray[np.int32]
    run_place: npt.NDArray[np.int32]
    run_length: npt.NDArray[np.int32]
    run_row: npt.NDArray[np.int32]
    place_first: Ints
    places: Ints
    window: Ints
    whole_rows: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.int8]
    weyl: npt.NDArray[np.int32]
    gradient: npt.NDArray[np.int32]
    draws: npt.NDArray[np.bool_]
    delta: npt.NDArray[np.int16]
    moved: npt.NDArray[np.int32]
    pre: npt.NDArray[np.int32]
    post: npt.NDArray[np.int32]

    def program(self, plan: Plan, coupling: int, weights: npt.NDArray[np.int8]) -> None:
        """Writes one coupling's weights, int8 of its parameters' shape, wherever they are read."""
        first, entry = self.first[coupling], self.place_entry[coupling]
        self.weight[first : first + weights.size] = weights.ravel()
        begins = self.place_first[entry : entry + weights.size + 1]
        places = self.places[begins[0] : begins[-1]]
        plan.weights[places] = np.repeat(weights.ravel(), np.diff(begins))


class _Lists(NamedTuple):
    """One part's share of `SharedParameters`, counted from its own beginnings."""

    row_first: Ints
    columns: Ints
    runs: Runs
    counts: Ints
    places: Ints


def shared_parameters(
    network: Network, plan: Plan, learning_parts: Sequence[Part], *, lowered: bool
) -> SharedParameters:
    """The lists of `network`; empty where all couplings are dense.

    lowered: whether `plan` is of the default lowering. Raises InputError where a gradient could
    leave 32 bits.
    """
    parts = [_lists(network, plan, part, lowered=lowered) for part in learning_parts]
    sizes = [len(part.columns) for part in parts]
    first_run = _begins([len(part.runs.target) for part in parts])
    first_place = _begins([len(part.places) for part in parts])
    rows = [len(part.row_first) - 1 for part in parts]  # -1 for a dense coupling
    row_of_runs = [np.searchsorted(p.row_first, p.runs.place, side="right") - 1 for p in parts]
    neurons = max(population.size for population in network.relaxing)
    return SharedParameters(
        rows=np.array(rows),
        first=_begins(sizes),
        row_entry=_begins([len(part.row_first) for part in parts]),
        run_entry=_begins([len(part.runs.first) for part in parts]),
        place_entry=_begins([len(part.counts) for part in parts]),
        row_first=_joined([part.row_first for part in parts]),
        run_first=_joined([p.runs.first + k for p, k in zip(parts, first_run, strict=True)]),
        run_target=_joined([part.runs.target for part in parts], np.int32),
        run_place=_joined([part.runs.place for part in parts], np.int32),
        run_length=_joined([part.runs.length for part in parts], np.int32),
        run_row=_joined(row_of_runs, np.int32),
        place_first=_joined([p.counts + k for p, k in zip(parts, first_place, strict=True)]),
        places=_joined([part.places for part in parts]),
        window=np.array([window_of(part.coupling) for part in learning_parts], dtype=np.int64),
        whole_rows=np.full(len(parts), lowered),
        weight=np.zeros(sum(sizes), dtype=np.int8),
        weyl=_joined([part.columns * WEYL_STEP & 0xFFFF for part in parts], np.int32),
        gradient=np.zeros(max(sizes, default=0), dtype=np.int32),
        draws=np.zeros(max(rows, default=0) + 1, dtype=np.bool_),
        delta=np.zeros(neurons, dtype=np.int16),
        moved=np.zeros(neurons + 1, dtype=np.int32),
        pre=np.zeros(max(neurons, network.input.size), dtype=np.int32),
        post=np.zeros(neurons, dtype=np.int32),
    )


def window_of(coupling: Coupling) -> tuple[int, ...]:
    """A row of `SharedParameters.window`."""
    if not isinstance(coupling, ConvolutionCoupling) or not has_stencil(coupling):
        return (0,) * 11
    down, across = windows_of(coupling)
    inputs, outputs = coupling.weight.shape[-2:]
    ends = (down.size, across.size, inputs, down.outputs, across.outputs, outputs)
    return (*ends, down.kernel, across.kernel, coupling.stride, down.padding, across.padding)


def _lists(network: Network, plan: Plan, part: Part, *, lowered: bool) -> _Lists:
    coupling, none = part.coupling, np.zeros(0, dtype=np.int64)
    if isinstance(coupling, DenseCoupling):
        narrow = np.zeros(0, dtype=np.int32)
        runs = Runs(none, narrow, narrow, narrow)
        return _Lists(none, columns=none, runs=runs, counts=none, places=none)
    _check_gradients(network, coupling)
    size = coupling.parameters.size
    if lowered:
        pre, post, parameter = coupling.edges()
        cells = places_of_cells(network, plan, part.number, pre * coupling.shape[1] + post)
        owner, places = np.tile(parameter, len(cells)), np.concatenate(cells)
    else:
        ways = native_places(network, plan, coupling)
        owner, places = np.tile(np.arange(size), len(ways)), np.concatenate(ways)
    counts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))])
    return _Lists(
        row_first=coupling.row_starts().astype(np.int64),
        columns=coupling.columns_of_parameters().astype(np.int64),
        runs=coupling.runs(backward=False),
        counts=counts.astype(np.int64),
        places=places[np.argsort(owner, kind="stable")].astype(np.int64),
    )


def _check_gradients(network: Network, coupling: Coupling) -> None:
    """The gradient of a parameter is a sum over its edges, and must fit."""
    ends = network.population(coupling.pre), network.population(coupling.post)
    product = prod(max(p.state_max, -p.state_min) for p in ends)
    if any(population.signed for population in ends):
        product *= 2
    edges = int(np.bincount(coupling.edges().parameter).max(initial=0))
    if edges * product > GRADIENT_LIMIT:
        raise InputError(
            f"coupling {coupling.name!r}: the gradient of a parameter must stay within "
            f"+-{GRADIENT_LIMIT}, worst case is {edges * product} over {edges} edges; use fewer "
            "positions or narrower states"
        )


def _begins(sizes: list[int]) -> Ints:
    return np.cumsum([0, *sizes], dtype=np.int64)[:-1]


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: type = np.int64) -> npt.NDArray[Any]:
    joined: npt.NDArray[Any] = np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)
    return joined
