"""The exported folder's own Makefile places and routes the core, by wheels alone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import toreq_hw as run
from testbench.networks import with_random_weights
from testbench.synth.test_board_file import small_network
from toreq_hw.network import WeightFormat, layered, save


def made(family: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`make` in a folder that has nothing of this project, the tools on the path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TOREQ"))}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["make", family, "WHEELS=yowasp-"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("family", "ending", "pin"), [("ice40", "bin", "35"), ("ecp5", "bit", "G2")]
)
def test_nextpnr_places_the_harness_on_its_pins(
    family: str, ending: str, pin: str, tmp_path: Path
) -> None:
    """Where the constraints name a pin that is not there, it must fail."""
    network, core = small_network(tmp_path), tmp_path / "core"
    arguments = ("--lanes", "2", "--package", "--data", "digits", "--out", str(core))
    done = run("rtl", str(network), *arguments)
    assert done.status == 0, done.error
    found = made(family, core / "synth")
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    assert (core / "synth" / f"{family}.{ending}").stat().st_size > 1000
    report = json.loads((core / "synth" / f"{family}.rpt").read_text(encoding="utf-8"))
    assert min(clock["achieved"] for clock in report["fmax"].values()) > 5
    for name in ("harness.pcf", "harness.lpf"):
        path = core / "constraints" / name
        path.write_text(path.read_text(encoding="utf-8").replace(pin, "Z99"), encoding="utf-8")
    failed = made(family, core / "synth")
    assert failed.returncode != 0
    assert "Z99" in failed.stdout + failed.stderr


def test_both_targets_take_the_network_of_make_sim_at_its_default_lanes(tmp_path: Path) -> None:
    """One is too small, and says so before a tool runs; Yosys makes a netlist for the other."""
    rng = np.random.default_rng(2)
    net = with_random_weights(layered((64, 128, 10), WeightFormat.TERNARY, (3, 3)), rng)
    network, core = tmp_path / "network.safetensors", tmp_path / "core"
    save(net, network)
    done = run("rtl", str(network), "--package", "--bus", "axi", "--out", str(core))
    assert done.status == 0, done.error
    refused = made("ice40", core / "synth")
    assert refused.returncode != 0
    wanted = r"iCE40UP5K is too small: memories need 4\d of 30 blocks of 4096 bits; export with "
    wanted += "--lanes 2 or 4 or 8"
    assert re.match(wanted, refused.stderr)
    assert re.search(wanted, " ".join(done.output.split()))
    assert not (core / "synth" / "ice40.json").exists()
    found = made("ecp5.json", core / "synth")
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    top = json.loads((core / "synth" / "ecp5.json").read_text(encoding="utf-8"))
    kinds = {c["type"] for c in top["modules"]["toreq_harness"]["cells"].values()}
    assert {"DP16KD", "TRELLIS_FF", "LUT4"} <= kinds
