"""Small networks worked out by hand, and what must hold for every network."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case, cases
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import (
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    layered,
)
from toreq_hw.sim.exact_product import FLOAT32_EXACT, ExactProduct, exact_blocks
from toreq_hw.sim.reference import accumulators

ENGINES = list(sim.EngineName)


def by_hand() -> Network:
    """2 inputs (0..3), 2 hidden (0..7), 2 outputs (0..7); input f = 1, output f = 0, so F = 1."""
    return Network(
        (
            Population("input", 2, Role.INPUT, 2),
            Population("hidden", 2, Role.HIDDEN, 3),
            Population("output", 2, Role.OUTPUT, 3),
        ),
        (
            DenseCoupling(
                "input", "hidden", np.array([[2, -1], [1, 3]], np.int8), 1, WeightFormat.INT8
            ),
            DenseCoupling(
                "hidden", "output", np.array([[1, 0], [-1, 1]], np.int8), 0, WeightFormat.TERNARY
            ),
        ),
        {"hidden": np.array([0, 1], np.int32), "output": np.array([2, -1], np.int32)},
        beta_shift=1,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_free_phase_by_hand(engine: str) -> None:
    # x = (3, 1). Hidden drive over 2^-1: h0: 2*3 + 1*1 = 7; h1: -3 + 3 + 1 = 1.
    # Tick 1, outputs 0: h = ((7+1)>>1, (1+1)>>1) = (4, 1).
    # Tick 2: o0 = 4 - 1 + 2 = 5, o1 = 1 - 1 = 0.
    # Tick 3: h0 = 7 + 2*5 = 17 -> 9 -> 7 (saturates), h1 = 1 + 2*(-5 + 0) = -9 -> -4 -> 0.
    # Tick 4: o0 = 7 - 0 + 2 = 9 -> 7, o1 = 0 - 1 -> 0.
    # Tick 5: h0 = 7 + 14 -> 7, h1 = 1 - 14 -> 0: nothing. Tick 6: nothing. Three sweeps.
    result = sim.relax(by_hand(), [[3, 1]], engine=engine, trace=True)
    assert result.trace is not None
    states = result.trace.states(0)
    hidden = [[0, 0], [4, 1], [4, 1], [7, 0], [7, 0], [7, 0], [7, 0]]
    output = [[0, 0], [0, 0], [5, 0], [5, 0], [7, 0], [7, 0], [7, 0]]
    assert states["hidden"].tolist() == hidden
    assert states["output"].tolist() == output
    assert (result.sweeps.tolist(), result.ticks.tolist()) == ([3], [6])
    # events: h0 h1, o0, h0 h1, o0 = 6, each walking 2 weights; inputs: 2, each walking 2.
    assert (result.events.tolist(), result.input_events.tolist()) == ([6], [2])
    assert result.synops.tolist() == [16]
    # dense: 4 input weights once, 4 weights both ways in each of 3 sweeps.
    assert result.dense_synops.tolist() == [4 + 3 * 8]
    assert result.classes.tolist() == [0]


@pytest.mark.parametrize("engine", ENGINES)
def test_nudged_phases_by_hand(engine: str) -> None:
    # s* = (7, 0), (7, 0), label 1: e = (-7, 7), F = 0, beta = 1/2: n = (-4, 3).
    # Positive: o = (7 + 2 - 4, 0 - 1 + 3) = (5, 2); h0 = 7 + 2*5 -> 7, h1 = 1 + 2*(-5 + 2) -> 0.
    # Negative: o = (9 + 4 -> 7, 0 - 1 - 3 -> 0): nothing changes.
    net = by_hand()
    free = sim.free_phase(net, [[3, 1]], engine=engine)
    assert sim.nudge(net, free.states["output"], [1]).tolist() == [[-4, 3]]
    positive = sim.nudged_phase(net, [[3, 1]], free, [1], 1, engine=engine)
    negative = sim.nudged_phase(net, [[3, 1]], free, [1], -1, engine=engine)
    assert positive.states["output"].tolist() == [[5, 2]]
    assert positive.states["hidden"].tolist() == [[7, 0]]
    assert (positive.sweeps.tolist(), positive.events.tolist()) == ([2], [2])
    assert negative.states["output"].tolist() == [[7, 0]]
    assert (negative.sweeps.tolist(), negative.events.tolist()) == ([1], [0])
    assert negative.input_events.tolist() == [0]


@pytest.mark.parametrize("engine", ENGINES)
def test_small_moves_below_the_threshold_are_not_sent(engine: str) -> None:
    # As by hand, but only moves above 4 are sent: tick 1 sends nothing (4 and 1), so outputs
    # see 0: o0 = 2 (not sent), o1 = -1 -> 0. Sweep 2 changes nothing.
    result = sim.relax(by_hand(), [[3, 1]], engine=engine, threshold=4)
    assert result.states["hidden"].tolist() == [[4, 1]]
    assert result.states["output"].tolist() == [[2, 0]]
    assert (result.events.tolist(), result.sweeps.tolist()) == ([0], [2])


def test_dense_cost_of_a_self_coupling_by_hand() -> None:
    # 4 x 3 inputs once; each sweep 3 x 2 weights both ways and the 3 x 3 self-coupling once.
    net = layered((4, 3, 2), WeightFormat.INT8, (0, 0), loop_fraction_bits=0)
    result = sim.relax(net, [[1, 2, 3, 4]])
    assert result.sweeps.tolist() == [1]
    assert result.dense_synops.tolist() == [12 + 2 * 6 + 9]
    # An input event walks 3 weights; nothing else moves.
    assert result.synops.tolist() == [4 * 3]


def test_ties_go_to_the_lowest_class() -> None:
    net = by_hand()
    result = sim.relax(net, [[0, 0], [3, 1]])
    result.states["output"][:] = [[3, 3], [2, 5]]
    assert result.classes.tolist() == [0, 1]


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_an_equilibrium_stays(case: Case) -> None:
    first = sim.relax(case.network, case.inputs, max_sweeps=300)
    settled = first.status == sim.Status.SETTLED
    again = sim.relax(
        case.network, case.inputs[settled], states={k: v[settled] for k, v in first.states.items()}
    )
    assert np.all(again.sweeps == 1)
    assert not np.any(again.events)
    for name, states in again.states.items():
        assert np.array_equal(states, first.states[name][settled])


@settings(max_examples=60, deadline=None)
@given(case=cases(Schedule.PARITY))
def test_event_order_does_not_matter(case: Case) -> None:
    """Accumulators updated neighbour by neighbour, in any order, are the recomputed sums."""
    net = case.network
    rng = np.random.default_rng(0)
    states = {p.name: np.zeros(p.size, dtype=np.int64) for p in net.populations}
    no_drive = np.zeros(net.output.size, dtype=np.int64)
    kept = {p.name: accumulators(net, p.name, states, no_drive) for p in net.relaxing}
    events = [(p, i) for p in net.populations for i in range(p.size)]
    for index in rng.permutation(len(events)):
        population, i = events[index]
        delta = int(rng.integers(population.state_min, population.state_max + 1))
        states[population.name][i] += delta
        for c in (c for c in net.couplings if population.name in (c.pre, c.post)):
            into_post = c.pre == population.name
            target = c.post if into_post else c.pre
            if target == net.input.name:
                continue
            weight = c.parameters[i] if into_post else c.parameters[:, i]
            shift = net.accumulator_fraction_bits(target) - c.fraction_bits
            kept[target] += (weight.astype(np.int64) * delta) << shift
    for p in net.relaxing:
        assert np.array_equal(kept[p.name], accumulators(net, p.name, states, no_drive))


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_samples_do_not_influence_each_other(case: Case) -> None:
    together = sim.relax(case.network, case.inputs, max_sweeps=50)
    alone = [sim.relax(case.network, x[None], max_sweeps=50) for x in case.inputs]
    assert sim.first_difference(together, sim.join_results(alone)) is None


@pytest.mark.parametrize("rows", [65_793, 65_794, 200_000])
def test_exact_product_at_its_bound(rows: int) -> None:
    # 65,793 x 255 = 16,777,215 <= 2^24: one block just fits, one row more needs two.
    weight = np.ones((rows, 1), np.int8)
    blocks = exact_blocks(weight, 255)
    assert len(blocks) == -(-rows // 65_793)
    assert all((stop - start) * 255 <= FLOAT32_EXACT for start, stop in blocks)
    assert blocks[0][0] == 0
    assert blocks[-1][1] == rows
    assert all(a[1] == b[0] for a, b in itertools.pairwise(blocks))
    states = np.full((2, rows), 255, np.int16)
    states[1, ::2] = 254
    expected = states.astype(np.int64).sum(axis=1)
    assert ExactProduct(weight, 255)(states)[:, 0].tolist() == expected.tolist()


def test_exact_product_beyond_float32() -> None:
    rng = np.random.default_rng(3)
    weight = rng.integers(-127, 128, (5000, 3)).astype(np.int8)
    weight[:, 0] = 127
    states = rng.integers(0, 256, (4, 5000)).astype(np.int16)
    states[0] = 255
    product = ExactProduct(weight, 255)
    expected = states.astype(np.int64) @ weight.astype(np.int64)
    assert expected.max() > FLOAT32_EXACT
    assert np.array_equal(product(states), expected)
    assert np.array_equal(product.column(states, 0), expected[:, 0])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[4, 0]], "states of 'input': must be in 0..3, found 0..4"),
        ([[-1, 0]], "states of 'input': must be in 0..3, found -1..0"),
        ([[1.0, float("nan")]], "states of 'input': must be integers, not float64 holding NaN"),
        ([[1.0, 2.0]], "states of 'input': must be integers, not float64"),
        ([[1, 2, 3]], "states of 'input': must have shape (batch, 2), not (1, 3)"),
        ([1, 2], "states of 'input': must have shape (batch, 2), not (2,)"),
    ],
)
def test_bad_inputs_are_refused(inputs: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        sim.relax(by_hand(), inputs)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_other_bad_arguments_are_refused() -> None:
    net, inputs = by_hand(), [[3, 1]]
    with pytest.raises(InputError, match="engine must be one of reference, dense, event"):
        sim.relax(net, inputs, engine="quantum")
    with pytest.raises(InputError, match=r"threshold must be a whole number in 0\.\.32767"):
        sim.relax(net, inputs, threshold=-1)
    with pytest.raises(InputError, match=r"max_sweeps must be a whole number in 1\.\.1000000"):
        sim.relax(net, inputs, max_sweeps=0)
    with pytest.raises(InputError, match="states must be given for hidden, output, not for"):
        sim.relax(net, inputs, states={"hidden": np.zeros((1, 2), np.int16)})
    two = {n: np.zeros((2, 2), np.int16) for n in ("hidden", "output")}
    with pytest.raises(InputError, match="one row per input"):
        sim.relax(net, inputs, states=two)
    with pytest.raises(InputError, match="drive: must be integers, not float64"):
        sim.relax(net, inputs, drive=np.zeros((1, 2)))
    free = sim.free_phase(net, inputs)
    with pytest.raises(InputError, match="sign must be 1 or -1"):
        sim.nudged_phase(net, inputs, free, [1], 0)
    with pytest.raises(InputError, match=r"labels: must be in 0\.\.1, found 2\.\.2"):
        sim.nudged_phase(net, inputs, free, [2], 1)
    with pytest.raises(InputError, match="labels: must be integers, not float64"):
        sim.nudged_phase(net, inputs, free, [0.5], 1)


def test_sweep_limit_is_counted_and_reported() -> None:
    for engine in ENGINES:
        result = sim.relax(by_hand(), [[3, 1]], engine=engine, max_sweeps=2)
        assert result.status.tolist() == [sim.Status.SWEEP_LIMIT]
        assert (result.unsettled, result.sweeps.tolist()) == (1, [2])


def test_first_difference_names_sample_tick_population_and_neuron() -> None:
    net = by_hand()
    mine = sim.relax(net, [[0, 0], [3, 1]], trace=True)
    others = sim.relax(net, [[0, 0], [2, 1]], trace=True)
    assert sim.first_difference(mine, mine) is None
    assert str(sim.first_difference(mine, others)) == (
        "free phase, sample 1, tick 1, population 'hidden', neuron 0: expected 4, got 3"
    )
