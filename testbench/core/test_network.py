"""A network that breaks a rule is refused in one line; the accumulator bound is exact."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case, cases
from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    accumulator_bits,
    accumulator_range,
    layered,
    nudge_limit,
)
from toreq_hw.sim.reference import accumulators

INPUT = Population("input", 2, Role.INPUT, 2)
HIDDEN = Population("hidden", 2, Role.HIDDEN, 2)
OUTPUT = Population("output", 1, Role.OUTPUT, 2)


def coupling(pre: Population, post: Population, value: int = 1, f: int = 0) -> DenseCoupling:
    weight = np.full((pre.size, post.size), value, dtype=np.int8)
    return DenseCoupling(pre.name, post.name, weight, f, WeightFormat.INT8)


def network(**changes: Any) -> Network:
    parts: dict[str, Any] = {
        "populations": (INPUT, HIDDEN, OUTPUT),
        "couplings": (coupling(INPUT, HIDDEN), coupling(HIDDEN, OUTPUT)),
        "biases": {},
    }
    return Network(**{**parts, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Input"}, "population name must be 1 to 32 lower-case letters"),
        ({"name": "a-b"}, "population name must be 1 to 32 lower-case letters"),
        ({"size": 0}, "'p': size must be an integer in 1.."),
        ({"size": 1 << 40}, "'p': size must be an integer in 1.."),
        ({"size": True}, "'p': size must be an integer in 1.."),
        ({"state_bits": 0}, "unsigned state_bits must be an integer in 1..8"),
        ({"state_bits": 9}, "unsigned state_bits must be an integer in 1..8"),
        ({"state_bits": 1, "signed": True}, "signed state_bits must be an integer in 2..8"),
        ({"signed": 1}, "'p': signed must be true or false, not 1"),
        ({"role": 3}, "'p': role must be a Role"),
    ],
)
def test_bad_populations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        Population(**{"name": "p", "size": 3, "role": Role.HIDDEN, **changes})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bits", "signed", "low", "high"),
    [(1, False, 0, 1), (8, False, 0, 255), (2, True, -1, 1), (8, True, -127, 127)],
)
def test_state_ranges(bits: int, signed: bool, low: int, high: int) -> None:
    population = Population("p", 1, Role.HIDDEN, bits, signed)
    assert (population.state_min, population.state_max) == (low, high)


@pytest.mark.parametrize(
    ("weight", "weight_format", "message"),
    [
        ([[-128]], "int8", "int8 weights must be in -127..127, found -128 at [0, 0]"),
        ([[0, 2]], "ternary", "ternary weights must be in -1..1, found 2 at [0, 1]"),
        ([1, 1], "int8", "weight must have 2 dimensions, not 1"),
    ],
)
def test_bad_weights_are_refused(weight: Any, weight_format: str, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        DenseCoupling("a", "b", np.array(weight, np.int8), 0, WeightFormat(weight_format))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([[0, 1], [2, 0]], "must be symmetric, found 1 at [0, 1] and 2 at [1, 0]"),
        ([[1, 2], [2, 0]], "must have a zero diagonal, found 1 at [0, 0]"),
        ([[0, 2]], "must be square, not 1 x 2"),
    ],
)
def test_bad_self_couplings_are_refused(weight: Any, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        DenseCoupling("a", "a", np.array(weight, np.int8), 0, WeightFormat.INT8)
    assert message in str(caught.value)


def test_masked_arrays_are_refused() -> None:
    """What lies behind a mask is not what their owner sees."""
    with pytest.raises(NetworkError, match="weight must be an array without a mask"):
        DenseCoupling("a", "b", np.ma.ones((2, 2), np.int8), 0, WeightFormat.INT8)
    with pytest.raises(NetworkError, match="must be an array without a mask"):
        replace(network(), biases={"hidden": np.ma.ones(2, np.int32)})


def test_bad_dtypes_and_fraction_bits_are_refused() -> None:
    with pytest.raises(NetworkError, match="weight must be an int8 array, not float64"):
        DenseCoupling("a", "b", np.zeros((1, 1)), 0, WeightFormat.INT8)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=r"fraction_bits must be an integer in 0\.\.15, not 16"):
        DenseCoupling("a", "b", np.zeros((1, 1), np.int8), 16, WeightFormat.INT8)


LOOP = DenseCoupling("hidden", "hidden", np.zeros((2, 2), np.int8), 0, WeightFormat.INT8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"populations": (INPUT, OUTPUT)}, "both ends must be populations"),
        ({"populations": (INPUT, HIDDEN, OUTPUT, OUTPUT)}, "unique, found 'output' twice"),
        ({"populations": (INPUT, HIDDEN)}, "one output population, found 0"),
        ({"couplings": (coupling(HIDDEN, INPUT),)}, "must not be the input 'input'"),
        ({"couplings": (coupling(INPUT, OUTPUT, 1), coupling(INPUT, OUTPUT))}, "found a second"),
        (
            {"couplings": (coupling(HIDDEN, OUTPUT), coupling(OUTPUT, HIDDEN))},
            "share at most one coupling",
        ),
        (
            {"couplings": (replace(coupling(INPUT, HIDDEN), post="output"),)},
            "weight must have shape (2, 1), not (2, 2)",
        ),
        ({"biases": {"input": np.zeros(2, np.int32)}}, "must belong to a hidden or output"),
        ({"biases": {"hidden": np.zeros(3, np.int32)}}, "must have shape (2,), not (3,)"),
        ({"biases": {"hidden": np.zeros(2, np.int64)}}, "must be an int32 array, not int64"),
        ({"biases": {"hidden": np.full(2, 2**31 - 1, np.int32)}}, "accumulators must stay within"),
        ({"beta_shift": 16}, "beta_shift must be an integer in 0..15, not 16"),
        ({"schedule": 3}, "schedule must be a Schedule"),
        ({"couplings": (LOOP,)}, "parity must have no self-coupling, found 'hidden-hidden'"),
    ],
)
def test_bad_networks_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        network(**changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parity_refuses_odd_cycles() -> None:
    extra = Population("extra", 2, Role.HIDDEN, 2)
    with pytest.raises(NetworkError, match="no odd cycle of populations"):
        network(
            populations=(INPUT, HIDDEN, extra, OUTPUT),
            couplings=(
                coupling(INPUT, HIDDEN),
                coupling(HIDDEN, extra),
                coupling(extra, OUTPUT),
                coupling(HIDDEN, OUTPUT),
            ),
        )


def test_colours_by_schedule() -> None:
    def names(net: Network) -> list[list[tuple[str, int, int]]]:
        return [[(b.population, b.start, b.stop) for b in colour] for colour in net.sweep.blocks]

    deep = layered((4, 3, 2, 2, 1), WeightFormat.INT8, (0, 0, 0, 0))
    odd, even = [("hidden1", 0, 3), ("hidden3", 0, 2)], [("hidden2", 0, 2), ("output", 0, 1)]
    assert names(deep) == [odd, even]
    looped = layered((4, 2, 1), WeightFormat.INT8, (0, 0), loop_fraction_bits=0)
    assert looped.schedule is Schedule.SEQUENTIAL
    one_by_one = [[("hidden", 0, 1)], [("hidden", 1, 2)], [("output", 0, 1)]]
    assert names(looped) == one_by_one
    together = replace(looped, schedule=Schedule.SYNCHRONOUS)
    assert names(together) == [[("hidden", 0, 2), ("output", 0, 1)]]


@settings(max_examples=60, deadline=None)
@given(case=cases(skips=True))
def test_accumulator_range_is_reached_at_its_corner(case: Case) -> None:
    net = case.network
    for population in net.relaxing:
        low, high = accumulator_range(net, population.name)
        bits = accumulator_bits(net, population.name)
        half = (1 << net.accumulator_fraction_bits(population.name)) >> 1
        assert -(1 << (bits - 1)) <= low.min()
        assert high.max() + half < 1 << (bits - 1)
        # one bit fewer would not do
        assert low.min() < -(1 << (bits - 2)) or high.max() + half >= 1 << (bits - 2)
        for neuron in range(population.size):
            for sign, bound in ((1, high), (-1, low)):
                found = corner_accumulator(net, population, neuron, sign)
                assert found == bound[neuron]


def corner_accumulator(net: Network, population: Population, neuron: int, sign: int) -> int:
    """The accumulator with every neighbour where it pushes `neuron` furthest."""
    states = {p.name: np.zeros(p.size, dtype=np.int64) for p in net.populations}
    for c in (c for c in net.couplings if population.name in (c.pre, c.post)):
        into_post = c.post == population.name
        source = net.population(c.pre if into_post else c.post)
        weight = c.parameters[:, neuron] if into_post else c.parameters[neuron]
        up = source.state_max if sign > 0 else source.state_min
        down = source.state_min if sign > 0 else source.state_max
        states[source.name] = np.where(weight > 0, up, down).astype(np.int64)
    drive = np.zeros(net.output.size, dtype=np.int64)
    if population is net.output:
        fraction_bits = net.accumulator_fraction_bits(population.name)
        drive += sign * nudge_limit(population, fraction_bits, net.beta_shift)
    return int(accumulators(net, population.name, states, drive)[neuron])


def test_bound_for_any_weights_holds_for_these() -> None:
    net = network()
    low, high = accumulator_range(net, "hidden", any_weights=True)
    # inputs 0..3 twice, outputs 0..3 once, weights to 127
    assert (low.tolist(), high.tolist()) == ([-1143, -1143], [1143, 1143])


def test_a_row_of_a_projection_holds_what_an_event_reaches() -> None:
    forward, backward = network().projections[1:]
    assert (forward.name, backward.name) == ("hidden->output", "output->hidden")
    weight = forward.matrix
    for projection, rows in ((forward, weight), (backward, weight.T)):
        for neuron, expected in enumerate(rows):
            targets, found = projection.row(neuron)
            assert targets.tolist() == list(range(projection.target.size))
            assert found.tolist() == expected.tolist()
