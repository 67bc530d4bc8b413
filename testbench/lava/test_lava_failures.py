"""A Lava run that cannot work ends with one line, soon, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from testbench.lava.conftest import samples
from testbench.networks import random_case
from toreq_hw import network, sim
from toreq_hw.errors import DeploymentError, InputError, MissingDependencyError, NetworkError
from toreq_hw.lava_backend import lava_run, lava_shim
from toreq_hw.network import Coupling, Network, Population, Role, Schedule, WeightFormat


def lava_processes() -> list[psutil.Process]:
    """Of Lava, children included: all carry the worker's command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if "toreq_hw.lava_backend.lava_worker" in line and process.info["status"] != "zombie":
            found.append(process)
    return found


def wait_for(count: int, seconds: float) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = lava_processes()
        if (len(found) >= count) if count else not found:
            return found
        time.sleep(0.05)
    return lava_processes()


def long_run(trained: Network, time_limit_s: float) -> None:
    chosen = samples(trained, "digits", 300)
    targets = sim.targets(trained.output, chosen.labels)
    lava_run.run(trained, chosen.inputs, targets, batch=1, time_limit_s=time_limit_s)


def test_a_killed_child_ends_the_run(digits_network: Network) -> None:
    def kill_one() -> None:
        family = wait_for(8, 20)
        parents = {process.pid for process in family}
        children = [process for process in family if process.ppid() in parents]
        time.sleep(0.5)
        children[-1].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    begin = time.monotonic()
    with pytest.raises(
        DeploymentError, match="Lava must run to its end, it died: a Lava process was killed"
    ):
        long_run(digits_network, time_limit_s=60)
    killer.join()
    assert time.monotonic() - begin < 30
    assert wait_for(0, 5) == []


def test_an_exception_in_a_child_is_told(tmp_path: Path) -> None:
    """The conductor cannot save its counters, because a folder is in the way."""
    case = random_case(0, schedule=Schedule.PARITY)
    network.save(case.network, tmp_path / "network.safetensors")
    targets = sim.targets(case.network.output, case.labels).astype(np.int32)
    inputs = case.inputs.astype(np.int32)
    np.savez(tmp_path / "request.npz", inputs=inputs, targets=targets)
    (tmp_path / "counters.npy").mkdir()
    with pytest.raises(DeploymentError, match="it died: IsADirectoryError"):
        lava_run._supervise(tmp_path, 60)
    assert wait_for(0, 5) == []


def test_a_run_that_takes_too_long_is_ended(digits_network: Network) -> None:
    with pytest.raises(DeploymentError, match=r"Lava must finish within 2.5 s"):
        long_run(digits_network, time_limit_s=2.5)
    assert wait_for(0, 5) == []


def test_lava_ends_when_its_parent_is_killed(digits_network: Network, tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    network.save(digits_network, path)
    command = [sys.executable, "-m", "toreq_hw.deploy", "--target", "loihi", "--batch", "1"]
    command += ["--samples", "300", "--network", str(path)]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path.cwd())
    assert len(wait_for(8, 30)) >= 8
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    assert wait_for(0, 10) == []


def one_coupling(hidden: int, fraction_bits: tuple[int, int], schedule: Schedule) -> Network:
    populations = (
        Population("input", hidden, Role.INPUT),
        Population("hidden", hidden, Role.HIDDEN),
        Population("output", 2, Role.OUTPUT),
    )
    first = np.full((hidden, hidden), 127 if fraction_bits[1] <= 5 else 1, dtype=np.int8)
    second = np.ones((hidden, 2), dtype=np.int8)
    couplings = (
        Coupling("input", "hidden", first, fraction_bits[0], WeightFormat.INT8),
        Coupling("hidden", "output", second, fraction_bits[1], WeightFormat.TERNARY),
    )
    return Network(populations, couplings, {}, schedule)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (one_coupling(4, (5, 5), Schedule.SYNCHRONOUS), "schedule must be parity or sequential"),
        (one_coupling(300, (5, 5), Schedule.PARITY), "accumulators must fit 24 bits on loihi"),
        (one_coupling(4, (0, 9), Schedule.PARITY), "fraction bits must be within 8"),
    ],
)
def test_what_lava_cannot_carry_is_refused(refused: Network, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        lava_run.check(refused)


def test_no_samples_are_refused() -> None:
    empty = np.zeros((0, 4), dtype=np.int16)
    with pytest.raises(InputError, match="samples must be at least 1"):
        lava_run.run(one_coupling(4, (5, 5), Schedule.PARITY), empty, empty[:, :2], batch=1)


def test_another_version_of_lava_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lava_shim, "TESTED_VERSION", "0.11.0")
    with pytest.raises(MissingDependencyError, match=r"lava-nc must be 0.11.0, not 0.10.0; run:"):
        lava_shim.check_versions()
