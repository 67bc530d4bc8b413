"""Couplings that the project has never seen in the core: it is the core of the dense network."""

from dataclasses import replace

import pytest

from testbench.rtl.plan import Images, Plan
from testbench.rtl.simulate import RUNS, simulate
from testbench.small_kinds import MAKERS, Maker
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import core_verilog


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("weight_format", WeightFormat)
def test_the_core_is_that_of_the_dense_network(make: Maker, weight_format: WeightFormat) -> None:
    case = make(41, weight_format, Schedule.SEQUENTIAL)
    own, dense = (CoreParameters.of(net, 4, large_coupling=0) for net in (case.network, case.dense))
    assert own.network_sha256 == case.network.sha256
    assert replace(own, network_sha256=dense.network_sha256) == dense


@pytest.mark.parametrize("make", MAKERS)
def test_the_core_relaxes_as_the_dense_network(make: Maker) -> None:
    case = make(42)
    parameters = CoreParameters.of(case.network, 4, large_coupling=0)
    RUNS.mkdir(parents=True, exist_ok=True)
    source = RUNS / "toy-couplings.v"
    source.write_text(core_verilog(Core(parameters, MemoryImages.of(case.network, parameters))))
    steps = (Images(case.inputs, case.labels),)
    plan = Plan(case.dense, 4, steps, choices={"large_coupling": 0})
    assert simulate(plan, "toy-couplings", sources=[source]).failure is None
