"""The clamped readout: free phase, class, error, nudged phases; every engine, the same bits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.clamped_networks import by_hand, clamped_case
from testbench.sim.test_feedback_shift import assert_falls
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.contract.readout import output_errors
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.network import (
    ClampedReadout,
    Normalisation,
    Schedule,
    accumulator_range,
    load,
    save,
    split_by_colour,
)
from toreq_hw.network.file import from_header, header
from toreq_hw.sim.perturbation import make_layer, relax_with
from toreq_hw.sim.session import Session

SEEDS = st.integers(0, 2**32 - 1)


def phases(case, engine: str = "event") -> list[sim.PhaseResult]:
    """Free, positive and negative phase with their traces."""
    network, inputs = case.network, case.inputs
    free = sim.relax(network, inputs, engine=engine, trace=True, max_sweeps=200)
    return [free] + [
        sim.nudged_phase(network, inputs, free, case.labels, sign, engine=engine, trace=True)
        for sign in (1, -1)
    ]


def test_phases_by_hand() -> None:
    # h = (2 3 + 1) >> 1 = 3, z = 9, -3: the row is 3, 0; label 1 gives e = -3, 3.
    # Positive: h hears 2 3 + 2 (3 (-3) - 3) = -18: 0. Negative: 6 + 24 = 30: 15.
    network = by_hand()
    assert network.budget_table.tolist() == [1, 2, 3]
    assert network.colours == (network.colours[0],)
    for engine in sim.EngineName:
        free = sim.relax(network, [[3]], engine=engine)
        assert free.readout.tolist() == [[9, -3]]
        assert free.classes.tolist() == [0]
        assert free.states["y"].tolist() == [[0, 0]]
        assert free.sweeps.tolist() == [2]
        assert (free.events.tolist(), free.synops.tolist()) == ([1], [1 + 2])
        assert free.dense_synops.tolist() == [1 + 2]
        up, down = (sim.nudged_phase(network, [[3]], free, [1], s, engine=engine) for s in (1, -1))
        assert (up.states["y"].tolist(), down.states["y"].tolist()) == ([[-3, 3]], [[3, -3]])
        assert (up.states["h"].tolist(), down.states["h"].tolist()) == ([[0]], [[15]])
        assert (up.events.tolist(), up.synops.tolist()) == ([2 + 1], [2 + 2])
    # Where the label is the class and the row is one-hot, nothing is sent.
    still = sim.nudged_phase(network, [[3]], free, [0], 1)
    assert not still.states["y"].any()
    assert still.events.tolist() == [0]


def test_the_energy_of_a_nudged_phase_by_hand() -> None:
    # F_h = 1, G = 1. h = 2: 4 + 8 - 2 3 = 6; x-h: 2 (2 3) 2 = 24; h-y with y = -3, 3, constants:
    # 2 2^(1 - 0) (3 (-3) - 3) 2 = -96. E2 = 6 - 24 + 96. The output's own terms are left out.
    states = {"h": np.array([[2]], np.int16), "y": np.array([[-3, 3]], np.int16)}
    assert doubled_energy(by_hand(), [[3]], states).tolist() == [6 - 24 + 96]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_engines_agree_on_every_tick_of_every_phase(seed: int) -> None:
    case = clamped_case(seed)
    expected, *others = (phases(case, engine) for engine in sim.EngineName)
    for found in others:
        for one, other in zip(expected, found, strict=True):
            assert sim.first_difference(one, other) is None
            assert np.array_equal(one.dense_synops, other.dense_synops)
    assert not expected[0].states["output"].any()


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, schedule=st.sampled_from([s for s in Schedule if s.always_settles]))
def test_every_changing_tick_lowers_the_energy(seed: int, schedule: Schedule) -> None:
    case = clamped_case(seed, schedule=schedule)
    for result in phases(case):
        assert result.unsettled == 0
        for sample in range(len(case.inputs)):
            assert_falls(case, result, sample)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_errors_sum_to_nothing_and_are_zero_together(seed: int) -> None:
    network = replace(clamped_case(seed).network, beta_shift=0)
    shift = seed % 4
    rng = np.random.default_rng(seed)
    largest = network.largest_sums["output"]
    sums = rng.integers(-largest, largest + 1, (20, network.output.size)).astype(np.int32)
    labels = rng.integers(0, network.output.size, 20)
    errors = output_errors(network, sums, labels)
    assert not errors.sum(axis=1).any()
    assert np.abs(errors).max() <= network.output.state_max
    shifted = output_errors(replace(network, beta_shift=shift), sums, labels)
    assert np.array_equal(shifted, errors >> shift)
    assert np.array_equal(shifted.any(axis=1), errors.any(axis=1))


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_accumulators_stay_in_their_ranges_at_the_corners(seed: int) -> None:
    case = clamped_case(seed)
    network = case.network
    rng = np.random.default_rng(seed)
    for population in network.relaxing:
        low, high = accumulator_range(network, population.name)
        for neuron in rng.integers(0, population.size, 3).tolist():
            total = int(network.biases[population.name][neuron])
            for p in network.into(population.name):
                weights = p.matrix[:, neuron].astype(int)
                corner = np.where(weights > 0, p.source.state_max, p.source.state_min)
                total += int(weights @ corner) << p.shift
            assert total == high[neuron] >= low[neuron]
    for result in phases(case):
        low, high = accumulator_range(network, "output")
        assert np.all((low <= result.readout) & (result.readout <= high))


def test_a_wrong_accumulator_is_named() -> None:
    case = clamped_case(4)
    free = sim.relax(case.network, case.inputs)
    wrong = free.readout.copy()
    wrong[2, 0] += 1
    found = sim.first_difference(free, replace(free, readout=wrong))
    assert str(found).startswith("free phase, sample 2, accumulator 0 of the output: expected")


def test_a_session_steps_through_it() -> None:
    case = clamped_case(12)
    expected = phases(case)
    session = Session(case.network)
    session.start(case.inputs)
    found = [session.run()]
    for sign in (1, -1):
        session.nudge(case.labels, sign)
        while not session.finished:
            tick = session.step()
            energy = tick.registers.energy
            assert energy.shape == (len(case.inputs),)
        assert session.result is not None
        found.append(session.result)
    for one, other in zip(expected, found, strict=True):
        assert sim.first_difference(one, other) is None


def test_files_hold_it_and_need_version_2(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    network = by_hand()
    save(network, path)
    assert load(path).readout == network.readout
    assert load(path).sha256 == network.sha256
    stated = header(network)
    assert stated["version"] == 2
    assert stated["readout"] == {
        "kind": "clamped",
        "temperature": [1, 5],
        "normalisation": "sparsemax",
    }
    with pytest.raises(NetworkFileError, match="a clamped readout must be in a file of version 2"):
        from_header({**stated, "version": 1}, network.tensors())
    relaxing = {**header(replace(network, readout=None)), "readout": {"kind": "relaxing"}}
    assert from_header(relaxing, network.tensors()).readout is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "free"}, "kind must be 'relaxing' or 'clamped'"),
        ({"temperature": [1]}, "temperature of a readout must be two whole numbers"),
        ({"temperature": [0, 1]}, "temperature of a readout must have parts in 1..32767"),
        ({"temperature": 0.25}, "temperature must be a list"),
        ({"normalisation": "hardmax"}, "normalisation must be"),
        ({"drive": 2}, "fields must be kind, temperature, normalisation"),
        ({"temperature": [1, 900]}, "must rise strictly, found"),
    ],
)
def test_files_that_say_it_wrong_are_refused(change: dict[str, Any], said: str) -> None:
    network = by_hand()
    stated = json.loads(json.dumps(header(network)))
    del stated["sha256"]
    stated["readout"] |= change
    with pytest.raises((NetworkError, NetworkFileError), match=said):
        from_header(stated, network.tensors())


def test_networks_that_cannot_have_it_are_refused() -> None:
    network = by_hand()
    x, h, y = network.populations
    with pytest.raises(NetworkError, match="'y': a clamped output must have signed states"):
        replace(network, populations=(x, h, replace(y, signed=False)))
    first, second = network.dense_couplings
    with pytest.raises(NetworkError, match="'y': a clamped output must have a coupling, found non"):
        replace(network, couplings=(first,))
    back = replace(second, pre="y", post="h", weight=np.array([[3], [-1]], np.int8))
    with pytest.raises(NetworkError, match="must be the post of its couplings, found 'y-h'"):
        replace(network, couplings=(first, back))
    alone = replace(first, pre="x", post="y", weight=np.array([[1, 2]], np.int8))
    with pytest.raises(NetworkError, match="must stand beside a hidden population, found none"):
        replace(network, populations=(x, y), couplings=(alone,), biases={})
    with pytest.raises(NetworkError, match="readout must be a ClampedReadout or None"):
        replace(network, readout="clamped")
    with pytest.raises(NetworkError, match="readout must be relaxing to be split by colour"):
        split_by_colour(network)


def test_settings_are_checked() -> None:
    assert ClampedReadout().temperature == (1, 8)
    with pytest.raises(NetworkError, match="normalisation of a readout must be a Normalisation"):
        ClampedReadout((1, 8), 3)  # type: ignore[arg-type]


def test_a_parity_may_have_several_layers_before_the_output() -> None:
    # h1 - h2 - y and h1 - y would be an odd cycle; the output is in no colour.
    case = next(
        case
        for case in (clamped_case(seed, schedule=Schedule.PARITY) for seed in range(400))
        if len([p for p in case.network.into("output") if not p.from_input]) == 2
        and len(case.network.updating) == 2
    )
    assert len(case.network.colours) == 2
    assert sim.relax(case.network, case.inputs).unsettled == 0


def test_drives_and_damage_of_phases_are_refused() -> None:
    case = clamped_case(5)
    network, inputs = case.network, case.inputs
    outputs = np.zeros((len(inputs), network.output.size), np.int16)
    with pytest.raises(InputError, match="readout must be relaxing for a nudge of its accumulato"):
        sim.nudge(network, outputs, case.labels)
    with pytest.raises(InputError, match="drive"):
        sim.relax(network, inputs, drive=outputs + 1)
    with pytest.raises(InputError, match="readout must be relaxing under thermal_noise, found cl"):
        relax_with(network, inputs, [make_layer("thermal_noise", level=0.1)])
    flips = relax_with(network, inputs, [make_layer("weight_bit_flip", level=0.1)])
    assert flips.classes.shape == (len(inputs),)


def test_softmax_and_sparsemax_differ() -> None:
    network = by_hand()
    soft = replace(network, readout=ClampedReadout((1, 5), Normalisation.SOFTMAX))
    assert soft.budget_table.tolist() == [-5, -2, 0]  # ceil(3 ln(1/6)), ceil(3 ln(1/2)), ..
