"""`toreq-hw info` knows every kind of file that a command reads or writes."""

import json
import re
import shutil
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from safetensors.numpy import save_file

from testbench.command_line import toreq_hw as run
from toreq_hw import lava_backend, network
from toreq_hw.file_kinds import Kind, kind_of
from toreq_hw.files import write_json
from toreq_hw.network import Encoding, Network, WeightFormat
from toreq_hw.records import side_by_side
from toreq_hw.records.kinds import KINDS, RecordKind, record_kind
from toreq_hw.records.recovery import Relearned
from toreq_hw.sim.campaign.trial import MAX_BIN, Trial
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.perturbation import DeadNeurons
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.layer import KINDS as LAYERS
from toreq_hw.studies.ledger import Ledger
from toreq_hw.studies.ledger_rows import ROWS
from toreq_hw.studies.searching.kept import STAGES

ROOT = Path(__file__).parents[2]
TRIAL = {"level": 0.5, "trial": 0, "samples": 20, "accuracy": 0.25}
RECORD = Relearned(
    damage="dead_neurons",
    level=0.5,
    undamaged=0.75,
    accuracy=(0.5, 0.625),
    data="digits",
    split="a split",
    latents_from="checkpoint",
    asymmetry=0.0,
    seed=1,
    network_sha256="0" * 64,
    versions={"toreq-hw": "0.1.0"},
)


def small() -> Network:
    return network.layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))


def idx(path: Path) -> None:
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 7]))


def ledger(path: Path) -> None:
    """A ledger of two trials, under another name than its study gives it."""
    kept = Ledger(path.parent, "dead_neurons", {"seed": 1, "code": ""}, Trial)
    for trial in (0, 1):
        one = Trial(0.5, trial, 10, 0.5, 6, 2, 0.125, (10, *[0] * (MAX_BIN - 1)), 1.0, 0, 1.5, None)
        kept.add({"level": 0.5, "trial": trial}, one)
    shutil.move(kept.path, path)


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
        "ledger": lambda: ledger(path),
        "record": lambda: write_json(path, RECORD),
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
    "ledger": {"study": "dead_neurons", "runs": 2, "shared": {"seed": 1, "code": ""}},
    "record": {"made_by": "toreq-hw relearn, version 0.1.0"},
    "idx": {"shape": "2"},
    "pickle": {"sha256": None},
}
TAKEN_BY = {
    "trials": "",
    "ledger": "the command of its study",
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


@pytest.mark.parametrize("beginning", [b"\x80\x05", b"\x80\x02", b"\x00\x00\x08"])
def test_a_safetensors_file_is_one_however_long_its_header_is(
    beginning: bytes, tmp_path: Path
) -> None:
    """The file begins with the length of its header: 0x580 bytes look like a pickle."""
    header = b'{"__metadata__":{"network":"{}"}}'
    length = int.from_bytes(beginning.ljust(8, b"\0"), "little")
    path = tmp_path / "net.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + header.ljust(length))
    assert kind_of(path) is Kind.NETWORK


def test_own_data_of_a_network_are_told(tmp_path: Path) -> None:
    own = replace(small(), encoding=Encoding((0.0,), (3.0,), classes=tuple("abcdefghij")))
    network.save(own, tmp_path / "net.safetensors")
    said = run("info", tmp_path / "net.safetensors").output
    assert "classes: a, b, c, d" in said
    assert "scale: from 0 to 3, black to white" in said
    assert f"toreq-hw simulate {tmp_path / 'net.safetensors'} --data DATA" in said


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


def example(kind: Any) -> Any:
    """Some value of a type that records have."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return example(arguments[0])
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: example(hints[field.name]) for field in fields(kind)})  # type: ignore[operator]
    if origin is dict:
        return {"toreq-hw": example(arguments[1])}
    if origin in (tuple, list):
        chosen = arguments[:1] if Ellipsis in arguments else arguments
        return [example(one) for one in chosen]
    if origin is Literal:
        return arguments[0]
    return {int: 1, float: 0.5, bool: True, str: "text"}[kind]


@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: f"{kind.command} {kind.parts[-1].__name__}"
)
def test_every_record_is_known_by_its_fields_and_their_types(
    kind: RecordKind, tmp_path: Path
) -> None:
    path, found = tmp_path / "record.json", tmp_path / "info.json"
    content = side_by_side(*(example(part) for part in kind.parts))
    assert record_kind(content) is kind
    write_json(path, content)
    assert run("info", path, "--json", found).status == 0
    made_by = json.loads(found.read_text())["made_by"]
    assert made_by.split(", ")[0] == f"toreq-hw {kind.command}"
    name = next(iter(content))
    for wrong, error in (
        ({**content, "surplus": 1}, "found a file of another kind"),
        ({key: value for key, value in content.items() if key != name}, "a file of another kind"),
        ({**content, name: None}, f"field {name} must be"),
    ):
        write_json(path, wrong)
        done = run("info", path)
        assert (done.status, done.output, done.error.count("\n")) == (2, "", 1)
        assert error in done.error


@pytest.mark.parametrize("name", ["lazy", "parity", "robustness", "synthesis"])
def test_published_records_are_known(name: str) -> None:
    done = run("info", ROOT / "reports" / "published" / f"{name}.json")
    assert done.status == 0
    assert "a record of a command" in done.output


def test_a_line_of_a_ledger_that_is_no_run_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    make("ledger", path)
    path.write_text(path.read_text().replace('"accuracy": 0.5', '"accuracy": 1.5'))
    done = run("info", path)
    assert (done.status, done.output) == (2, "")
    assert f"{path}: line 2" in done.error


def test_rows_of_every_ledger_are_known() -> None:
    """A study that keeps a ledger is in the table by which one is read."""
    sources = [path for folder in ("toreq_hw", "sim") for path in (ROOT / folder).rglob("*.py")]
    named = {
        name
        for path in sources
        for name in re.findall(r'Ledger\([^()"]*"([\w-]+)"', path.read_text(encoding="utf-8"))
    }
    assert named | {f"search-{name}" for name in STAGES} == ROWS.keys()
    assert not named & LAYERS.keys()


@pytest.mark.parametrize(
    "line",
    [
        "simulate net --data digits --samples 5",
        "deploy net --target sim --data digits --samples 2",
        "replay net map.json --make dead_neurons=0.5 --data digits --samples 2",
        "inject net --data digits --samples 5 --layer dead_neurons --levels 0.5 --trials 2 "
        "--jobs 1 --no-twin --work work",
        "relearn net --data digits --samples 5 --level 0.5 --epochs 1 --work work",
        "train --data digits --samples 5 --hidden 4 --epochs 1 --out new",
    ],
    ids=lambda line: line.split()[0],
)
def test_what_a_command_writes_is_known(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network.save(small(), Path("net"))
    assert run(*line.split(), "--json", "record.json").status == 0
    done = run("info", "record.json")
    assert done.status == 0, done.error
    assert f"made by: toreq-hw {line.split(maxsplit=1)[0]}, version" in done.output
