"""Weight bits that flip while a phase runs: later events meet them, sums that stand do not."""

from dataclasses import replace

import numpy as np
import pytest

from testbench.networks import random_case, with_random_weights
from testbench.robustness.chains import chain
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.baselines.feed_forward import has_counterpart
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.weight_flips import readings

ENGINES = [e.value for e in sim.EngineName]


def flips(network: Network, *rows: tuple[int, int, int, int, int]) -> Disturbance:
    """Rows of sample, tick, coupling, cell, bit."""
    return Disturbance.none(network).with_weight_flips(np.array(rows, dtype=np.int64))


def layered_network(kind: WeightFormat, seed: int) -> Network:
    """20-48-10: wide enough for every way in which events are delivered."""
    rng = np.random.default_rng(seed)
    blank = layered((20, 48, 10), kind, (8, 9) if kind is WeightFormat.INT8 else (2, 3))
    return with_random_weights(blank, rng)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("flipped", "h", "y"),
    [
        # The weight is 0: h = 100 tells y nothing.
        ((), [100], [0]),
        # It reads 1 when h sends: y 100, which comes back, h 200, y 200, h 255, y 255.
        (((1, 0),), [100, 200, 255, 255], [100, 200, 255, 255]),
        # From tick 2 on it reads 1, too late: what h sent has been summed with 0.
        (((2, 0),), [100], [0]),
        # It reads 1 in tick 1 only: y keeps its 100, and what y sends reaches nobody.
        (((1, 0), (2, 0)), [100, 100], [100, 100]),
        # 1 when h sends, 3 when y does: h 100 + 300.
        (((1, 0), (2, 1)), [100, 255, 255], [100, 255, 255]),
        # Bit 7 of 0 reads -127: y stays at 0. Flipped back, the word is 0 again (a -127 that had
        # been written back, 0x81, would be 1 now).
        (((1, 7),), [100], [0]),
        (((1, 7), (1, 7)), [100], [0]),
    ],
)
def test_a_chain_by_hand(
    engine: str, flipped: tuple[tuple[int, int], ...], h: list[int], y: list[int]
) -> None:
    network = chain(1, 0)
    rows = [(0, tick, 1, 0, bit) for tick, bit in flipped]
    given = flips(network, *rows) if rows else Disturbance.none(network)
    runner = p.disturbed_engine(network, given, engine)
    found = sim.relax(network, np.array([[100]]), engine=runner, trace=True)
    assert found.trace is not None
    states = found.trace.states(0)
    # The first sweeps, and then what stays.
    for name, expected in (("h1", h), ("y", y)):
        seen = states[name].ravel()[2::2].tolist()
        assert seen[: len(expected)] == expected
        assert set(seen[len(expected) :]) <= {expected[-1]}
    assert found.unsettled == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_the_next_sample_finds_the_weights_as_programmed(engine: str) -> None:
    network = chain(1, 0)
    given = flips(network, (0, 1, 1, 0, 0), (2, 1, 1, 0, 0), (2, 3, 1, 0, 4), (2, 5, 1, 0, 4))
    runner = p.disturbed_engine(network, given, engine)
    for _ in range(2):  # and so does the next batch
        found = sim.relax(network, np.array([[100]] * 4), engine=runner)
        assert found.states["y"].ravel().tolist() == [255, 0, 255, 0]


def test_words_are_flipped_not_what_they_read_as() -> None:
    network = layered_network(WeightFormat.TERNARY, 1)
    weight = network.couplings[1].parameters.copy()
    weight.flat[:3] = (0, 1, -1)
    network = replace(
        network, couplings=(network.couplings[0], network.couplings[1].with_parameters(weight))
    )
    # 00 -> 10 -> 11; 01 -> 11 -> 10; 11 -> 10 -> 00, the last one's flips a tick apart.
    rows = [(0, 1, 1, 0, 1), (0, 2, 1, 0, 0), (0, 1, 1, 1, 1), (0, 2, 1, 1, 0)]
    rows += [(0, 1, 1, 2, 0), (0, 2, 1, 2, 1), (1, 1, 1, 2, 1)]
    lines = flips(network, *rows).weight_flips
    found = readings(network, lines)
    seen = {(k[0], k[1], k[3]): tuple(v) for k, v in zip(lines.tolist(), found, strict=True)}
    assert seen == {
        (0, 1, 0): (0, 0),
        (0, 2, 0): (0, -1),
        (0, 1, 1): (1, -1),
        (0, 2, 1): (-1, 0),
        (0, 1, 2): (-1, 0),
        (0, 2, 2): (0, 0),
        (1, 1, 2): (-1, 1),
    }


@pytest.mark.parametrize("kind", WeightFormat)
def test_engines_agree_where_events_are_delivered_in_every_way(kind: WeightFormat) -> None:
    changed = 0
    for seed in range(6):
        network = layered_network(kind, seed)
        inputs = np.random.default_rng(seed).integers(0, 256, (3, 20))
        plain = sim.relax(network, inputs)
        layers = [p.WeightUpset(0.05, seed, last_tick=6), p.WeightUpset(0.01, seed + 1)]
        reference, *others = (
            p.relax_with(network, inputs, layers, engine=e, max_sweeps=40, trace=True)
            for e in ENGINES
        )
        assert all(sim.first_difference(reference, other) is None for other in others)
        changed += any((reference.states[n] != s).any() for n, s in plain.states.items())
    assert changed == 6


def test_engines_agree_on_self_couplings_and_in_company() -> None:
    for seed in range(25):
        case = random_case(seed, schedule=Schedule.SEQUENTIAL, max_size=8, batch=3)
        layers = [
            p.WeightUpset(0.1, seed, last_tick=5),
            p.StateUpset(0.05, seed),
            p.AccumulatorUpset(0.005, seed),
            p.DuplicatedEvents(0.2, seed),
        ]
        reference, *others = (
            p.relax_with(case.network, case.inputs, layers, engine=e, max_sweeps=40, trace=True)
            for e in ENGINES
        )
        assert all(sim.first_difference(reference, other) is None for other in others)


@pytest.mark.parametrize("kind", WeightFormat)
def test_as_many_bits_flip_as_the_level_says_and_only_where_events_go(kind: WeightFormat) -> None:
    network = layered_network(kind, 1)
    layer = p.WeightUpset(0.01, seed=2, first_tick=3, last_tick=6)
    lines = p.disturbance(network, 20, [layer]).weight_flips
    bits = 8 if kind is WeightFormat.INT8 else 2
    expected = 0.01 * 20 * 4 * 480 * bits
    assert abs(len(lines) - expected) < 5 * expected**0.5
    assert (lines[:, 2] == 1).all()
    for column, low, high in ((0, 0, 19), (1, 3, 6), (3, 0, 479), (4, 0, bits - 1)):
        assert (lines[:, column].min(), lines[:, column].max()) == (low, high)


def test_distance_grows_with_the_level() -> None:
    distances = []
    for level in (0.0, 0.002, 0.02, 0.2):
        moved = 0.0
        for seed in range(10):
            network = layered_network(WeightFormat.INT8, seed)
            inputs = np.random.default_rng(seed).integers(0, 256, (4, 20))
            plain = sim.relax(network, inputs)
            found = p.relax_with(network, inputs, [p.WeightUpset(level, seed)], max_sweeps=60)
            for name, states in plain.states.items():
                moved += float(np.abs(states - found.states[name].astype(int)).mean())
        distances.append(moved)
    assert distances[0] == 0 < distances[1] < distances[2] < distances[3]


def test_a_settled_network_sends_nothing_and_so_feels_nothing() -> None:
    network = layered_network(WeightFormat.INT8, 4)
    inputs = np.random.default_rng(4).integers(0, 256, (4, 20))
    free = sim.relax(network, inputs)
    found = p.relax_with(network, inputs, [p.WeightUpset(0.3)], states=free.states)
    assert found.sweeps.tolist() == [1] * 4
    assert all(np.array_equal(found.states[name], states) for name, states in free.states.items())


def test_what_cannot_be_is_refused_in_one_line() -> None:
    for make, message in (
        (lambda: p.WeightUpset(1.5), r"level of weight_upset must be in 0\.\.1"),
        (lambda: p.WeightUpset(0.1, first_tick=5, last_tick=4), "must be 1 <= first <= last"),
        (lambda: p.make_layer("weight_upset", level=0.1, bit=3), "settings of weight_upset"),
    ):
        with pytest.raises(InputError, match=message):
            make()
    network = layered_network(WeightFormat.INT8, 0)
    inputs = np.zeros((2, 20), np.int16)
    for layer, message in (
        (p.WeightUpset(0.1, place="moon"), "place of weight_upset must be a coupling"),
        (
            p.WeightUpset(0.1, place="input-hidden"),
            "must be a coupling between relaxing populations, not input-hidden",
        ),
        (p.WeightUpset(1.0, last_tick=4000), "at most 20000000 faults are drawn at once"),
    ):
        with pytest.raises(InputError, match=message):
            p.relax_with(network, inputs, [layer])
    with pytest.raises(InputError, match="must keep its weights, found some that flip in a phase"):
        FaultMap.make(network, [p.WeightUpset(0.1)], 2)
    assert not has_counterpart(p.WeightUpset(0.1))
