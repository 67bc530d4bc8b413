"""A Lava run that cannot work ends with one line, soon, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from testbench.lava.conftest import samples
from testbench.networks import random_case
from testbench.patience import GENEROUS_S
from toreq_hw import network, sim
from toreq_hw.errors import DeploymentError, InputError, MissingDependencyError, NetworkError
from toreq_hw.lava_backend import lava_replay, lava_run, lava_shim, lava_worker
from toreq_hw.network import (
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    layered,
)

MARK = "TOREQ_HW_TEST_SESSION"


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test tell its own Lava processes from those of any other run on the machine."""
    monkeypatch.setenv(MARK, str(uuid.uuid4()))


def lava_processes() -> list[psutil.Process]:
    """Of this test, children and orphans included."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if "toreq_hw.lava_backend.lava_worker" in line and process.info["status"] != "zombie":
            with suppress(psutil.Error):
                if process.environ().get(MARK) == os.environ[MARK]:
                    found.append(process)
    return found


def wait_for(count: int) -> list[psutil.Process]:
    """At least `count` processes, or (0) none: as soon as it is so."""
    deadline = time.monotonic() + GENEROUS_S
    while time.monotonic() < deadline:
        found = lava_processes()
        if (len(found) >= count) if count else not found:
            return found
        time.sleep(0.05)
    return lava_processes()


def long_run(trained: Network, patience_s: float = GENEROUS_S) -> None:
    chosen = samples(trained, "digits", 300)
    targets = sim.targets(trained.output, chosen.labels)
    lava_run.run(trained, chosen.inputs, targets, batch=1, patience_s=patience_s)


def test_a_killed_child_ends_the_run(digits_network: Network) -> None:
    def kill_one() -> None:
        family = wait_for(8)
        parents = {process.pid for process in family}
        children = [process for process in family if process.ppid() in parents]
        time.sleep(0.5)
        children[-1].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(  # not the words of a run that stands still
        DeploymentError, match="Lava must run to its end, it died: a Lava process was killed"
    ):
        long_run(digits_network)
    killer.join()
    assert wait_for(0) == []


def test_an_exception_in_a_child_is_told(tmp_path: Path) -> None:
    """The controller cannot save its counters, because a folder is in the way."""
    case = random_case(0, schedule=Schedule.PARITY)
    network.save(case.network, tmp_path / "network.safetensors")
    targets = sim.targets(case.network.output, case.labels).astype(np.int32)
    inputs = case.inputs.astype(np.int32)
    np.savez(tmp_path / "request.npz", inputs=inputs, targets=targets)
    (tmp_path / "counters.npy").mkdir()
    with pytest.raises(DeploymentError, match="it died: IsADirectoryError"):
        lava_run.supervise(tmp_path, GENEROUS_S)
    assert wait_for(0) == []


def test_a_run_that_stands_still_is_ended(digits_network: Network) -> None:
    """Lava takes longer to start than this patience."""
    with pytest.raises(DeploymentError, match=r"Lava must move within 0.1 s, it stood still"):
        long_run(digits_network, patience_s=0.1)
    assert wait_for(0) == []


def test_lava_tells_that_it_moves(digits_network: Network, tmp_path: Path) -> None:
    chosen = samples(digits_network, "digits", 4)
    targets = sim.targets(digits_network.output, chosen.labels).astype(np.int32)
    network.save(digits_network, tmp_path / "network.safetensors")
    np.savez(tmp_path / "request.npz", inputs=chosen.inputs.astype(np.int32), targets=targets)
    assert lava_worker.progress(tmp_path) == 0
    lava_run.supervise(tmp_path, GENEROUS_S)
    assert lava_worker.progress(tmp_path) >= 2


class SlowWorker:
    """Ends after some looks, each of which takes as long as the patience, and moves or does not."""

    def __init__(self, folder: Path, moves: str) -> None:
        self._folder, self._moves, self.now = folder, list(moves), 0.0

    def wait(self, timeout: float) -> int:
        if not self._moves:
            return 0
        if self._moves.pop(0) == "m":
            lava_worker.note_progress(self._folder)
        self.now += 9.0
        raise subprocess.TimeoutExpired("worker", timeout)


@pytest.mark.parametrize(
    ("moves", "ends"), [("m" * 50, True), ("-m" * 25, True), ("mm--m", False), ("--", False)]
)
def test_a_run_may_take_for_ever_as_long_as_it_moves(
    moves: str, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker: Any = SlowWorker(tmp_path, moves)
    monkeypatch.setattr(time, "monotonic", lambda: worker.now)
    if ends:
        assert lava_run._wait_while_it_moves(worker, tmp_path, 10.0) == 0
        return
    with pytest.raises(DeploymentError, match="Lava must move within 10 s, it stood still"):
        lava_run._wait_while_it_moves(worker, tmp_path, 10.0)


def test_lava_ends_when_its_parent_is_killed(digits_network: Network, tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    network.save(digits_network, path)
    command = [sys.executable, "-m", "toreq_hw.deploy", "--target", "loihi", "--batch", "1"]
    command += ["--samples", "300", "--network", str(path)]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path.cwd())
    assert len(wait_for(8)) >= 8
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(GENEROUS_S)
    assert wait_for(0) == []


def one_coupling(hidden: int, fraction_bits: tuple[int, int], schedule: Schedule) -> Network:
    populations = (
        Population("input", hidden, Role.INPUT),
        Population("hidden", hidden, Role.HIDDEN),
        Population("output", 2, Role.OUTPUT),
    )
    first = np.full((hidden, hidden), 127 if fraction_bits[1] <= 5 else 1, dtype=np.int8)
    second = np.ones((hidden, 2), dtype=np.int8)
    couplings = (
        DenseCoupling("input", "hidden", first, fraction_bits[0], WeightFormat.INT8),
        DenseCoupling("hidden", "output", second, fraction_bits[1], WeightFormat.TERNARY),
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


def test_lava_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(lava_shim, "version", absent)
    with pytest.raises(MissingDependencyError, match="must be installed, found none; run: "):
        lava_shim.check_versions()


def test_a_system_without_fork_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.fork")
    with pytest.raises(MissingDependencyError, match="Lava must run on Linux or macOS"):
        lava_shim.check_versions()


def test_a_numpy_that_lava_hangs_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"lava-nc": lava_shim.TESTED_VERSION, "numpy": "2.4.1"}
    monkeypatch.setattr(lava_shim, "version", found.__getitem__)
    with pytest.raises(MissingDependencyError, match=r"numpy must be older than 2.4 for Lava"):
        lava_shim.check_versions()


def test_a_worker_that_says_nothing_is_told_by_its_log(tmp_path: Path) -> None:
    """No request lies in the folder, then not even Python starts."""
    with pytest.raises(DeploymentError, match=r"it died: FileNotFoundError.*request.npz"):
        lava_run.supervise(tmp_path, GENEROUS_S)
    (tmp_path / "cause").unlink()
    (tmp_path / "log").write_text("first\n last words \n\n")
    assert lava_run._cause(tmp_path) == "last words"
    (tmp_path / "log").unlink()
    assert lava_run._cause(tmp_path) == "no message"


def changed(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_what_the_worker_left_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "counters.npy"
    for array in (np.zeros((1, 3, 3, 1), np.int32), np.zeros((1, 2, 3, 1), np.int64), np.zeros(3)):
        np.save(path, array)
        with pytest.raises(DeploymentError, match="counters must be int64"):
            lava_run._counters(path, 1)
    np.save(path, np.zeros((1, 3, 3, 2), np.int64))
    assert lava_run._counters(path, 2).shape == (1, 3, 3, 2)
    with pytest.raises(DeploymentError, match="must count 3 samples, found 2"):
        lava_run._counters(path, 3)
    with pytest.raises(DeploymentError, match=r"whole \.npy file"):
        lava_run._counters(changed(path, b"\x93NUMPY"), 1)
    row = np.array([0, 1, 2, 0, 0, 5], np.int32)
    assert lava_run._changes(changed(path, row.tobytes()), (3, 9, 4, 1)).tolist() == [row.tolist()]
    with pytest.raises(DeploymentError, match="must hold rows of 24 bytes, found 23"):
        lava_run._changes(changed(path, row.tobytes()[:-1]), (3, 9, 4, 1))
    for column in range(4):
        wrong = row.copy()
        wrong[column] = 99
        with pytest.raises(DeploymentError, match="changes must be below"):
            lava_run._changes(changed(path, wrong.tobytes()), (3, 9, 4, 1))


@pytest.mark.parametrize(
    "found",
    [
        {"ticks": [[0, 1]]},
        [{"ticks": [[0]], "sweeps": 1, "settled": True}],
        [{"ticks": [[0, 1.5]], "sweeps": 1, "settled": True}],
        [{"ticks": [[0, 1 << 20]], "sweeps": 1, "settled": True}],
        [{"ticks": [[0, 1]], "sweeps": "1", "settled": True}],
        [{"ticks": [[0, 1]], "sweeps": 1, "settled": True}],
        [{"ticks": [[0, 1]], "sweeps": 1}],
        [],
    ],
)
def test_what_the_replay_worker_left_is_checked(found: object) -> None:
    with pytest.raises(DeploymentError, match="what Lava's worker left: field samples"):
        lava_replay.read_replay(found, 1, layered((3, 2), WeightFormat.TERNARY, (2,)))
