"""Feedback shifts: the way back is weaker by a power of two, and an energy still falls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case
from testbench.shifted_networks import shifted_case
from testbench.sim.test_energy import energies
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.network import (
    Coupling,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    feedback,
    layered,
    load,
    save,
)
from toreq_hw.network import network as network_module
from toreq_hw.network.file import from_header, header
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork
from toreq_hw.sim.perturbation.reprogram import through_converter

SEEDS = st.integers(0, 2**32 - 1)


def chain(*shifts: int, schedule: Schedule = Schedule.PARITY) -> Network:
    """One neuron a population: x = 3 -(W 2, f 1)- h -(W 3, f 2)- y and further ones like y."""
    names = ("x", "h", *(f"y{k}" for k in range(1, len(shifts))), "y")
    roles = (Role.INPUT, *(Role.HIDDEN for _ in names[1:-1]), Role.OUTPUT)
    couplings = [DenseCoupling("x", "h", np.array([[2]], np.int8), 1, WeightFormat.INT8)]
    couplings += [
        DenseCoupling(
            pre, post, np.array([[3]], np.int8), 2, WeightFormat.INT8, feedback_shift=shift
        )
        for pre, post, shift in zip(names[1:-1], names[2:], shifts, strict=True)
    ]
    populations = [Population(name, 1, role, 4) for name, role in zip(names, roles, strict=True)]
    return Network(tuple(populations), tuple(couplings), {}, schedule)


def test_a_shift_by_hand() -> None:
    # h hears x at f = 1 and y at f + s = 2 + 2: F_h = 4; y hears h at f = 2: F_y = 2.
    # Sweep 1: a_h = 2^3 2 3 = 48, (48 + 8) >> 4 = 3. a_y = 3 3 = 9, (9 + 2) >> 2 = 2.
    # Sweep 2: a_h = 48 + 2^0 3 2 = 54, (54 + 8) >> 4 = 3: nothing changes.
    network = chain(2)
    assert {n: network.accumulator_fraction_bits(n) for n in ("h", "y")} == {"h": 4, "y": 2}
    assert {p.name: p.shift for p in network.projections} == {"x->h": 3, "h->y": 0, "y->h": 0}
    assert dict(network.depths) == {"h": 0, "y": 2}
    for engine in sim.EngineName:
        found = sim.relax(network, [[3]], engine=engine)
        assert {n: s.tolist() for n, s in found.states.items()} == {"h": [[3]], "y": [[2]]}
        assert found.sweeps.tolist() == [2]
    # G = max(0 + 4, 2 + 2) = 4, so both terms count once: scale 2^0 each.
    # h = 3: sum over k = 0..2 of (k + 1) 32 - 17 is 32 + 64 + 96 - 51 = 141; y = 2: 8 + 16 - 10.
    # Couplings: x-h 2 (2^3 2 3) 3 = 288; h-y 2 (3 3) 2 = 36. E2 = 141 + 14 - 288 - 36 = -169.
    states = {"h": np.array([[3]], np.int16), "y": np.array([[2]], np.int16)}
    assert doubled_energy(network, [[3]], states).tolist() == [-169]
    # Without the shift F_h = G = 2, and h = 3 has 8 + 16 + 24 - 15 = 33: 33 + 14 - 72 - 36.
    assert doubled_energy(chain(0), [[3]], states).tolist() == [-61]


def test_a_negative_shift_makes_the_way_back_stronger() -> None:
    # f + s = 2 - 3 = -1, so that h, F_h = 1, takes 2^2 W y.
    network = chain(-3)
    assert {p.name: p.shift for p in network.projections} == {"x->h": 0, "h->y": 0, "y->h": 2}
    assert dict(network.depths) == {"h": 3, "y": 0}
    assert network.largest_sums["h"] == 15 * 2 + 15 * 3 * 4


@settings(max_examples=120, deadline=None)
@given(seed=SEEDS, schedule=st.sampled_from([s for s in Schedule if s.always_settles]))
def test_every_changing_tick_lowers_the_energy(seed: int, schedule: Schedule) -> None:
    case = shifted_case(seed, schedule=schedule)
    network = case.network
    free = sim.relax(network, case.inputs, trace=True)
    drive = sim.nudge(network, free.states[network.output.name], case.labels)
    pushed = [
        sim.nudged_phase(network, case.inputs, free, case.labels, sign, trace=True)
        for sign in (1, -1)
    ]
    for result, given_drive in zip((free, *pushed), (None, drive, -drive), strict=True):
        assert result.unsettled == 0
        for sample in range(len(case.inputs)):
            assert_falls(case, result, sample, given_drive)


def assert_falls(case: Case, result: sim.PhaseResult, sample: int, drive=None) -> None:
    states, energy = energies(case, result, sample, drive)
    rows = np.concatenate(list(states.values()), axis=1)
    changed = (rows[1:] != rows[:-1]).any(axis=1)
    assert np.all(np.diff(energy)[changed] <= -1)
    assert np.all(np.diff(energy)[~changed] == 0)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_engines_agree_on_every_tick(seed: int) -> None:
    case = shifted_case(seed)
    expected, *others = (
        sim.relax(case.network, case.inputs, engine=engine, trace=True, max_sweeps=200)
        for engine in sim.EngineName
    )
    for found in others:
        assert sim.first_difference(expected, found) is None


def test_without_shifts_the_energy_is_what_it_was() -> None:
    # All depths are 0, so that E2 of docs/numerics.md has one scale a population: 2^(G - F).
    network = chain(0, 0)
    assert set(network.depths.values()) == {0}
    assert all(p.fraction_bits == p.coupling.fraction_bits for p in network.projections)


def looped(shift: int) -> Network:
    """h1 -(1)- h2 -(2)- y and a skip h1 - y with the shift that is given; it must be 3."""

    def coupled(pre: str, post: str, weight: int, shift: int = 0) -> DenseCoupling:
        matrix = np.array([[weight]], np.int8)
        return DenseCoupling(pre, post, matrix, 4, WeightFormat.INT8, feedback_shift=shift)

    names = ("x", "h1", "h2", "y")
    roles = (Role.INPUT, Role.HIDDEN, Role.HIDDEN, Role.OUTPUT)
    populations = tuple(Population(n, 1, r, 4, n != "x") for n, r in zip(names, roles, strict=True))
    couplings = (
        coupled("x", "h1", 9),
        coupled("h1", "h2", 15, 1),
        coupled("h2", "y", -15, 2),
        coupled("h1", "y", 15, shift),
    )
    return Network(populations, couplings, {}, Schedule.SEQUENTIAL)


def test_a_loop_that_does_not_close_is_refused_by_name() -> None:
    assert dict(looped(3).depths) == {"h1": 0, "h2": 1, "y": 3}
    with pytest.raises(NetworkError, match=r"'\w+-\w+': feedback_shift must be -?\d+, which"):
        looped(0)


def test_what_is_refused_would_break_the_descent(monkeypatch: pytest.MonkeyPatch) -> None:
    # The refusal is switched off: depths follow from the chain, and the shifts of skips are wrong.
    def of_chain(
        relaxing: Sequence[Population], couplings: Sequence[Coupling], _: object
    ) -> Mapping[str, int]:
        steps = set(pairwise(p.name for p in relaxing))
        return feedback.depths(relaxing, [c for c in couplings if (c.pre, c.post) in steps])

    monkeypatch.setattr(network_module, "depths", of_chain)
    rises = ticks = 0
    for seed in range(40):
        case = shifted_case(seed, schedule=Schedule.SEQUENTIAL)
        steps = set(pairwise(p.name for p in case.network.relaxing))
        couplings = tuple(
            c
            if c.pre == case.network.input.name or (c.pre, c.post) in steps or c.is_self_coupling
            else replace(c, feedback_shift=c.feedback_shift + 3)
            for c in case.network.couplings
        )
        network = replace(case.network, couplings=couplings)
        wrong = replace(case, network=network)
        result = sim.relax(network, case.inputs, trace=True, max_sweeps=50)
        for sample in range(len(case.inputs)):
            _, energy = energies(wrong, result, sample)
            rises += int((np.diff(energy) > 0).sum())
            ticks += len(energy)
    assert 0 < rises < ticks / 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feedback_shift": 14}, "must be in -10..13 with 2 fraction bits, not 14"),
        ({"feedback_shift": -11}, "must be in -10..13 with 2 fraction bits, not -11"),
        ({"feedback_shift": 1.0}, "must be an integer, not 1.0"),
        ({"feedback_shift": True}, "must be an integer, not True"),
    ],
)
def test_shifts_out_of_range_are_refused(change: dict[str, object], said: str) -> None:
    network = chain(0)
    first, second = network.couplings
    with pytest.raises(NetworkError, match=f"^coupling 'h-y': feedback_shift {said}$"):
        replace(network, couplings=(first, replace(second, **change)))


def test_where_nothing_flows_back_a_shift_is_refused() -> None:
    network = chain(0)
    first, second = network.couplings
    with pytest.raises(NetworkError, match="'x-h': feedback_shift must be 0, because nothing"):
        replace(network, couplings=(replace(first, feedback_shift=1), second))
    own = DenseCoupling("h", "h", np.zeros((1, 1), np.int8), 2, WeightFormat.INT8, feedback_shift=1)
    with pytest.raises(NetworkError, match="'h-h': feedback_shift of a self-coupling must be 0"):
        replace(network, couplings=(first, second, own), schedule=Schedule.SEQUENTIAL)


def test_an_energy_that_would_need_more_than_64_bits_is_refused() -> None:
    network = chain(*[9] * 6)
    states = {p.name: np.zeros((1, 1), np.int16) for p in network.relaxing}
    with pytest.raises(InputError, match="depths of populations must be close enough"):
        doubled_energy(network, [[3]], states)


def test_files_hold_shifts_and_need_version_2(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    network = chain(1)
    save(network, path)
    back = load(path)
    assert [c.feedback_shift for c in back.couplings] == [0, 1]
    assert back.sha256 == network.sha256 != chain(0).sha256
    stated = header(network)
    assert stated["version"] == 2
    assert "feedback_shift" not in stated["couplings"][0]
    with pytest.raises(NetworkFileError, match="'h-y': feedback_shift must be in a file of vers"):
        from_header({**stated, "version": 1}, network.tensors())
    text = json.dumps(stated).replace('"feedback_shift": 1', '"feedback_shift": 1e3')
    with pytest.raises(NetworkFileError, match="feedback_shift must be a whole number"):
        from_header(json.loads(text), network.tensors())


def test_networks_without_shifts_stay_files_of_version_1() -> None:
    assert header(chain(0))["version"] == 1
    assert "feedback_shift" not in json.dumps(header(chain(0)))


def test_a_converter_keeps_the_shifts() -> None:
    rng = np.random.default_rng(3)
    blank = layered((5, 9, 7, 3), WeightFormat.TERNARY, (2, 3, 2))
    couplings = tuple(
        replace(c, weight=rng.integers(-1, 2, c.shape).astype(np.int8), feedback_shift=shift)
        for c, shift in zip(blank.dense_couplings, (0, 2, -1), strict=True)
    )
    network = replace(blank, couplings=couplings)
    finer = through_converter(network, {})
    assert [c.feedback_shift for c in finer.couplings] == [0, 2, -1]
    inputs = rng.integers(0, 256, (8, 5))
    expected, found = (sim.relax(n, inputs) for n in (network, finer))
    assert all(np.array_equal(expected.states[n], found.states[n]) for n in expected.states)


def test_the_float_baseline_refuses_shifts() -> None:
    with pytest.raises(InputError, match="a float network must have no feedback shift"):
        FloatNetwork(chain(1), seed=1)
