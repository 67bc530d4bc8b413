"""Every reader of a file: its seeds, how they are changed, and its part of the inputs."""

from pathlib import Path

import numpy as np

from testbench.fuzz import containers, seeds, tool_files
from testbench.fuzz.board import converse
from testbench.fuzz.reader import Reader
from testbench.fuzz.recordings import RECORDING
from toreq_hw import network
from toreq_hw.cli.info_details import details
from toreq_hw.data import read_idx
from toreq_hw.data.own import load_own
from toreq_hw.errors import DeploymentError
from toreq_hw.file_kinds import Kind, kind_of
from toreq_hw.lava_backend.lava_replay import read_replay
from toreq_hw.lava_backend.mapper import Activity, estimate, load_chip, map_network
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.reading import read_json, read_npy
from toreq_hw.sim.campaign.trial import Trial
from toreq_hw.sim.learning import checkpoint
from toreq_hw.sim.perturbation import fault_map
from toreq_hw.studies.ledger import Ledger


def _chip(path: Path) -> None:
    chip = load_chip(str(path))
    mapping = map_network(seeds.SMALL, chip)
    estimate(seeds.SMALL, mapping, Activity(100.0, 10.0, 5.0))


def _fault_map(path: Path) -> None:
    found = fault_map.load(path, seeds.CASE.network)
    found.disturbance(seeds.CASE.network)


def _frames(path: Path) -> None:
    converse(seeds.CASE, path.read_bytes())


def _read_replay(path: Path) -> None:
    read_replay(read_json(path, 1 << 30, DeploymentError), 2, seeds.SMALL)


def _ledger(path: Path) -> None:
    place = Ledger(path.parent, "fuzz", {"code": ""}, Trial).path
    place.write_bytes(path.read_bytes())
    try:
        Ledger(path.parent, "fuzz", {"code": ""}, Trial)
    finally:
        place.unlink()


def _own_data(path: Path) -> None:
    load_own(str(path))


def _npy(path: Path) -> None:
    read_npy(path, 1 << 30, DeploymentError)


def _info(path: Path) -> None:
    kind = kind_of(path)
    if kind is not Kind.OTHER:
        details(path, kind)


def _replays(_: Path) -> list[bytes]:
    one = '{"ticks": [[0, 1], [0, 0]], "sweeps": 1, "settled": true}'
    return [f"[{one}, {one}]".encode()]


def _arrays(folder: Path) -> list[bytes]:
    path = folder / "a.npy"
    np.save(path, np.arange(12, dtype=np.int64).reshape(1, 3, 4))
    return [path.read_bytes()]


def _everything(folder: Path) -> list[bytes]:
    kinds = (seeds.networks, seeds.chips, seeds.fault_maps, seeds.idx_arrays, seeds.ledgers)
    return [kind(folder)[0] for kind in kinds]


READERS = (
    Reader("network", 180, seeds.networks, network.load, containers.in_safetensors),
    Reader("checkpoint", 50, seeds.checkpoints, checkpoint.load, containers.in_checkpoint),
    Reader("float-model", 90, seeds.float_models, load_float, containers.in_safetensors),
    Reader("float-onnx", 15, seeds.float_graphs, load_float, containers.in_onnx, ".onnx"),
    Reader("onnx", 10, seeds.quantised_graphs, read_onnx, containers.in_onnx, ".onnx"),
    Reader("chip", 70, seeds.chips, _chip),
    Reader("description", 30, seeds.descriptions, network.load_description),
    Reader("fault-map", 180, seeds.fault_maps, _fault_map, containers.in_json),
    Reader("idx", 60, seeds.idx_arrays, read_idx),
    Reader("idx-gzip", 60, seeds.packed_arrays, read_idx, containers.in_gzip),
    Reader("table", 60, seeds.tables, _own_data, suffix=".csv"),
    Reader("arrays", 30, seeds.archives, _own_data, suffix=".npz"),
    RECORDING,
    Reader("ledger", 60, seeds.ledgers, _ledger, containers.in_lines),
    Reader("yosys", 50, tool_files.stats, tool_files.read_stat, containers.in_json),
    Reader("nextpnr", 45, tool_files.reports, tool_files.read_report, containers.in_json),
    Reader("nextpnr-log", 15, tool_files.logs, tool_files.read_log),
    Reader("netlist", 25, tool_files.netlists, tool_files.read_netlist, containers.in_json),
    Reader("bitstream", 10, tool_files.bitstreams, tool_files.read_bitstream),
    Reader("frames", 20, seeds.frames, _frames, containers.in_frames),
    Reader("replayed", 10, _replays, _read_replay, containers.in_json),
    Reader("npy", 10, _arrays, _npy),
    Reader("info", 10, _everything, _info),
)


def by_name(name: str) -> Reader:
    """The reader called `name`; KeyError if there is none."""
    return {reader.name: reader for reader in READERS}[name]
