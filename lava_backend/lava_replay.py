"""Replays a fault map on Lava, in a process group of its own; see `replay_worker` for how."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.lava_backend import lava_shim
from toreq_hw.lava_backend.lava_run import PATIENCE_S, check, supervise
from toreq_hw.network import Network, save


@dataclass(frozen=True, eq=False)
class Replayed:
    """One sample. ticks: int16 (ticks + 1, neurons), row 0 the start, the last row the end."""

    ticks: npt.NDArray[np.int16]
    sweeps: int
    settled: bool


def replay(
    network: Network,
    rows: Mapping[str, Any],
    inputs: npt.NDArray[np.int16],
    start: npt.NDArray[np.int16],
    *,
    max_sweeps: int,
    patience_s: float = PATIENCE_S,
) -> list[Replayed]:
    """The map's samples, one after another.

    network: with the map's weights. rows: the map's other entries (docs/robustness.md). inputs:
    int16 (samples, n_input). start: int16 (samples, neurons), where each phase begins, before stuck
    neurons take their places.

    Raises NetworkError where Lava cannot carry the network, DeploymentError where it dies or
    nothing moves for `patience_s`.
    """
    check(network)
    lava_shim.check_versions()
    if not len(inputs):
        raise InputError("samples must be at least 1, found 0")
    with tempfile.TemporaryDirectory(prefix="toreq-lava-") as name:
        folder = Path(name)
        save(network, folder / "network.safetensors")
        np.savez(folder / "request.npz", inputs=inputs.astype(np.int32), start=start)
        entries = {k: v for k, v in rows.items() if k not in ("weights", "states")}
        (folder / "map.json").write_text(
            json.dumps({**entries, "max_sweeps": max_sweeps}), encoding="utf-8"
        )
        supervise(folder, patience_s, "replay_worker")
        found = json.loads((folder / "replayed.json").read_text(encoding="utf-8"))
    return [
        Replayed(np.array(one["ticks"], dtype=np.int16), one["sweeps"], one["settled"])
        for one in found
    ]
