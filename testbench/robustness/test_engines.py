"""Disturbed relaxation: reference and compiled engine are one function, and no layer is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import random_case
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.perturbation.disturbance import Disturbance

SETTLING = (Schedule.PARITY, Schedule.SEQUENTIAL)
SWEEPS = 60
ACTING = {k: t for k, t in p.KINDS.items() if not issubclass(t, p.LearningLayer)}
"""What acts on a network or a phase, not on learning."""


def phase_layers(seed: int, network: Network) -> list[list[p.Layer]]:
    """Every phase layer alone, strong enough to show, and a mix of all of them."""
    alone: list[p.Layer] = [
        p.DeadNeurons(0.4, seed),
        p.DeadNeurons(0.4, seed, value="maximum"),
        p.StuckStateBits(0.2, seed),
        p.FrozenColour(2, seed, colour=len(network.colours) - 1),
        p.StateUpset(0.1, seed),
        p.SilentUpset(0.1, seed),
        p.AccumulatorUpset(0.01, seed),
        p.StuckAccumulatorBits(0.05, seed),
        p.DroppedEvents(0.3, seed),
        p.DuplicatedEvents(0.3, seed),
        p.MessageBitFlip(0.1, seed),
        p.StuckMessageBits(0.1, seed),
        p.WeightUpset(0.02, seed),
        p.ReadNoise(0.3, seed, last_tick=9),
        p.ThermalNoise(0.3, seed, last_tick=9),
        p.FlickerNoise(0.3, seed, last_tick=9),
        p.AccumulatorConverter(11, seed, clipping=1),
        p.StateConverter(1, seed),
    ]
    return [*([one] for one in alone), alone]


@pytest.mark.parametrize("schedule", SETTLING)
def test_engines_agree_on_every_tick_under_every_layer(schedule: Schedule) -> None:
    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        case = random_case(seed, schedule=schedule, max_size=8, batch=3)
        for layers in phase_layers(seed, case.network):
            reference, *others = (
                p.relax_with(
                    case.network, case.inputs, layers, engine=name, max_sweeps=SWEEPS, trace=True
                )
                for name in sim.EngineName
            )
            for other in others:
                assert sim.first_difference(reference, other) is None, layers
                assert np.array_equal(reference.status, other.status)

    check()


@pytest.mark.parametrize("engine", [e.value for e in sim.EngineName])
def test_no_disturbance_is_the_plain_engine(engine: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1), schedule=st.sampled_from(SETTLING))
    def check(seed: int, schedule: Schedule) -> None:
        case = random_case(seed, schedule=schedule)
        plain = sim.relax(case.network, case.inputs, trace=True)
        runner = p.disturbed_engine(case.network, Disturbance.none(case.network), engine)
        found = sim.relax(case.network, case.inputs, engine=runner, trace=True)
        assert sim.first_difference(plain, found) is None
        drive = sim.nudge(case.network, plain.states[case.network.output.name], case.labels)
        nudged = [
            sim.relax(case.network, case.inputs, engine=e, states=plain.states, drive=drive)
            for e in ("event", runner)
        ]
        assert sim.first_difference(nudged[0], nudged[1]) is None

    check()


def test_every_layer_at_level_zero_changes_no_state_of_any_tick() -> None:
    for seed in range(20):
        case = random_case(seed, schedule=SETTLING[seed % 2])
        plain = sim.relax(case.network, case.inputs, trace=True)
        again = sim.relax(case.network, case.inputs, states=plain.states, trace=True)
        for kind in ACTING:
            layer = p.make_layer(kind, level=0.0, seed=seed)
            found = p.relax_with(case.network, case.inputs, [layer], trace=True)
            assert sim.first_difference(plain, found) is None, kind
            found = p.relax_with(
                case.network, case.inputs, [layer], states=plain.states, trace=True
            )
            assert sim.first_difference(again, found) is None, kind


def test_every_layer_changes_something_when_strong() -> None:
    strong = {"frozen_colour": 1.0, "single_state_flip": 1.0, "state_converter": 4.0}
    strong |= {"accumulator_converter": 13.0}
    for kind in ACTING:
        changed = 0
        for seed in range(12):
            case = random_case(seed, schedule=Schedule.PARITY)
            plain = sim.relax(case.network, case.inputs, trace=True)
            start = plain.states if issubclass(p.KINDS[kind], p.StartLayer) else None
            before = sim.relax(case.network, case.inputs, states=start, trace=True)
            layer = p.make_layer(kind, level=strong.get(kind, 0.6), seed=seed)
            found = p.relax_with(
                case.network, case.inputs, [layer], states=start, trace=True, max_sweeps=SWEEPS
            )
            changed += sim.first_difference(before, found) is not None
        assert changed >= 4, kind


@pytest.mark.parametrize("engine", [e.value for e in sim.EngineName])
def test_weight_and_start_layers_run_on_every_engine(engine: str) -> None:
    for seed in range(8):
        case = random_case(seed, schedule=SETTLING[seed % 2])
        free = sim.relax(case.network, case.inputs)
        layers = [p.WeightBitFlip(0.05, seed), p.StateBitFlip(0.1, seed)]
        expected = p.relax_with(case.network, case.inputs, layers, states=free.states, trace=True)
        found = p.relax_with(
            case.network, case.inputs, layers, states=free.states, engine=engine, trace=True
        )
        assert sim.first_difference(expected, found) is None


def test_quiescence_is_what_each_layer_says() -> None:
    for kind, layer_type in ACTING.items():
        if layer_type.quiescence.startswith("guaranteed"):
            for seed in range(15):
                case = random_case(seed, schedule=SETTLING[seed % 2])
                level = 1.0 if layer_type.domain[1] >= 1 else layer_type.domain[1]
                layer = p.make_layer(kind, level=level / 2, seed=seed)
                assert p.relax_with(case.network, case.inputs, [layer]).unsettled == 0, kind


def test_a_lossy_machine_and_an_unknown_engine_are_refused() -> None:
    case = random_case(3, schedule=Schedule.PARITY)
    runner = p.disturbed_engine(case.network, Disturbance.none(case.network))
    with pytest.raises(InputError, match="a disturbed phase must have threshold 0, not 2"):
        sim.relax(case.network, case.inputs, engine=runner, threshold=2)
    with pytest.raises(InputError, match="engine must be one of reference, dense, event, not"):
        p.relax_with(case.network, case.inputs, [p.DeadNeurons(0.1)], engine="steam")
