"""Accumulator bits stuck for good: seen by every read, kept by no sum."""

from dataclasses import replace

import numpy as np
import pytest

from testbench.networks import random_case
from testbench.robustness.chains import chain
from toreq_hw import sim
from toreq_hw.contract.results import Status
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.baselines.feed_forward import feed_forward
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.fault_map import FaultMap

ENGINES = [e.value for e in sim.EngineName]


def stuck(network: Network, at_zero: list[int], at_one: list[int]) -> Disturbance:
    """Masks per neuron, in layout order."""
    words = np.array([at_zero, at_one], dtype=np.uint32).T.copy()
    return replace(Disturbance.none(network), stuck_bits=words.view(np.int32))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("at_zero", "at_one", "state"),
    [
        (0, 0, 100),  # 100 = 0b110_0100
        (0, 1, 101),
        (0, 4, 100),  # stuck at what it holds
        (4, 0, 96),
        (0x64, 0x0B, 11),
        (1 << 31, 0, 100),
        (0, 1 << 31, 0),  # the sign: far below the range
        (0, 1 << 20, 255),  # far above it
    ],
)
def test_one_update_by_hand(engine: str, at_zero: int, at_one: int, state: int) -> None:
    network = chain(1)
    runner = p.disturbed_engine(network, stuck(network, [at_zero], [at_one]), engine)
    result = sim.relax(network, np.array([[100]]), engine=runner)
    assert result.states["y"].tolist() == [[state]]
    # Weight -1: the sum is -100 and its sign bit, stuck at 0, makes it a huge positive one.
    network = chain(-1)
    runner = p.disturbed_engine(network, stuck(network, [1 << 31], [0]), engine)
    assert sim.relax(network, np.array([[100]]), engine=runner).states["y"].tolist() == [[255]]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_sum_underneath_stays_exact(engine: str) -> None:
    """h = x + y with bit 6 stuck at 0, y = h, x = 100.

    100 reads 36; 100 + 36 = 136 has no bit 6; 100 + 136 = 236 reads 172; 272 and 355 are over the
    range. A sum that kept what was read would go on from 36 + 36 = 72, which reads 8.
    """
    network = chain(1, 1)
    runner = p.disturbed_engine(network, stuck(network, [64, 0], [0, 0]), engine)
    found = sim.relax(network, np.array([[100]]), engine=runner, trace=True)
    assert found.trace is not None
    states = found.trace.states(0)["h1"].ravel()[1::2]
    assert states.tolist() == [36, 136, 172, 255, 255]
    assert found.status.tolist() == [Status.SETTLED]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_phase_that_never_falls_quiet_ends_at_the_limit(engine: str) -> None:
    """h = x + y with bit 2 stuck at 0, y = h, x = 3: 3, 3 + 3 = 6 reads 2, 3 + 2 = 5 reads 1, 4
    reads 0, 3, and round again."""
    network = chain(1, 1)
    runner = p.disturbed_engine(network, stuck(network, [4, 0], [0, 0]), engine)
    found = sim.relax(network, np.array([[3]]), engine=runner, max_sweeps=9, trace=True)
    assert found.status.tolist() == [Status.SWEEP_LIMIT]
    assert found.trace is not None
    assert found.trace.states(0)["h1"].ravel().tolist()[1::2] == [3, 2, 1, 0, 3, 2, 1, 0, 3]


def test_bits_below_the_rounding_change_nothing_and_those_above_do() -> None:
    shown = 0
    for seed in range(20):
        case = random_case(seed, schedule=Schedule.PARITY)
        network = case.network
        plain = sim.relax(network, case.inputs, trace=True)
        fraction_bits = np.concatenate(
            [np.full(q.size, network.accumulator_fraction_bits(q.name)) for q in network.relaxing]
        )
        low = (1 << np.maximum(fraction_bits - 1, 0)) - 1
        for at_zero, at_one in ((low, 0 * low), (0 * low, low)):
            given = stuck(network, at_zero.tolist(), at_one.tolist())
            runner = p.disturbed_engine(network, given)
            found = sim.relax(network, case.inputs, engine=runner, trace=True)
            assert sim.first_difference(plain, found) is None
        above = stuck(network, (0 * low).tolist(), (1 << fraction_bits).tolist())
        runner = p.disturbed_engine(network, above)
        found = sim.relax(network, case.inputs, engine=runner, trace=True, max_sweeps=40)
        shown += sim.first_difference(plain, found) is not None
    assert shown >= 15


def test_as_many_bits_are_stuck_as_asked_for_and_more_levels_stick_more() -> None:
    case = random_case(3, schedule=Schedule.PARITY)
    network = case.network
    before = np.zeros((0, 2), dtype=np.uint32)
    for level in (0.0, 0.25, 0.5, 1.0):
        given = p.disturbance(network, 2, [p.StuckAccumulatorBits(level, seed=5)])
        words = given.stuck_bits.view(np.uint32)
        assert not (words[:, 0] & words[:, 1]).any()
        count = int(np.bitwise_count(words).sum())
        assert count == sum(round(level * 32 * q.size) for q in network.relaxing)
        if len(before):
            assert np.array_equal(words & before, before)
        before = words
    both = np.bitwise_count(before).sum(axis=0) / before.shape[0]
    assert (both > 8).all()  # of 32 fair coins
    place = network.output.name
    only = p.disturbance(network, 2, [p.StuckAccumulatorBits(0.5, place=place)]).stuck_bits
    assert not only[: len(only) - network.output.size].any()
    assert only[len(only) - network.output.size :].any()


def test_the_later_of_two_layers_decides_a_bit() -> None:
    network = random_case(3, schedule=Schedule.PARITY).network
    layers = [p.StuckAccumulatorBits(1.0, seed) for seed in (1, 2)]
    first, last, both = (
        p.disturbance(network, 2, found).stuck_bits for found in (layers[:1], layers[1:], layers)
    )
    assert np.array_equal(both, last)
    assert not np.array_equal(both, first)


def test_distance_grows_with_the_level_and_full_damage_leaves_constants() -> None:
    distances = []
    for level in (0.0, 0.02, 0.1, 1.0):
        moved = 0.0
        for seed in range(12):
            case = random_case(seed, schedule=Schedule.PARITY, max_size=10)
            plain = sim.relax(case.network, case.inputs)
            layer = p.StuckAccumulatorBits(level, seed)
            found = p.relax_with(case.network, case.inputs, [layer], max_sweeps=40)
            moved += sum(
                float(np.abs(plain.states[q.name] - found.states[q.name].astype(int)).mean())
                / (q.state_max - q.state_min)
                for q in case.network.relaxing
            )
            if level == 1.0:
                output = found.states[case.network.output.name]
                assert (output == output[0]).all()
        distances.append(moved)
    assert distances[0] == 0 < distances[1] < distances[2] < distances[3]


def test_the_feed_forward_baseline_reads_the_same_bits() -> None:
    """x = 100 twice: y0 = x, y1 = x; bit 3 (8) of y1 stuck at 1 makes it the larger one."""
    weights = np.array([[1, 1]], np.int8)
    network = Network(
        populations=(Population("x", 1, Role.INPUT, 8), Population("y", 2, Role.OUTPUT, 8)),
        couplings=(DenseCoupling("x", "y", weights, 0, WeightFormat.INT8),),
        biases={},
        schedule=Schedule.PARITY,
    )
    classes = set()
    for seed in range(20):
        layer = p.StuckAccumulatorBits(0.2, seed)
        given = p.disturbance(network, 1, [layer]).stuck_bits.tolist()
        words = [(100 & ~zero) | one for zero, one in given]
        found = feed_forward(network, np.array([[100]]), [layer])
        assert found.tolist() == [int(words[1] > words[0])]
        classes.add(int(found[0]))
    assert classes == {0, 1}


def test_what_cannot_be_is_refused_in_one_chain() -> None:
    for make, message in (
        (lambda: p.StuckAccumulatorBits(1.5), r"level of stuck_accumulator_bits must be in 0\.\.1"),
        (lambda: p.StuckAccumulatorBits(-0.1), "level of stuck_accumulator_bits must be in"),
        (
            lambda: p.make_layer("stuck_accumulator_bits", level=0.1, bit=3),
            "settings of stuck_accumulator_bits must be one of level, seed, place, not 'bit'",
        ),
    ):
        with pytest.raises(InputError, match=message):
            make()
    case = random_case(1, schedule=Schedule.PARITY)
    layer = p.StuckAccumulatorBits(0.5)
    with pytest.raises(InputError, match="must be what every machine replays, found stuck sums"):
        FaultMap.make(case.network, [layer], 2)
    elsewhere = p.StuckAccumulatorBits(0.5, place="moon")
    with pytest.raises(InputError, match="must be a relaxing population"):
        p.relax_with(case.network, case.inputs, [elsewhere])
