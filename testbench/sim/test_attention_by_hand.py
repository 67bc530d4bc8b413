"""Trilinear terms and budget rows: answers known by hand, the best of all rows, refusals."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.attention_networks import attention_case
from toreq_hw import sim
from toreq_hw.contract.budget import budget_row, row_states
from toreq_hw.contract.budget_kernel import fill_row
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import (
    BudgetRows,
    Colouring,
    DenseCoupling,
    Network,
    NeuronSet,
    Population,
    Role,
    Schedule,
    Trilinear,
    WeightFormat,
    build,
)
from toreq_hw.sim.plan import compile_plan
from toreq_hw.sim.scratch import new_scratch
from toreq_hw.sim.session import Session
from toreq_hw.sim.term_kernel import deliver_terms

ENGINES = ("reference", "dense", "event")


def by_hand() -> Network:
    """The example of docs/numerics.md, section 8: one query, two keys, one channel, A = 4."""
    populations = (
        Population("x", 1, Role.INPUT, 8, True),
        Population("l", 1, Role.HIDDEN, 5, True),
        Population("r", 2, Role.HIDDEN, 5, True),
        Population("a", 2, Role.HIDDEN, 3, rows=BudgetRows(2, 4)),
        Population("y", 1, Role.OUTPUT, 5, True),
    )
    one = np.ones((1, 1), np.int8)
    couplings = (DenseCoupling("x", "y", one, 0, WeightFormat.INT8),)
    term = Trilinear("a", "l", "r", heads=1, queries=1, keys=2, width=1, fraction_bits=0)
    return Network(populations, couplings, {}, Schedule.SEQUENTIAL, terms=(term,))


STATES = {"l": [[3]], "r": [[2, -1]], "a": [[4, 0]], "y": [[0]]}


def sums_by_hand(engine: str, states: dict[str, list[list[int]]]) -> list[int]:
    session = Session(by_hand(), engine=engine)
    session.start([[0]], {name: np.array(own, np.int16) for name, own in states.items()})
    found: list[int] = session.phase.accumulators[0].tolist()
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_known_accumulators(engine: str) -> None:
    assert sums_by_hand(engine, STATES) == [8, 12, 0, 6, -3, 0]
    moved = sums_by_hand(engine, {**STATES, "l": [[5]]})
    assert moved == [8, 12 + 8, 0, 6 + 4, -3 - 2, 0]
    moved = sums_by_hand(engine, {**STATES, "a": [[1, 3]]})
    assert moved == [8 - 3 * 2 + 3 * -1, 12 - 9, 9, 6, -3, 0]


def test_known_energy() -> None:
    """E2 is s^2 - 15^2 of each signed neuron, 1 + 3 + 5 + 7 of 4 units, -2 a l r; L' is 3."""
    states = {name: np.array(own, np.int16) for name, own in STATES.items()}
    neurons = 9 + 4 + 1 - 4 * 15**2
    assert doubled_energy(by_hand(), [[0]], states).tolist() == [3 * (neurons + 16 - 48)]
    states["a"] = np.array([[1, 3]], np.int16)
    assert doubled_energy(by_hand(), [[0]], states).tolist() == [3 * (neurons + 1 + 9 + 6) + 3]


def test_known_synops() -> None:
    """The dense machine computes 3 products a sweep for each of the two of the term."""
    result = sim.free_phase(by_hand(), [[3]])
    assert result.dense_synops.tolist() == [1 + 6 * int(result.sweeps[0])]
    assert result.synops.tolist() == [1 + 2 * 2]  # x, and two cells of 2 units each


def test_the_dense_machine_computes_three_products_a_cell_and_channel() -> None:
    """Two heads of 3 channels and 10 cells, two terms; 48 weights both ways; 3 x 4 x 12 once."""
    network = build("4x2", ["attention 3 heads 2 mask causal", "dense 2"])
    result = sim.free_phase(network, [[1] * 8])
    sweep = 2 * 3 * (2 * 10 * 3) + 2 * 48
    assert result.dense_synops.tolist() == [3 * 4 * 12 + sweep * int(result.sweeps[0])]


def test_one_event_by_hand() -> None:
    network = by_hand()
    plan = compile_plan(network)
    scratch, sums = new_scratch(plan, 1), np.zeros(6, np.int32)
    standing = np.array([3, 2, -1, 4, 0, 0], np.int16)
    two = np.array([2], np.int16)
    assert deliver_terms(plan, 0, 0, two, standing, sums, scratch) == 4
    assert sums.tolist() == [0, 8, 0, 4, -2, 0]
    sums[:] = 0
    assert deliver_terms(plan, 1, 1, two, standing, sums, scratch) == 2
    assert sums.tolist() == [0, 0, 0, 0, 6, 0]
    sums[:] = 0
    assert deliver_terms(plan, 2, 0, two, standing, sums, scratch) == 2
    assert sums.tolist() == [4, 6, 0, 0, 0, 0]


def test_one_row_by_hand() -> None:
    """Thresholds 1 2 3 4; the row of 6 -3 is 4 0, which changes nothing more."""
    result = sim.relax(
        by_hand(), [[0]], states={n: np.array(s, np.int16) for n, s in STATES.items()}, max_sweeps=1
    )
    assert by_hand().row_tables["a"] == (1, 2, 3, 4)
    assert result.states["l"].tolist() == [[8]]
    assert result.states["r"].tolist() == [[15, 0]]
    assert result.states["a"].tolist() == [[4, 0]]


def best_row(sums: list[int], table: list[int], budget: int, *, at_most: bool) -> tuple[int, ...]:
    """Of all rows the one of lowest cost, equal bids to the lowest index."""
    best = None
    for row in product(range(budget + 1), repeat=len(sums)):
        if sum(row) > budget or (sum(row) < budget and not at_most):
            continue
        cost = sum(
            sum(2 * theta - 1 for theta in table[:a]) - 2 * c * a
            for c, a in zip(sums, row, strict=True)
        )
        key = (cost * (len(sums) + 1) + sum(j * a for j, a in enumerate(row)), row)
        best = key if best is None else min(best, key)
    assert best is not None
    return best[1]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rows_are_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    budget, cells = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    table = np.cumsum(rng.integers(1, 4, budget)) + int(rng.integers(-6, 3))
    sums = rng.integers(-7, 8, cells)
    is_cell = rng.integers(0, 2, cells).astype(bool)
    is_cell[rng.integers(cells)] = True
    at_most = bool(rng.integers(2))
    wanted = best_row(sums[is_cell].tolist(), table.tolist(), budget, at_most=at_most)
    plain = budget_row(sums[is_cell].tolist(), table.tolist(), budget, at_most=at_most)
    assert tuple(plain) == wanted
    filled = np.zeros(int(is_cell.sum()), np.int16)
    fill_row(sums[is_cell].astype(np.int32), table, budget, at_most, filled)
    assert tuple(filled) == wanted
    mask = ("".join("01"[int(k)] for k in is_cell),)
    rows = BudgetRows(cells, budget, at_most=at_most, mask=mask)
    whole = row_states(rows, table, sums[None], rows.cells(cells))[0]
    assert tuple(whole[is_cell]) == wanted
    assert not whole[~is_cell].any()


def test_lossy_mode_is_refused_with_rows() -> None:
    case = next(c for c in map(attention_case, range(99)) if c.network.population("scores").rows)
    with pytest.raises(InputError, match="threshold must be 0 with budget rows, as in 'scores'"):
        sim.relax(case.network, case.inputs, threshold=1)


def test_lossy_engines_agree_without_rows() -> None:
    plain = [c for c in map(attention_case, range(60)) if not c.network.population("scores").rows]
    assert len(plain) > 5
    for case in plain:
        expected, *others = (
            sim.relax(case.network, case.inputs, engine=engine, threshold=2, trace=True)
            for engine in ENGINES
        )
        assert not expected.unsettled
        assert [sim.first_difference(expected, found) for found in others] == [None, None]


@pytest.mark.parametrize(
    ("row", "must"),
    [
        ([3, 2], "a row must add up to at most 4, found 5"),
        ([5, 0], "a row must add up to at most 4, found 5"),
    ],
)
def test_states_beyond_a_budget_are_refused(row: list[int], must: str) -> None:
    states = {**STATES, "a": [row]}
    with pytest.raises(InputError, match=must):
        sim.relax(by_hand(), [[0]], states={n: np.array(s, np.int16) for n, s in states.items()})


def test_a_masked_neuron_stays_at_rest() -> None:
    network = by_hand()
    scores = replace(network.population("a"), rows=BudgetRows(2, 4, mask=("01",)))
    populations = tuple(scores if p.name == "a" else p for p in network.populations)
    masked = replace(network, populations=populations)
    states = {n: np.array(s, np.int16) for n, s in STATES.items()}
    with pytest.raises(InputError, match="must be 0 where the mask is"):
        sim.relax(masked, [[0]], states=states)
    start = {**states, "a": np.zeros((1, 2), np.int16)}
    for engine in ENGINES:
        result = sim.relax(masked, [[0]], states=start, engine=engine)
        assert result.states["a"].tolist() == [[0, 4]]


def test_colours_torn_rows_and_shared_terms_are_refused() -> None:
    network = by_hand()
    parts = {p.name: NeuronSet.whole(p) for p in network.updating}
    half = [NeuronSet("a", range(k, k + 1)) for k in (0, 1)]
    rest = (parts["r"],), (parts["y"],)
    with pytest.raises(NetworkError, match="must hold whole rows of 'a', found a part of row 0"):
        replace(network, schedule=Colouring(((parts["l"],), (half[0],), (half[1],), *rest)))
    with pytest.raises(NetworkError, match="found 'a' and 'l' in colour 0"):
        replace(network, schedule=Colouring(((parts["l"], parts["a"]), *rest)))
    with pytest.raises(NetworkError, match="found 'l' and 'r' in colour 0"):
        replace(network, schedule=Colouring(((parts["l"], parts["r"]), (parts["a"],), rest[1])))
    for schedule in (Schedule.SYNCHRONOUS, Schedule.PARITY):
        with pytest.raises(
            NetworkError, match="must not update neurons together that share a term"
        ):
            replace(network, schedule=schedule)
