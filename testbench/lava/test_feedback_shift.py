"""Feedback shifts in Lava and Nengo, and in a NIR file."""

import json

import nir
import pytest

from testbench.lava.conftest import random_samples
from testbench.lava.exact import EXACT
from testbench.shifted_networks import narrow_case
from toreq_hw import sim
from toreq_hw.lava_backend import lava_run, nengo_loihi_run, nengo_run
from toreq_hw.lava_backend.nir_export import to_graph
from toreq_hw.targets.agreement import compare
from toreq_hw.targets.expected import simulate


def test_lava_and_nengo_run_every_tick_as_the_simulator() -> None:
    case = narrow_case(4)
    chosen = random_samples(case.inputs, case.labels)
    expected = simulate(case.network, chosen)
    targets = sim.targets(case.network.output, chosen.labels)
    for found in (
        lava_run.run(case.network, chosen.inputs, targets, batch=2),
        nengo_run.run(case.network, chosen.inputs, targets),
    ):
        assert compare(expected, found) == EXACT


def test_nir_states_the_fraction_bits_of_each_direction() -> None:
    network = narrow_case(5).network
    graph = to_graph(network, nir)
    for projection in network.projections:
        node = graph.nodes[f"{projection.source.name}-{projection.target.name}"]
        assert json.loads(node.metadata["toreq_hw"])["fraction_bits"] == projection.fraction_bits


def test_a_weaker_way_back_lowers_the_coupling_strength() -> None:
    # One coupling a loop: 4 times weaker back is half the strength around, in the root of the two.
    case = narrow_case(6, hidden=1)
    strengths = [
        nengo_loihi_run.coupling_strength(narrow_case(6, hidden=1, shifts=(shift,)).network)
        for shift in (0, 2)
    ]
    assert strengths[1] == pytest.approx(strengths[0] / 2)
    assert case.network.is_chain
