"""A network flattened into arrays, the form in which compiled code walks it.

Every direction of every coupling is a *projection* from a source population to a target
population. The input only has projections outwards; a coupling between relaxing populations has
two. The weights of a dense coupling lie as rows, contiguous per source neuron: its matrix, and its
transpose. Those of a convolution lie as its `stencils` are walked. Those of any other kind lie as
its parameters do, once for each direction, and `runs` say who reads them.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.contract.layout import Layout
from toreq_hw.network import Coupling, DenseCoupling, Network, Population
from toreq_hw.network.couplings.runs import Runs, joined
from toreq_hw.network.projection import Projection
from toreq_hw.sim.stencil_plan import NO_CELL, StencilPlan, has_stencil, stencil_of, stencil_plan
from toreq_hw.sim.term_plan import RowPlan, TermPlan, row_plan, term_plan

Ints = npt.NDArray[np.int64]

SUM_LIMIT = (1 << 15) - 1
"""What a 16-bit sum may reach, either way."""


class Plan(NamedTuple):
    """Populations are numbered by relaxing order; the input has number -1.

    projection_first: projections of population p are projection_first[p] ..
    projection_first[p + 1] - 1, and those of the input projection_first[-2] ..
    projection_first[-1] - 1. projection_weight: where a projection's weights begin in `weights`;
    row j of a dense projection to `target` has population_size[target] entries. projection_back:
    where the rows of the dense projection that runs the other way begin, the transpose (-1 for
    other projections). projection_shared_rows: how many events a 16-bit sum holds, see
    `shared_rows`.

    projection_runs: where the entries of a projection begin in `run_first`, one for each source
    neuron and one more; -1 for one without runs. projection_run_length: the length of all its
    runs, if they are alike, or 0. run_target, run_place, run_length: the runs, see `Runs`; places
    count from the start of `weights`.
    """

    population_start: Ints
    population_size: Ints
    fraction_bits: Ints
    half: Ints
    state_min: Ints
    state_max: Ints
    projection_first: Ints
    projection_target: Ints
    projection_weight: Ints
    projection_back: Ints
    projection_shift: Ints
    projection_shared_rows: Ints
    projection_runs: Ints
    projection_run_length: Ints
    run_first: Ints
    run_target: npt.NDArray[np.int32]
    run_place: npt.NDArray[np.int32]
    run_length: npt.NDArray[np.int32]
    stencils: StencilPlan
    weights: npt.NDArray[np.int8]
    colour_first: Ints
    block_population: Ints
    block_start: Ints
    block_stop: Ints
    bias: npt.NDArray[np.int32]
    terms: TermPlan
    rows: RowPlan


def compile_plan(network: Network) -> Plan:
    """Flattens `network`; global neuron indices are those of `Layout`."""
    layout = Layout(network)
    sources = [*network.relaxing, network.input]
    groups = [network.out_of(source.name) for source in sources]
    projections = [projection for group in groups for projection in group]
    parts = [_weights(projection) for projection in projections]
    begins = [0, *accumulate(part.size for part in parts)]
    begin_of = {
        (p.source.name, p.target.name, p.coupling): begin
        for p, begin in zip(projections, begins, strict=False)
        if _is_dense(p)
    }
    tables = _run_tables(projections, begins)
    stencils = [stencil_of(p) if has_stencil(p.coupling) else None for p in projections]
    number = population_numbers(network)
    blocks = [block for colour in network.sweep.blocks for block in colour]
    fraction_bits = {p.name: network.accumulator_fraction_bits(p.name) for p in network.relaxing}
    return Plan(
        population_start=_ints([layout.starts[p.name] for p in network.relaxing]),
        population_size=_ints([p.size for p in network.relaxing]),
        fraction_bits=_ints(list(fraction_bits.values())),
        half=_ints([rounding_half(f) for f in fraction_bits.values()]),
        state_min=_ints([p.state_min for p in network.relaxing]),
        state_max=_ints([p.state_max for p in network.relaxing]),
        projection_first=_ints([0, *accumulate(len(group) for group in groups)]),
        projection_target=_ints([number[p.target.name] for p in projections]),
        projection_weight=_ints(begins[:-1]),
        projection_back=_ints(
            [begin_of.get((p.target.name, p.source.name, p.coupling), -1) for p in projections]
        ),
        projection_shift=_ints([p.shift for p in projections]),
        projection_shared_rows=_ints([shared_rows(p.coupling, p.source) for p in projections]),
        projection_runs=tables.projection_runs,
        projection_run_length=tables.projection_run_length,
        run_first=tables.runs.first,
        run_target=tables.runs.target,
        run_place=tables.runs.place,
        run_length=tables.runs.length,
        stencils=stencil_plan(stencils, begins),
        weights=np.concatenate([np.zeros(0, dtype=np.int8), *parts]),
        colour_first=_ints([0, *accumulate(len(colour) for colour in network.sweep.blocks)]),
        block_population=_ints([number[b.population] for b in blocks]),
        block_start=_ints([layout.span(b).start for b in blocks]),
        block_stop=_ints([layout.span(b).stop for b in blocks]),
        bias=np.concatenate([network.biases[p.name] for p in network.relaxing]),
        terms=term_plan(network, number),
        rows=row_plan(network),
    )


class _RunTables(NamedTuple):
    """All runs of a network, projection after projection; see `Plan`."""

    projection_runs: Ints
    projection_run_length: Ints
    runs: Runs


def _is_dense(projection: Projection) -> bool:
    return isinstance(projection.coupling, DenseCoupling)


def _weights(projection: Projection) -> npt.NDArray[np.int8]:
    """The weights of a projection in the order in which it walks them."""
    if _is_dense(projection):
        return projection.matrix.ravel()
    forward = projection.coupling.parameters.ravel()
    if has_stencil(projection.coupling):
        return np.append(forward, np.int8(0))[stencil_of(projection).layout]
    backward = forward[projection.coupling.backward_order()]
    if projection.is_self_projection:
        return np.concatenate([forward, backward])
    return backward if projection.backward else forward


def _runs(projection: Projection) -> Runs:
    """The runs of a projection that is not dense, places from the start of its weights."""
    if not projection.is_self_projection:
        return projection.coupling.runs(backward=projection.backward)
    forward, backward = (projection.coupling.runs(backward=way) for way in (False, True))
    return joined(forward, backward.moved(projection.coupling.parameters.size))


def _run_tables(projections: list[Projection], begins: list[int]) -> _RunTables:
    projection_runs, lengths, firsts = [], [], [np.zeros(0, dtype=np.int64)]
    columns = [[np.zeros(0, dtype=np.int32)] for _ in range(3)]
    entries = runs = 0
    for projection, begin in zip(projections, begins, strict=False):
        if _is_dense(projection) or has_stencil(projection.coupling):
            projection_runs.append(-1)
            lengths.append(0)
            continue
        own = _runs(projection).moved(begin)
        projection_runs.append(entries)
        lengths.append(own.common_length)
        firsts.append(own.first + runs)
        for column, part in zip(columns, own[1:], strict=True):
            column.append(part)
        entries += len(own.first)
        runs += len(own.target)
    target, place, length = (np.concatenate(column) for column in columns)
    return _RunTables(
        projection_runs=_ints(projection_runs),
        projection_run_length=_ints(lengths),
        runs=Runs(np.concatenate(firsts), target, place, length),
    )


def shared_rows(coupling: Coupling, source: Population) -> int:
    """How many events of `source` may add up in 16 bits before the sum must be widened.

    The largest n with n * |W| * |delta| <= 2^15 - 1. It holds for any weight of the coupling's
    format, since learning changes them. It holds for any change between two states of the source,
    or from rest.
    """
    largest_delta = source.state_max - source.state_min
    return SUM_LIMIT // (coupling.weight_format.limit * largest_delta)


def projection_weight(plan: Plan, source: int, target: int) -> int:
    """Where in `plan.weights` the rows from population `source` (-1: the input) to `target` begin.

    A self-coupling has one projection, whose matrix is its own transpose.
    """
    projections = range(int(plan.projection_first[source]), int(plan.projection_first[source + 1]))
    if source < 0:
        projections = range(int(plan.projection_first[-2]), int(plan.projection_first[-1]))
    (found,) = (k for k in projections if plan.projection_target[k] == target)
    return int(plan.projection_weight[found])


def places_of_cells(network: Network, plan: Plan, index: int, cells: Ints) -> list[Ints]:
    """Where in `plan.weights` cells of coupling `index` are read, an array like `cells` a reading.

    Feedback of its own has other cells. plan: of the default lowering. cells: flat indices into
    the coupling's matrix, int64 (n,).
    """
    number = population_numbers(network)
    row, column = np.divmod(cells, network.couplings[index].shape[1])
    places = []
    for projection in network.projections:
        if projection.coupling is network.couplings[index]:
            source, target = projection.source, projection.target
            begin = projection_weight(plan, number[source.name], number[target.name])
            for first, second in projection.ends(row, column):
                places.append(begin + first * target.size + second)
    return places


def population_numbers(network: Network) -> dict[str, int]:
    """Numbers of the populations by name, as in `Plan`: relaxing order, the input is -1."""
    return {p.name: k for k, p in enumerate(network.relaxing)} | {network.input.name: -1}


def native_places(network: Network, plan: Plan, coupling: Coupling) -> list[Ints]:
    """Where in `plan.weights` each parameter of a coupling is read, an array a reading.

    plan: of the network itself; the coupling is not dense: one of the network, or the way back of
    one. Each int64 (parameters,), file order.
    """
    number = population_numbers(network)
    places = []
    for projection in (p for p in network.projections if p.coupling is coupling):
        begin = projection_weight(
            plan, number[projection.source.name], number[projection.target.name]
        )
        forward = np.arange(projection.coupling.parameters.size)
        if has_stencil(coupling):
            layout = stencil_of(projection).layout
            cells = np.flatnonzero(layout != NO_CELL)
            forward[layout[cells]] = cells
            places.append(begin + forward)
            continue
        backward = np.argsort(projection.coupling.backward_order())
        ways = [forward, backward + len(forward)] if projection.is_self_projection else []
        places += [begin + way for way in ways or [backward if projection.backward else forward]]
    return places


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)
