"""Couplings that the project has never seen run in Lava and Nengo, leave as NIR and are mapped."""

from dataclasses import replace
from pathlib import Path

import pytest

from testbench.lava.conftest import random_samples
from testbench.lava.exact import EXACT
from testbench.lava.test_shared_weights import check_graph
from testbench.small_kinds import MAKERS, Maker
from toreq_hw import sim
from toreq_hw.lava_backend import lava_run, nengo_loihi_run, nengo_run, nir_export
from toreq_hw.lava_backend.mapper import load_chip, map_network
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.expected import simulate

CASES = [(WeightFormat.INT8, Schedule.SEQUENTIAL), (WeightFormat.TERNARY, Schedule.PARITY)]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("weight_format", "schedule"), CASES)
def test_lava_and_nengo_do_what_the_dense_network_does(
    make: Maker, weight_format: WeightFormat, schedule: Schedule
) -> None:
    case = make(31, weight_format, schedule)
    chosen = random_samples(case.inputs, case.labels)
    expected = simulate(case.dense, chosen)
    targets = sim.targets(case.network.output, chosen.labels)
    for found in (
        lava_run.run(case.network, chosen.inputs, targets, batch=2),
        nengo_run.run(case.network, chosen.inputs, targets),
    ):
        assert compare(expected, found) == EXACT
        trace = found.phases[0].trace
        assert trace is not None
        assert len(trace.tick) > 10


@pytest.mark.parametrize("make", MAKERS)
def test_nir_holds_the_matrices(make: Maker, tmp_path: Path) -> None:
    import nir

    case = make(32, schedule=Schedule.SEQUENTIAL)
    nir_export.export(case.network, tmp_path / "toy.nir")
    graph = nir.read(tmp_path / "toy.nir")
    check_graph(case.network, graph)


@pytest.mark.parametrize("make", MAKERS)
def test_the_map_and_the_strength_are_those_of_the_dense_network(make: Maker) -> None:
    case = make(33)
    chip = load_chip("loihi2")
    apart = replace(chip, counts={**chip.counts, "axons_per_list": 1})
    assert map_network(case.network, apart).cores == map_network(case.dense, chip).cores
    assert nengo_loihi_run.coupling_strength(case.network) == pytest.approx(
        nengo_loihi_run.coupling_strength(case.dense)
    )
