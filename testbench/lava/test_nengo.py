"""The Nengo network does what the simulator does; the spiking one comes near; NIR holds it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples.digits_in_nengo import classify
from testbench.colourings import chequered_case, coloured_case
from testbench.lava.conftest import random_samples, samples
from testbench.lava.exact import EXACT
from testbench.networks import random_case
from toreq_hw import network, sim
from toreq_hw.errors import (
    DeploymentError,
    InputError,
    MissingDependencyError,
    NetworkError,
)
from toreq_hw.extras import install_command
from toreq_hw.lava_backend import nengo_loihi_run, nengo_run, nir_export
from toreq_hw.lava_backend.record import RunRecord
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.targets import Samples
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.expected import simulate


def traced(phase: sim.PhaseResult) -> sim.Trace:
    assert phase.trace is not None
    return phase.trace


def run(trained: Network, chosen: Samples) -> RunRecord:
    return nengo_run.run(trained, chosen.inputs, sim.targets(trained.output, chosen.labels))


def test_50_digits(digits_network: Network) -> None:
    chosen = samples(digits_network, "digits", 50)
    found = run(digits_network, chosen)
    assert compare(simulate(digits_network, chosen), found) == EXACT
    assert all(len(traced(phase).tick) > 20 for phase in found.phases), "phases that do nothing"
    assert np.mean(found.classes == chosen.labels) > 0.9


@pytest.mark.parametrize("seed", [0, 2, 4, 7])
@pytest.mark.parametrize("schedule", [Schedule.PARITY, Schedule.SEQUENTIAL])
def test_random_networks(schedule: Schedule, seed: int) -> None:
    case = random_case(seed, schedule=schedule)
    chosen = random_samples(case.inputs, case.labels)
    assert compare(simulate(case.network, chosen), run(case.network, chosen)) == EXACT


@pytest.mark.parametrize("seed", [1, 3])
def test_colours_that_are_any_sets_of_neurons(seed: int) -> None:
    for case in (chequered_case(seed, batch=2), coloured_case(seed)):
        chosen = random_samples(case.inputs, case.labels)
        assert compare(simulate(case.network, chosen), run(case.network, chosen)) == EXACT


def test_samples_that_need_longer_run_again(
    digits_network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nengo_run, "FIRST_SWEEPS", 1)
    chosen = samples(digits_network, "digits", 6)
    assert compare(simulate(digits_network, chosen), run(digits_network, chosen)) == EXACT


def test_a_schedule_that_nengo_lacks_is_refused() -> None:
    case = random_case(0, schedule=Schedule.SYNCHRONOUS)
    with pytest.raises(NetworkError, match="schedule must be parity or sequential on nengo"):
        run(case.network, random_samples(case.inputs, case.labels))


def test_the_example_finds_the_classes(digits_network: Network, tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    network.save(digits_network, path)
    found, true = classify(str(path), 12)
    inputs = samples(digits_network, "digits", 12).inputs
    assert found == sim.free_phase(digits_network, inputs).classes.tolist()
    assert np.mean(np.array(found) == np.array(true)) > 0.8


def test_the_spiking_approximation_comes_near(digits_network: Network) -> None:
    chosen = samples(digits_network, "digits", 5)
    found = nengo_loihi_run.run(digits_network, chosen.inputs)
    expected = sim.free_phase(digits_network, chosen.inputs)
    states = np.concatenate([expected.states[p.name] for p in digits_network.relaxing], axis=1)
    assert np.array_equal(found.classes, expected.classes)
    assert np.abs(found.states - states).mean() < 4  # of 255; a silent network is off by far more
    assert np.abs(states).mean() > 12
    assert found.spikes.min() > 0


def pair(strength: int, signed: bool) -> Network:
    """Two neurons that excite each other with `strength` quarters, and one input each."""
    populations = (
        Population("input", 1, Role.INPUT, 8),
        Population("hidden", 1, Role.HIDDEN, 8, signed),
        Population("output", 1, Role.OUTPUT, 8, signed),
    )
    couplings = (
        DenseCoupling("input", "hidden", np.array([[1]], np.int8), 2, WeightFormat.INT8),
        DenseCoupling("hidden", "output", np.array([[strength]], np.int8), 2, WeightFormat.INT8),
    )
    return Network(populations, couplings, {"output": np.array([-80], np.int32)})


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("strength", [2, -3])
def test_the_spiking_approximation_follows_a_pair(strength: int, signed: bool) -> None:
    small = pair(strength, signed)
    assert nengo_loihi_run.coupling_strength(small) == pytest.approx(abs(strength) / 4, rel=1e-3)
    inputs = np.array([[200], [40]], dtype=np.int16)
    expected = sim.free_phase(small, inputs).states
    found = nengo_loihi_run.run(small, inputs).states
    assert np.abs(found[:, 0] - expected["hidden"][:, 0]).max() < 12
    assert np.abs(found[:, 1] - expected["output"][:, 0]).max() < 12


def test_strong_couplings_are_refused() -> None:
    with pytest.raises(NetworkError, match="coupling strength must be at most 3 on nengo-loihi"):
        nengo_loihi_run.run(pair(13, False), np.zeros((1, 1), np.int16))


def test_nir_keeps_weights_biases_and_says_what_it_lacks(tmp_path: Path) -> None:
    import nir

    source = random_case(4, schedule=Schedule.PARITY).network
    nir_export.export(source, tmp_path / "network.nir")
    graph = nir.read(tmp_path / "network.nir")
    for c in source.couplings:
        assert np.array_equal(graph.nodes[f"{c.pre}-{c.post}"].weight, c.parameters.T)
        if c.pre != "input":
            assert np.array_equal(graph.nodes[f"{c.post}-{c.pre}"].weight, c.parameters)
    for p in source.relaxing:
        assert np.array_equal(graph.nodes[p.name].metadata["bias"], source.biases[p.name])
    assert ("input", f"input-{source.couplings[0].post}") in graph.edges
    assert json.loads(graph.metadata["not_expressed"]) == list(nir_export.NOT_EXPRESSED)
    assert json.loads(graph.metadata["toreq_hw"])["sha256"] == source.sha256


@pytest.mark.parametrize(
    ("package", "module"),
    [("nengo", "nengo_shim"), ("nengo_loihi", "nengo_loihi_shim")],
)
def test_a_package_that_breaks_on_import_is_one_line(package: str, module: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from toreq_hw.errors import MissingDependencyError\n"
        "try:\n"
        f"    import toreq_hw.lava_backend.{module}\n"
        "except MissingDependencyError as error:\n"
        "    print(error)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert ended.stdout.startswith(f"{package.replace('_', '-')} must be installed, found: ")
    assert ended.stdout.endswith(f"run: {install_command('nengo')}\n")


def test_nir_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nir", None)
    source = random_case(4, schedule=Schedule.PARITY).network
    with pytest.raises(MissingDependencyError, match=r"nir must be installed, found: .*; run: "):
        nir_export.export(source, tmp_path / "network.nir")


def test_no_samples_and_endless_ones_are_refused(
    digits_network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = samples(digits_network, "digits", 0)
    with pytest.raises(InputError, match="samples must be at least 1"):
        run(digits_network, none)
    monkeypatch.setattr(nengo_run, "FIRST_SWEEPS", 1)
    monkeypatch.setattr(nengo_run, "MAX_SWEEPS", 1)
    with pytest.raises(DeploymentError, match="a sample must settle within 1 sweeps on nengo"):
        run(digits_network, samples(digits_network, "digits", 3))
