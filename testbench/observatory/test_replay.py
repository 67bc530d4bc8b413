"""A damaged, cut or hostile recording is one line and status 2; nothing is written."""

import json
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.command_line import toreq_hw as run
from testbench.fuzz import harness
from testbench.fuzz.recordings import RECORDING
from testbench.observatory.cases import random_recording
from toreq_hw.network.population import MAX_NEURONS
from toreq_hw.observatory import recording_file

MEMORY = 1 << 30
"""Bytes that a command may map beyond those of its start."""


def replayed(folder: Path, content: bytes) -> tuple[int, str]:
    """Status and complaint of a replay. A film is there exactly where it succeeded."""
    path, made = folder / "run.npz", folder / "a.gif"
    path.write_bytes(content)
    done = run("observe", "--replay", path, "--gif", made)
    assert made.exists() == (done.status == 0)
    made.unlink(missing_ok=True)
    return done.status, done.error


@given(seed=st.integers(0, 2**32 - 1), index=st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_a_damaged_recording_is_one_line(
    seed: int, index: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("replay")
    status, error = replayed(folder, harness.content_of(RECORDING, seed, index))
    assert status in (0, 2)
    if status:
        (line,) = error.splitlines()
        assert line.startswith("error: ")
        assert "run.npz: " in line or "film" in line


def test_readers_neither_crash_nor_hoard() -> None:
    *_, (_, report) = harness.run([RECORDING], 600, seed=1, jobs=1)
    assert report.failures == {}
    assert report.outcomes["recording", harness.ACCEPTED] > 10
    assert report.outcomes["recording", harness.REFUSED] > 300


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What a sound recording holds."""
    path = tmp_path_factory.mktemp("sound") / "a.npz"
    recording_file.save(random_recording(1)[1], path)
    with np.load(path) as found:
        return {name: found[name] for name in found.files}


def about(arrays: dict[str, np.ndarray], **changes: Any) -> dict[str, np.ndarray]:
    """The same with other entries in its description."""
    entries = json.loads(arrays["about"].tobytes()) | changes
    return {**arrays, "about": np.frombuffer(json.dumps(entries).encode(), np.uint8)}


def populations(arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(arrays["about"].tobytes())["populations"]
    return found


def many_neurons(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A thousand populations of 16 million neurons, in a file of some kilobytes."""
    own = populations(arrays)
    more = [
        {**own[1], "name": f"p{k}", "size": MAX_NEURONS, "shape": [MAX_NEURONS, 1, 1]}
        for k in range(1000)
    ]
    return about(arrays, populations=[own[0], *more, own[-1]])


def one_line_of_neurons(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Populations across each other, which make a picture of 2^44 pixels."""
    own = populations(arrays)
    tall = {**own[1], "name": "tall", "size": MAX_NEURONS // 2, "shape": [MAX_NEURONS // 2, 1]}
    wide = {**tall, "name": "wide", "shape": [1, MAX_NEURONS // 2]}
    return about(arrays, populations=[own[0], tall, wide, own[-1]])


def many_phases(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    phases = json.loads(arrays["about"].tobytes())["phases"]
    return about(arrays, phases=phases[:1] * 100_000)


def packed_zeros(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Two gibibytes of zeros that take two mebibytes packed."""
    return {**arrays, "0_neuron": np.zeros(1 << 29, np.int32)}


def spoken(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A phase whose name clears the screen."""
    phases = json.loads(arrays["about"].tobytes())["phases"]
    phases[0]["name"] = "\x1b[2J\nfree"
    return about(arrays, phases=phases)


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (many_neurons, "a picture must have at most"),
        (one_line_of_neurons, "a picture must have at most"),
        (many_phases, "phases must be 1 to 8, found 100000"),
        (packed_zeros, "arrays must have at most"),
        (spoken, "a phase must be free"),
    ],
)
def test_a_hostile_recording_takes_no_memory(
    arrays: dict[str, np.ndarray], tmp_path: Path, hostile: Any, said: str
) -> None:
    np.savez_compressed(tmp_path / "run.npz", allow_pickle=False, **hostile(arrays))
    assert (tmp_path / "run.npz").stat().st_size < 1 << 22
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, str(MEMORY)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert said in line
    assert line.isprintable()
    assert not (tmp_path / "a.gif").exists()


_BOUNDED = """
import resource, sys
import psutil
from toreq_hw.commands import main
import toreq_hw.commands.observe, PIL.Image
most = psutil.Process().memory_info().vms + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
main(["observe", "--replay", "run.npz", "--gif", "a.gif"])
"""


def test_a_header_that_lies_is_refused(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    np.savez(path, allow_pickle=False, **arrays)
    with zipfile.ZipFile(path) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    wanted = inside["0_synops.npy"]
    start = wanted.find(b"'shape': ") + 9
    lie = wanted[:start] + b"(1000000000000,), }" + wanted[wanted.find(b"}", start) + 1 :]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**inside, "0_synops.npy": lie}.items():
            archive.writestr(name, content)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, error = replayed(tmp_path, path.read_bytes())
    assert (status, len(error.splitlines())) == (2, 1)
    assert "must be an .npz file of arrays" in error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < used + (1 << 18)  # KiB
