"""What a core is made of, what it refuses, and what the command leaves behind."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil

from testbench.networks import random_case
from testbench.rtl.tools import yosys
from toreq_hw.commands.rtl import write
from toreq_hw.errors import NetworkError
from toreq_hw.network import Coupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters


def layered(kind: WeightFormat) -> Network:
    populations = (
        Population("input", 9, Role.INPUT),
        Population("hidden", 20, Role.HIDDEN),
        Population("output", 5, Role.OUTPUT),
    )
    rng = np.random.default_rng(3)
    couplings = [
        Coupling(a.name, b.name, rng.integers(-1, 2, (a.size, b.size)).astype(np.int8), 3, kind)
        for a, b in pairwise(populations)
    ]
    return Network(populations, tuple(couplings), {})


@pytest.mark.parametrize(("kind", "per_lane"), [(WeightFormat.TERNARY, 0), (WeightFormat.INT8, 1)])
def test_multipliers(kind: WeightFormat, per_lane: int) -> None:
    network = layered(kind)
    parameters = CoreParameters.of(network, 4)
    text = rtlil.convert(Core(parameters, MemoryImages.of(network, parameters)), emit_src=False)
    assert text.count("cell $mul ") == per_lane * parameters.lanes


def test_tools_take_the_verilog_without_warnings(tmp_path: Path) -> None:
    network = random_case(4, schedule=Schedule.SEQUENTIAL).network
    write(CoreParameters.of(network, 4), network, tmp_path)
    output = yosys("read_verilog core.v; hierarchy -check -top toreq_core; proc", tmp_path)
    assert "Warning" not in output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"core.v", "datasheet.md", "ternary.hex", "int8.hex", "bias.hex"}
    assert "## Latency in cycles" in (tmp_path / "datasheet.md").read_text()


def test_each_weight_is_stored_once() -> None:
    network = layered(WeightFormat.INT8)
    parameters = CoreParameters.of(network, 4)
    (banks,) = MemoryImages.of(network, parameters).banks
    stored = np.array(banks).astype(np.uint8).astype(np.int8)
    weights = np.concatenate([coupling.weight.ravel() for coupling in network.couplings])
    assert stored.size == parameters.stores[0].tiles * 16
    assert int(np.abs(stored.astype(int)).sum()) == int(np.abs(weights.astype(int)).sum())


@pytest.mark.parametrize(
    ("lanes", "sweeps", "message"),
    [
        (3, 10, "lanes must be one of 2, 4, 8, 16, 32, 64, not 3"),
        (4, 0, "max_sweeps must be in 1..65535, not 0"),
    ],
)
def test_parameters_refuse(lanes: int, sweeps: int, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        CoreParameters.of(layered(WeightFormat.TERNARY), lanes, sweeps)


def test_synchronous_is_refused() -> None:
    case = random_case(1, schedule=Schedule.SYNCHRONOUS)
    with pytest.raises(NetworkError, match="schedule must be parity or sequential for the core"):
        CoreParameters.of(case.network, 4)


def test_a_store_too_large_names_layer_limit_and_fix() -> None:
    populations = (Population("input", 3000, Role.INPUT), Population("output", 3000, Role.OUTPUT))
    weight = np.zeros((3000, 3000), dtype=np.int8)
    coupling = Coupling("input", "output", weight, 0, WeightFormat.TERNARY)
    network = Network(populations, (coupling,), {})
    message = r"coupling 'input-output': .* 65536 tiles of 2 x 2, found 2250000; use more lanes"
    with pytest.raises(NetworkError, match=message):
        CoreParameters.of(network, 2)


def test_an_accumulator_too_wide_names_layer_limit_and_fix() -> None:
    populations = (
        Population("input", 70_000, Role.INPUT, 8),
        Population("output", 1, Role.OUTPUT, 1),
        Population("side", 2, Role.HIDDEN, 1),
    )
    couplings = (
        Coupling("input", "output", np.zeros((70_000, 1), np.int8), 0, WeightFormat.INT8),
        Coupling("output", "side", np.zeros((1, 2), np.int8), 15, WeightFormat.TERNARY),
    )
    network = Network(populations, couplings, {})
    with pytest.raises(NetworkError, match="population 'output': accumulators for any weights"):
        CoreParameters.of(network, 64)
