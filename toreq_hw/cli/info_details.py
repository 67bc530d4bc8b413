"""What `toreq-hw info` says of each kind of file: plain JSON values, as its reader checked them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from toreq_hw import network
from toreq_hw.data import read_idx
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.file_kinds import Kind
from toreq_hw.network import BudgetRows, ClampedReadout, Encoding, Network
from toreq_hw.reading import parse_json, read_fields, read_tensors, read_text, record_from
from toreq_hw.records.kinds import record_kind

_MAX_BYTES = 1 << 32
_MAX_TEXT = 1 << 30

Details = dict[str, Any]


def details(path: Path, kind: Kind) -> Details:
    """What is in a file of `kind`; at least `made_by` and `sha256`, None where it does not say.

    Raises a ToreqError naming the file where the kind's own reader refuses it.
    """
    return {"made_by": None, "sha256": None, **_READERS[kind](path)}


def _network(path: Path) -> Details:
    net = network.load(path)
    made_by = f"toreq-hw, network file of version {net.file_version}"
    return {"made_by": made_by, **_describe(net)}


def _description(path: Path) -> Details:
    """Of the blank network; the description itself has no hash."""
    return {**_describe(network.load_description(path)), "sha256": None}


def _describe(net: Network) -> Details:
    return {
        "sha256": net.sha256,
        "shape": "-".join(str(p.size) for p in net.populations),
        "formats": ", ".join(
            [
                *dict.fromkeys(f"{c.weight_format.value} weights" for c in net.couplings),
                *dict.fromkeys(f"{p.state_bits}-bit states" for p in net.populations),
            ]
        ),
        "populations": [
            {
                "name": p.name,
                "size": p.size,
                "role": p.role.value,
                "state_bits": p.state_bits,
                "signed": p.signed,
                **({"shape": "x".join(map(str, p.shape))} if p.shape else {}),
                **({"rows": _rows(p.rows)} if p.rows else {}),
            }
            for p in net.populations
        ],
        "couplings": [
            {
                "name": c.name,
                **({"kind": c.kind} if c.kind != "dense" else {}),
                "weight_format": c.weight_format.value,
                "fraction_bits": c.fraction_bits,
                **({"feedback_shift": c.feedback_shift} if c.feedback_shift else {}),
                **({"feedback": c.own_feedback.kind.value} if c.own_feedback else {}),
                "zeros": round(float((c.parameters == 0).mean()), 4) if c.parameters.size else 0.0,
            }
            for c in net.couplings
        ],
        **({"terms": [term.describe() for term in net.terms]} if net.terms else {}),
        "schedule": net.sweep.name,
        "beta_shift": net.beta_shift,
        **({} if net.readout is None else {"readout": _readout(net.readout)}),
        **({} if net.encoding is None else _encoding(net.encoding)),
    }


def _encoding(encoding: Encoding) -> Details:
    """Of own data: what becomes black and white, and names."""
    low, high = (np.array(ends) for ends in (encoding.low, encoding.high))
    ends = f"from {low.min():g} to {high.max():g}"
    if len(encoding.low) > 1:
        ends = f"an own range each of {len(encoding.low)} features, {ends} in all"
    return {
        "scale": f"{ends}, {'centred' if encoding.centred else 'black to white'}",
        **({"columns": list(encoding.columns)} if encoding.columns else {}),
        **({"classes": list(encoding.classes)} if encoding.classes else {}),
    }


def _readout(readout: ClampedReadout) -> str:
    top, bottom = readout.temperature
    rows = f", {readout.rows} rows" if readout.rows > 1 else ""
    return f"clamped, {readout.normalisation.value} at temperature {top}/{bottom}{rows}"


def _rows(rows: BudgetRows) -> str:
    top, bottom = rows.temperature
    most = "at most " if rows.at_most else ""
    table = f"{rows.normalisation.value} {top}/{bottom}"
    return f"of {rows.length} with {most}{rows.budget} units, {table}"


def _checkpoint(path: Path) -> Details:
    from toreq_hw.sim.learning import checkpoint  # takes the engines along

    trainer, notes = checkpoint.load(path)
    history, part = notes.get("history"), notes.get("part")
    return {
        "made_by": f"toreq-hw train, checkpoint of version {checkpoint.VERSION}",
        **_describe(trainer.network()),
        "epoch": trainer.epoch,
        "epochs": notes.get("epochs"),
        **({"samples_of_the_next_epoch": part["samples"]} if part else {}),
        "seed": trainer.seed,
        "data": notes.get("data"),
        "accuracy": history[-1].get("accuracy") if history else None,
    }


def _float_model(path: Path) -> Details:
    found = read_tensors(path, _MAX_BYTES, InputError)
    return {
        "made_by": found.metadata.get("format"),
        "formats": ", ".join(dict.fromkeys(str(array.dtype) for array in found.arrays.values())),
        "tensors": [
            {"name": name, "shape": list(array.shape), "dtype": str(array.dtype)}
            for name, array in found.arrays.items()
        ],
    }


def _onnx(path: Path) -> Details:
    try:
        from toreq_hw.quant.onnx_file import read_model
    except ModuleNotFoundError as error:
        raise missing("ONNX", error.name, "quant") from error
    model = read_model(path)
    named = {entry.key: entry.value for entry in model.metadata_props}
    header = parse_json(named["network"], str(path), InputError) if "network" in named else {}
    graph = model.graph
    return {
        "made_by": f"{model.producer_name} {model.producer_version}".strip() or None,
        "sha256": header.get("sha256") if isinstance(header, dict) else None,
        "holds_network": "network" in named,
        "operator_sets": {o.domain or "ai.onnx": o.version for o in model.opset_import},
        "inputs": [entry.name for entry in graph.input],
        "outputs": [entry.name for entry in graph.output],
        "tensors": [{"name": t.name, "shape": list(t.dims)} for t in graph.initializer],
        "nodes": dict(Counter(node.op_type for node in graph.node)),
    }


def _fault_map(path: Path) -> Details:
    fields = read_fields(path, _MAX_TEXT, InputError)
    rows = {name: v for name, v in fields.content.items() if isinstance(v, list)}
    return {
        "made_by": f"toreq-hw replay --make, fault map of version {fields.value('version')}",
        "of_network_sha256": fields.text("network_sha256"),
        "samples": fields.count("samples"),
        "faults": {name: len(values) for name, values in rows.items() if values},
    }


def _chip(path: Path) -> Details:
    from toreq_hw.lava_backend.mapper.chip import load_chip

    chip = load_chip(str(path))
    return {"name": chip.name, "cores": chip.cores, "limits": chip.counts}


def _trials(path: Path) -> Details:
    lines = read_text(path, _MAX_TEXT, InputError).splitlines()
    found = [parse_json(line, f"{path}: line {k}", InputError) for k, line in enumerate(lines, 1)]
    trials = [entry for entry in found if isinstance(entry, dict) and "trial" in entry]
    per_level = Counter(str(entry.get("level")) for entry in trials)
    return {
        "made_by": "toreq-hw inject or robustness",
        "trials": len(trials),
        "trials_by_level": dict(per_level),
        "samples": trials[0].get("samples") if trials else None,
    }


def _ledger(path: Path) -> Details:
    from toreq_hw.studies.ledger import VERSION, study_of  # take the engines along
    from toreq_hw.studies.ledger_rows import read_ledger

    found = read_ledger(path)
    return {
        "made_by": f"toreq-hw, ledger of version {VERSION}",
        "study": study_of(path),
        "runs": len(found),
        "shared": found.shared,
    }


def _record(path: Path) -> Details:
    content = read_fields(path, _MAX_TEXT, InputError).content
    kind = record_kind(content)
    if kind is None:
        raise InputError(f"{path}: must have the fields of a command's record, found others")
    for part in kind.parts:
        names = {field.name for field in fields(part)}
        own = {name: value for name, value in content.items() if name in names}
        record_from(own, part, str(path), InputError)
    plain = {k: v for k, v in content.items() if isinstance(v, str | int | float | bool)}
    version = content.get("versions", {}).get("toreq-hw")
    return {
        "made_by": f"toreq-hw {kind.command}" + (f", version {version}" if version else ""),
        "of_network_sha256": _network_hash(content),
        "figures": plain,
        "fields": list(content),
    }


def _network_hash(content: Details) -> str | None:
    found = content.get("network_sha256", content.get("network"))
    found = found.get("sha256") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None


def _idx(path: Path) -> Details:
    array = read_idx(path)
    return {"shape": " x ".join(map(str, array.shape)), "formats": "unsigned bytes"}


def _nothing(_: Path) -> Details:
    return {}


_READERS: dict[Kind, Callable[[Path], Details]] = {
    Kind.NETWORK: _network,
    Kind.DESCRIPTION: _description,
    Kind.CHECKPOINT: _checkpoint,
    Kind.FLOAT_MODEL: _float_model,
    Kind.ONNX: _onnx,
    Kind.FAULT_MAP: _fault_map,
    Kind.CHIP: _chip,
    Kind.TRIALS: _trials,
    Kind.LEDGER: _ledger,
    Kind.RECORD: _record,
    Kind.IDX: _idx,
    Kind.PICKLE: _nothing,
}
