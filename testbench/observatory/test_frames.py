"""`frame` shows the states of every tick, and nothing else: arrays against the trace of `relax`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.clamped_networks import clamped_case
from testbench.networks import random_case
from testbench.observatory.cases import digit, digits_network, random_recording, recorded
from toreq_hw import network, sim
from toreq_hw.contract.energy import doubled_energy, energy_of_changes, sums_energy_by_changes
from toreq_hw.contract.layout import Layout
from toreq_hw.network import Network, Population, Role, Schedule
from toreq_hw.observatory import frame, history, plan_of
from toreq_hw.observatory import recording as recording_module
from toreq_hw.observatory.panels import NOWHERE, cells_of, plan
from toreq_hw.observatory.picture import PALETTES, coarse, coloured, planes
from toreq_hw.sim.session import Session

SEEDS = st.integers(0, 2**32 - 1)


def magnitudes(net: Network, inputs: np.ndarray, states: np.ndarray) -> list[int]:
    """The state plane's values by hand, in the order of neurons: input first."""
    populations = [net.input, *net.relaxing]
    values = np.concatenate([inputs, states]).tolist()
    owners = [p for p in populations for _ in range(p.size)]
    found = []
    for value, owner in zip(values, owners, strict=True):
        most = max(owner.state_max, -owner.state_min)
        found.append(-(-abs(value) * 255 // most))
    return found


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_every_tick_shows_the_states_of_the_trace(seed: int) -> None:
    case, found = random_recording(seed)
    net, plan = case.network, found.plan
    trace = sim.relax(net, case.inputs[:1], trace=True, max_sweeps=40).trace
    assert trace is not None
    trajectory = trace.trajectory(0)
    free = found.phases[0]
    assert free.last == len(trajectory) - 1
    order = list(range(free.last + 1))
    np.random.default_rng(seed).shuffle(order)
    for tick in order:  # back and forth
        shown = planes(found, tick, phase=0)
        wanted = magnitudes(net, case.inputs[0], trajectory[tick])
        inside = plan.neurons != NOWHERE
        assert shown[0][inside].tolist() == [wanted[n] for n in plan.neurons[inside]]
        before = trajectory[max(0, tick - free.colours)]
        moved = shown[1][inside] > 0
        states = np.concatenate([case.inputs[0], trajectory[tick] - before])
        states[: net.input.size] = 0
        assert moved.tolist() == (states[plan.neurons[inside]] != 0).tolist()
        assert not shown[:, ~inside].any()


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_nudged_phases_show_the_distance_from_the_free_equilibrium(seed: int) -> None:
    case, found = random_recording(seed)
    plan, free = found.plan, found.phases[0]
    settled = free.states(free.last)
    for number in range(len(found.phases)):
        phase = found.phases[number]
        shown = planes(found, phase.last, phase=number)[2]
        inside = plan.neurons >= plan.input_size
        away = phase.states(phase.last) != settled
        wanted = away[plan.neurons[inside] - plan.input_size]
        assert (shown[inside] > 0).tolist() == (wanted & (number > 0)).tolist()
    assert case.network.sha256 == found.source.network_sha256


def test_events_of_a_tick_follow_one_another() -> None:
    found = recorded(digits_network(), digit(3)[0])
    phase = found.phases[0]
    tick = next(t for t in range(1, phase.last + 1) if len(phase.step(t).neuron) > 2)
    step = phase.step(tick)
    assert np.array_equal(phase.states(tick, event=0), phase.states(tick - 1))
    assert np.array_equal(phase.states(tick, event=len(step.neuron)), phase.states(tick))
    one = phase.states(tick, event=1)
    assert np.flatnonzero(one != phase.states(tick - 1)).tolist() == [step.neuron[0]]
    whole = planes(found, tick)
    assert np.array_equal(planes(found, tick, event=len(step.neuron)), whole)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_coloured_schedules_show_no_rise(seed: int) -> None:
    case, found = random_recording(seed, Schedule.PARITY)
    assert case.network.has_energy
    for number, phase in enumerate(found.phases):
        for tick in range(phase.last + 1):
            assert not planes(found, tick, phase=number)[3].any()


def test_a_tick_without_a_fall_is_marked() -> None:
    """Two neurons that hold each other up, both updated at once, change places for ever."""
    pair = np.array([[0, -100], [-100, 0]], dtype=np.int8)
    into = np.full((1, 2), 90, dtype=np.int8)
    out = np.zeros((2, 1), dtype=np.int8)
    int8 = network.WeightFormat.INT8
    net = Network(
        populations=(
            Population("input", 1, Role.INPUT),
            Population("hidden", 2, Role.HIDDEN),
            Population("output", 1, Role.OUTPUT),
        ),
        couplings=(
            network.DenseCoupling("input", "hidden", into, 6, int8),
            network.DenseCoupling("hidden", "hidden", pair, 6, int8),
            network.DenseCoupling("hidden", "output", out, 6, int8),
        ),
        biases={},
        schedule=Schedule.SYNCHRONOUS,
    )
    found = recorded(net, np.array([[200]], dtype=np.int16))
    assert (found.last.status, found.last.period) == (sim.Status.CYCLE, 2)
    last = found.last.last
    rising = [tick for tick in range(1, last + 1) if planes(found, tick)[3].any()]
    assert rising
    assert {last, last - 1} & set(rising)
    for tick in rising:
        assert (frame(found, tick, palette="classic") == 255).all(axis=2).sum() == 2


def test_a_palette_adds_up_in_integers() -> None:
    found = recorded(digits_network(), *digit(3))
    shown = planes(found, 2, phase=1)
    for palette in PALETTES.values():
        got = coloured(found.plan, shown, palette)
        for y, x in np.ndindex(*found.plan.neurons.shape):
            state, moved, nudged, rising = (int(p[y, x]) for p in shown)
            wanted = tuple(
                min(255, (state * a + moved * b + nudged * c + 127) // 255)
                for a, b, c in zip(palette.state, palette.moved, palette.nudged, strict=True)
            )
            wanted = palette.rising if rising else wanted
            wanted = palette.ground if found.plan.neurons[y, x] == NOWHERE else wanted
            assert tuple(got[y, x].tolist()) == wanted


def test_coarse_planes_keep_what_is_not_zero() -> None:
    plane = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(4, axis=0)
    found = coarse(plane, (12, 4, 4))
    assert [len(np.unique(p)) for p in found] == [12, 4, 4, 256]
    assert ((found > 0) == (plane > 0)).all()
    assert found[:3, -1, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("shape", "size", "lattice", "height", "width"),
    [
        ((), 64, False, 8, 8),
        ((), 512, False, 16, 32),
        ((), 10, False, 10, 1),
        ((), 13 * 17, False, 13, 17),
        ((), 211, False, 14, 16),  # a prime: the last row is not full
        ((8, 18), 144, False, 8, 18),
        ((5, 4, 3), 60, False, 11, 9),  # three channels of 5 x 4, two a row
        ((4, 3, 3), 36, True, 7, 7),  # four slices of 3 x 3, two a row
    ],
)
def test_panels_hold_each_neuron_once(
    shape: tuple[int, ...], size: int, lattice: bool, height: int, width: int
) -> None:
    population = Population("hidden", size, Role.HIDDEN, shape=shape)
    cells = cells_of(population, lattice=lattice)
    assert cells.shape == (height, width)
    assert sorted(cells[cells != NOWHERE].tolist()) == list(range(size))
    if lattice:
        assert cells[:3, :3].ravel().tolist() == list(range(9))
    elif len(shape) == 3:
        assert cells[:5, :4].ravel().tolist() == list(range(0, 60, 3))


def test_attention_lies_in_rows() -> None:
    net = network.build("8x18", ["attention 16 heads 2", "conv 10 1"])
    panels = {panel.population.name: panel for panel in plan_of(net).panels}
    scores = panels["scores"].cells
    assert scores[:8, :8].ravel().tolist() == list(range(64))
    assert [panels[name].cells.shape for name in ("input", "query")] == [(8, 18), (8, 32)]


def test_a_picture_has_bounds() -> None:
    populations = [
        Population("input", 1 << 13, Role.INPUT, shape=(1, 1 << 13)),
        Population("hidden", 1 << 13, Role.HIDDEN, shape=(1 << 13, 1)),
    ]
    with pytest.raises(Exception, match="a picture must have at most"):
        plan(populations)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_energy_by_changes_is_the_whole_one(seed: int) -> None:
    case = random_case(seed)
    net = case.network
    session = Session(net, max_sweeps=20)
    session.start(case.inputs[:1])
    states = Layout(net).split(session.phase.states)
    energy = int(doubled_energy(net, case.inputs[:1], states)[0])
    if not sums_energy_by_changes(net):
        assert net.schedule is Schedule.SYNCHRONOUS
        return
    while not session.finished:
        tick = session.step()
        sums = tick.registers.accumulators[0]
        energy += energy_of_changes(net, tick.neuron, tick.before, tick.after, sums)
        assert energy == tick.registers.energy[0]


def test_a_large_network_counts_its_energy_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recorded(digits_network(), digit(3)[0]).last.steps()
    monkeypatch.setattr(recording_module, "MOST_CELLS", 0)
    counted = recorded(digits_network(), digit(3)[0]).last.steps()
    assert counted[0].energy == 0
    start = whole[0].energy or 0
    assert [s.energy for s in counted] == [(s.energy or 0) - start for s in whole]


def test_a_long_phase_forgets_its_oldest_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    net = digits_network()
    all_of_it = recorded(net, digit(3)[0]).last
    monkeypatch.setattr(history, "MOST_TICKS", 5)
    found = recorded(net, digit(3)[0]).last
    assert found.last == all_of_it.last
    assert found.first > 0
    for tick in range(found.first, found.last + 1):
        assert np.array_equal(found.states(tick), all_of_it.states(tick))
        assert found.step(tick).synops == all_of_it.step(tick).synops
    with pytest.raises(IndexError):
        found.states(found.first - 1)


def test_counters_are_those_of_relax() -> None:
    net, (inputs, _) = digits_network(), digit(5)
    found, wanted = recorded(net, inputs).last, sim.relax(net, inputs)
    step = found.step(found.last)
    assert step.events == wanted.events[0]
    assert step.synops == wanted.synops[0]
    assert found.dense_at(found.last) == wanted.dense_synops[0]
    assert step.scores.tolist() == wanted.states["output"][0].tolist()


def test_a_clamped_readout_is_ranked_by_its_accumulators() -> None:
    case = clamped_case(3)
    found, wanted = recorded(case.network, case.inputs).last, sim.relax(case.network, case.inputs)
    assert found.step(found.last).scores.tolist() == wanted.readout[0].tolist()
