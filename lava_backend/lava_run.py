"""Runs a network on Lava's fixed-point model of Loihi 2, in a process group of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import DeploymentError, InputError, NetworkError
from toreq_hw.lava_backend import lava_shim, lava_worker
from toreq_hw.lava_backend.record import RunRecord, phase_results
from toreq_hw.network import (
    Need,
    Network,
    accumulator_bits,
    check_states,
    require,
    require_plain,
    save,
)
from toreq_hw.reading import read_bytes, read_log, read_npy

PATIENCE_S = 600.0
"""A run in which nothing moves for so long is ended and reported as hung. A look at a busy machine
takes some seconds, a hung Lava waits for ever; how long a whole run takes is not limited."""

LOOK_S = 0.5
"""Between two looks at the worker and its progress."""

_MAX_FILE_BYTES = 1 << 32
_LAST_TICK = (1 << 31) - 1

LOG = "log"
"""File that takes what the worker and Lava print."""

ACCUMULATOR_BITS = 24
"""Of a neuron's variables in Lava's fixed-point models (lava/proc/sdn, lava/proc/lif)."""

MAX_WEIGHT_EXPONENT = 7
"""Of a Loihi synapse (lava/proc/dense); the exact even weights use one of the eight up."""


@named_type_errors
def check(network: Network) -> None:
    """Raises NetworkError, with a way to correct it, where Lava's model cannot carry `network`."""
    require_plain(network, "on loihi")
    require(network.sweep, "on loihi", Need.ALWAYS_SETTLES, Need.VISITS_EACH_NEURON_ONCE)
    for population in network.relaxing:
        bits = accumulator_bits(network, population.name)
        if bits > ACCUMULATOR_BITS:
            raise NetworkError(
                f"population {population.name!r}: accumulators must fit {ACCUMULATOR_BITS} bits "
                f"on loihi, found {bits}; use fewer state bits, fewer fraction bits or ternary "
                "weights"
            )
        for projection in network.into(population.name):
            if projection.shift - 1 > MAX_WEIGHT_EXPONENT:
                raise NetworkError(
                    f"coupling {projection.coupling.name!r}: fraction bits must be within "
                    f"{MAX_WEIGHT_EXPONENT + 1} of the largest at population "
                    f"{population.name!r} on loihi, found {projection.shift} below; rescale its "
                    "weights"
                )


@named_type_errors
def run(
    network: Network,
    inputs: npt.NDArray[np.int16],
    targets: npt.NDArray[np.int16],
    *,
    batch: int,
    patience_s: float = PATIENCE_S,
) -> RunRecord:
    """All three phases of every sample on Lava.

    inputs: int16 (samples, input.size); targets: int16 (samples, output.size), s_max at the
    class and 0 elsewhere. batch: 1 presents one sample at a time, as a chip would, over
    Lava's own `Dense`; more run side by side, a simulation device for throughput.

    Raises NetworkError where Lava cannot carry the network, and InputError for states out of range.
    Raises DeploymentError where a Lava process dies or nothing moves for `patience_s`; nothing is
    left running in either case.
    """
    check(network)
    lava_shim.check_versions()
    inputs = check_states(network.input, inputs)
    targets = check_states(network.output, targets)
    if len(targets) != len(inputs):
        raise InputError(f"targets must be one per input ({len(inputs)}), not {len(targets)}")
    if not len(inputs):
        raise InputError("samples must be at least 1, found 0")
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="toreq-lava-") as name:
        folder = Path(name)
        save(network.lowered, folder / "network.safetensors")
        request = folder / "request.npz"
        np.savez(request, inputs=_rounds(inputs, batch), targets=_rounds(targets, batch))
        supervise(folder, patience_s)
        phases = _read_results(network, folder, len(inputs))
    return RunRecord(network, phases, time.perf_counter() - begin)


def _rounds(values: npt.NDArray[np.int16], batch: int) -> npt.NDArray[np.int32]:
    """(samples, n) as rounds: (samples, n) for batch 1, else (rounds, n, batch).

    The last round is filled up with copies of the last sample, which are not read back.
    """
    if batch == 1:
        return values.astype(np.int32)
    width = min(batch, len(values))
    rounds = -(-len(values) // width)
    index = np.minimum(np.arange(rounds * width), len(values) - 1)
    shaped = values[index].reshape(rounds, width, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(shaped, dtype=np.int32)


def supervise(folder: Path, patience_s: float, module: str = "lava_worker") -> None:
    """Runs a worker in a process group of its own while it moves, and ends all of it.

    Raises DeploymentError where it dies, or makes no progress for `patience_s`.
    """
    command = [sys.executable, "-m", f"toreq_hw.lava_backend.{module}", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with open(folder / LOG, "w", encoding="utf-8") as log:
        worker = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            status = _wait_while_it_moves(worker, folder, patience_s)
        finally:
            _end_group(worker)
        if status:
            raise DeploymentError(f"Lava must run to its end, it died: {_cause(folder)}")


def _wait_while_it_moves(worker: "subprocess.Popen[bytes]", folder: Path, patience_s: float) -> int:
    """The worker's status. Raises DeploymentError."""
    moved, since = lava_worker.progress(folder), time.monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            return worker.wait(min(LOOK_S, patience_s))
        now = lava_worker.progress(folder)
        if now != moved:
            moved, since = now, time.monotonic()
        elif time.monotonic() - since > patience_s:
            raise DeploymentError(
                f"Lava must move within {patience_s:g} s, it stood still after {moved} looks"
            )


def _cause(folder: Path) -> str:
    """The last line of what the worker, or else its log, says about its death."""
    for name in (lava_worker.CAUSE, LOG):
        file = folder / name
        lines = (
            read_log(file, _MAX_FILE_BYTES, DeploymentError).split("\n") if file.exists() else []
        )
        if words := [line.strip() for line in lines if line.strip()]:
            return words[-1]
    return "no message"


def _end_group(worker: subprocess.Popen[bytes]) -> None:
    """Ends whatever the worker left: politely first, so that shared memory is given back."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, ending)
        with suppress(subprocess.TimeoutExpired):
            worker.wait(2)
        deadline = time.monotonic() + 2
        while _group(worker.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not _group(worker.pid):
            return


def _group(leader: int) -> list[int]:
    """Living processes of the group that `leader` leads."""
    members = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
    return members


def _read_results(network: Network, folder: Path, samples: int) -> tuple[PhaseResult, ...]:
    """Turns the controller's and the probes' files into results. Raises DeploymentError."""
    counters = _counters(folder / "counters.npy", samples)
    rounds, phases, _, width = counters.shape
    counters = counters.transpose(1, 2, 0, 3).reshape(phases, 3, rounds * width)[:, :, :samples]
    rows = []
    for name, first in Layout(network).starts.items():
        file = folder / f"{name}.changes"
        if file.exists():
            limits = (rounds * phases, _LAST_TICK, network.population(name).size, width)
            raw = _changes(file, limits)
            sample = raw[:, 0] // phases * width + raw[:, 3]
            columns = [raw[:, 0] % phases, sample, raw[:, 1], first + raw[:, 2], *raw.T[4:]]
            rows.append(np.stack(columns, axis=1))
    every = np.concatenate([np.zeros((0, 6), dtype=np.int32), *rows])
    every = every[every[:, 1] < samples]
    changes = [every[every[:, 0] == phase, 1:] for phase in range(phases)]
    return phase_results(network, counters, changes)


def _counters(path: Path, samples: int) -> npt.NDArray[np.int64]:
    """The controller's counters, int64 (rounds, 3 phases, 3 counters, samples of a round)."""
    found = read_npy(path, _MAX_FILE_BYTES, DeploymentError)
    shape = found.shape
    if found.dtype != np.int64 or found.ndim != 4 or shape[1:3] != (3, 3):
        raise DeploymentError(
            f"{path}: counters must be int64 (rounds, 3, 3, width), found {found.dtype} {shape}"
        )
    if shape[0] * shape[3] < samples or found.min(initial=0) < 0:
        raise DeploymentError(f"{path}: must count {samples} samples, found {shape[0] * shape[3]}")
    return found


def _changes(path: Path, limits: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """A probe's rows of round and phase, tick, neuron, sample of the round, before, after.

    limits: what the first four columns stay below.
    """
    content = read_bytes(path, _MAX_FILE_BYTES, DeploymentError)
    if len(content) % 24:
        raise DeploymentError(f"{path}: must hold rows of 24 bytes, found {len(content)} bytes")
    rows = np.frombuffer(content, dtype=np.int32).reshape(-1, 6)
    if (rows[:, :4] < 0).any() or (rows[:, :4] >= limits).any():
        raise DeploymentError(f"{path}: changes must be below {limits}, found {rows.max()}")
    return rows
