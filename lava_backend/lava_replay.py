"""Replays a fault map on Lava, in a process group of its own; see `replay_worker` for how."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import CONTINUED, PhaseResult, Status, of_trace
from toreq_hw.contract.trace import trace_of_states
from toreq_hw.errors import DeploymentError, InputError
from toreq_hw.lava_backend import lava_shim
from toreq_hw.lava_backend.lava_run import PATIENCE_S, check, supervise
from toreq_hw.network import Network, check_starts, check_states, save
from toreq_hw.reading import Fields, read_json

_MAX_FILE_BYTES = 1 << 32
_LARGEST_STATE = 255


@named_type_errors
def replay(
    network: Network,
    rows: Mapping[str, Any],
    inputs: npt.NDArray[np.int16],
    start: npt.NDArray[np.int16],
    *,
    max_sweeps: int,
    patience_s: float = PATIENCE_S,
) -> PhaseResult:
    """The map's samples, one after another; the trace holds the states of every tick.

    network: with the map's weights. rows: the map's other entries (docs/robustness.md). inputs:
    int16 (samples, n_input). start: int16 (samples, neurons), where each phase begins, before stuck
    neurons take their places.

    Raises NetworkError where Lava cannot carry the network, InputError for states out of range,
    and DeploymentError where it dies or nothing moves for `patience_s`.
    """
    check(network)
    lava_shim.check_versions()
    inputs = check_states(network.input, inputs)
    start = check_starts(network, start, len(inputs))
    if not len(inputs):
        raise InputError("samples must be at least 1, found 0")
    with tempfile.TemporaryDirectory(prefix="toreq-lava-") as name:
        folder = Path(name)
        save(network.lowered, folder / "network.safetensors")
        np.savez(folder / "request.npz", inputs=inputs.astype(np.int32), start=start)
        entries = {k: v for k, v in rows.items() if k not in ("weights", "parameters", "states")}
        (folder / "map.json").write_text(
            json.dumps({**entries, "max_sweeps": max_sweeps}), encoding="utf-8"
        )
        supervise(folder, patience_s, "replay_worker")
        found = read_json(folder / "replayed.json", _MAX_FILE_BYTES, DeploymentError)
    return read_replay(found, len(inputs), network)


def read_replay(found: object, samples: int, network: Network) -> PhaseResult:
    """What the worker's JSON says of each sample. Raises DeploymentError where that cannot be."""
    fields = Fields({"samples": found}, "what Lava's worker left", DeploymentError)
    parts = fields.parts("samples")
    if len(parts) != samples:
        raise fields.error("samples", f"be {samples}", len(parts))
    layout, colours = Layout(network), len(network.colours)
    sweeps, status, seen = [], [], []
    for one in parts:
        sweeps.append(one.integer("sweeps", 1))
        status.append(Status.SETTLED if one.flag("settled") else Status.SWEEP_LIMIT)
        rows = _ticks(one, layout.neurons)
        if len(rows) != sweeps[-1] * colours + 1:
            raise one.error("ticks", f"be {colours} a sweep and the start", len(rows))
        seen.append(dict(enumerate(rows)))
    trace = trace_of_states(layout, np.array(sweeps) * colours, seen)
    return of_trace(network, CONTINUED, trace, status=np.array(status, dtype=np.uint8))


def _ticks(one: Fields, neurons: int) -> npt.NDArray[np.int16]:
    rows = one.rows("ticks", neurons)
    try:
        found = np.array(rows)
    except ValueError:
        raise one.error("ticks", "be whole numbers", rows) from None
    if found.dtype != np.int64 or found.ndim != 2 or np.abs(found).max() > _LARGEST_STATE:
        raise one.error("ticks", f"be lists of states within +-{_LARGEST_STATE}", rows)
    return found.astype(np.int16)
