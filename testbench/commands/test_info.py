"""`toreq-hw info` knows every kind of file that a command reads or writes."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from testbench.command_line import toreq_hw as run
from toreq_hw import lava_backend, network
from toreq_hw.network import Network, WeightFormat
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.perturbation import DeadNeurons
from toreq_hw.sim.perturbation.fault_map import FaultMap

TRIAL = {"level": 0.5, "trial": 0, "samples": 20, "accuracy": 0.25}
HEAD = {"ledger": 2, "study": "dead_neurons", "shared": {"seed": 1}}
RECORD = {"undamaged": 0.5, "latents_from": "checkpoint", "versions": {"toreq-hw": "0.1.0"}}


def small() -> Network:
    return network.layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))


def idx(path: Path) -> None:
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 7]))


def make(name: str, path: Path) -> None:
    """A small file of the kind."""
    makers = {
        "network": lambda: network.save(small(), path),
        "checkpoint": lambda: checkpoint.save(
            Trainer(small(), Rule(), 7), path, {"data": "digits"}
        ),
        "float model": lambda: save_file({"0.weight": np.ones((8, 64), np.float32)}, path),
        "fault map": lambda: FaultMap.make(small(), [DeadNeurons(0.5)], 3).save(path),
        "chip": lambda: shutil.copy(
            Path(lava_backend.__file__).parent / "chips" / "loihi1.toml", path
        ),
        "trials": lambda: path.write_text(2 * (json.dumps(TRIAL) + "\n")),
        "ledger": lambda: path.write_text(
            json.dumps(HEAD) + 2 * ('\n{"run": {}, "row": {}}') + "\n"
        ),
        "record": lambda: path.write_text(json.dumps(RECORD, indent=2)),
        "idx": lambda: idx(path),
        "pickle": lambda: path.write_bytes(b"PK\x03\x04 of torch"),
    }
    makers[name]()


EXPECTED: dict[str, dict[str, Any]] = {
    "network": {"shape": "64-8-10", "formats": "ternary weights, 8-bit states"},
    "checkpoint": {"shape": "64-8-10", "epoch": 0, "seed": 7, "data": "digits"},
    "float model": {"formats": "float32"},
    "fault map": {"samples": 3, "faults": {"stuck": 4}},
    "chip": {"name": "loihi1", "cores": 128},
    "trials": {"trials": 2, "trials_by_level": {"0.5": 2}, "samples": 20},
    "ledger": {"study": "dead_neurons", "runs": 2, "shared": {"seed": 1}},
    "record": {"made_by": "toreq-hw relearn, version 0.1.0"},
    "idx": {"shape": "2"},
    "pickle": {"sha256": None},
}
TAKEN_BY = {
    "trials": "",
    "ledger": "inject NETWORK",
    "record": "",
    "idx": "",
    "pickle": "",
    "network": "simulate",
    "checkpoint": "train --resume",
    "float model": "quantize",
    "fault map": "replay NETWORK",
    "chip": "deploy --target loihi --chip",
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_file_is_known_whatever_its_name(kind: str, tmp_path: Path) -> None:
    path, record = tmp_path / "file", tmp_path / "info.json"
    make(kind, path)
    assert run("info", path, "--json", record).status == 0
    found = json.loads(record.read_text())
    assert found["kind"] == kind
    assert {name: found[name] for name in EXPECTED[kind]} == EXPECTED[kind]
    assert TAKEN_BY[kind] in " ".join(found["commands"])
    if kind in ("network", "checkpoint"):
        assert len(found["sha256"]) == 64


def test_an_exported_graph_is_known(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    net, graph = tmp_path / "net.safetensors", tmp_path / "graph"
    network.save(small(), net)
    assert run("export", net, "--out", graph).status == 0
    done = run("info", graph)
    assert done.status == 0
    assert small().sha256 in done.output
    assert "toreq-hw import" in done.output


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "a file of another kind"),
        (b"{", "a file of another kind"),
        (b"\x7fELF and so on", "a file of another kind"),
        (b"\xff" * 100, "a file of another kind"),
        (b"[1, 2]", "a file of another kind"),
        (b"\x10\0\0\0\0\0\0\0{", "a file of another kind"),
        (b"\xff\xff\xff\xff\0\0\0\0{}", "a file of another kind"),
        (b'{"format": "toreq-hw fault map"}', "must be there"),
        (b"[limits]\nsource = 1\n", "must be"),
    ],
)
def test_other_files_are_refused_in_a_line(content: bytes, found: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = run("info", path)
    assert done.status == 2
    assert done.output == ""
    assert found in done.error
    assert done.error.count("\n") == 1


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "must be readable, found: No such file" in run("info", tmp_path / "absent").error
    assert run("info", tmp_path).status == 2


def test_the_version_is_that_of_the_file(tmp_path: Path) -> None:
    net = small()
    shifted = tuple(replace(c, feedback_shift=k) for k, c in enumerate(net.couplings))
    for wanted, made in ((1, net), (2, replace(net, couplings=shifted))):
        path = tmp_path / f"{wanted}.safetensors"
        network.save(made, path)
        assert f"network file of version {wanted}\n" in run("info", path).output
