"""Checkpoints: the whole state of a training, so that resuming gives the same bits.

A `.safetensors` file (no code runs on load): latents per coupling, bias latents per
population, and one metadata entry `training` with everything else as JSON. Its `sha256` hashes
that JSON (without itself, names sorted) and every tensor as `name:shape:` and bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.learning import BIAS_LATENT_LIMIT, LATENT_BITS, LATENT_LIMIT
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.files import write_bytes
from toreq_hw.json_values import JsonObject
from toreq_hw.network import Network
from toreq_hw.network.file import kind_of, network_from
from toreq_hw.reading import Fields, checked_array, integer, parse_json, read_tensors, shown
from toreq_hw.records import plain
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.parts import Part
from toreq_hw.tensor_file import tensor_bytes

FORMAT = "toreq-hw checkpoint"
VERSION = 2
"""Since 2 with a hash."""

_MAX_FILE_BYTES = 1 << 32
_MAX_EPOCH = (1 << 31) - 1
_WORD = (1 << 32) - 1

Tensors = Mapping[str, npt.NDArray[Any]]


@named_type_errors
def save(trainer: Trainer, path: Path, notes: JsonObject, *, run: str | None = None) -> None:
    """Writes the trainer's state in one step. notes: JSON values handed back by `load`.

    run: names the run that the checkpoint is of, for whoever would write over it.
    """
    blueprint = trainer.blueprint
    record = {
        "format": FORMAT,
        "version": VERSION,
        "network": blueprint.describe(),
        "rule": plain(trainer.rule.describe()),
        "seed": trainer.seed,
        "epoch": trainer.epoch,
        "random_state": int(trainer.random_state),
        "notes": notes,
        "run": run,
    }
    tensors: dict[str, npt.NDArray[Any]] = {
        _name(blueprint, part): trainer.latents(number) for number, part in enumerate(trainer.parts)
    }
    tensors |= blueprint.structure()
    tensors["bias_latent"] = trainer.synapses.bias_latent
    record["sha256"] = _content_hash(record, tensors)
    write_bytes(path, tensor_bytes(tensors, {"training": json.dumps(record)}))


@named_type_errors
def load(path: Path) -> tuple[Trainer, JsonObject]:
    """The trainer as it was saved, and the notes.

    Raises NetworkFileError naming the file: cut, tampered with, or with any value outside what a
    training can reach.
    """
    where = str(path)
    found = read_tensors(path, _MAX_FILE_BYTES, NetworkFileError)
    if "training" not in found.metadata:
        raise NetworkFileError(f"{where}: must be a checkpoint, found no entry 'training'")
    record = Fields(
        parse_json(found.metadata["training"], where, NetworkFileError), where, NetworkFileError
    )
    version = (record.value("format"), record.value("version"))
    if version != (FORMAT, VERSION):
        raise NetworkFileError(
            f"{where}: format and version must be {FORMAT!r} {VERSION}, not {shown(version[0])} "
            f"{shown(version[1])}"
        )
    stated = record.text("sha256")
    actual = _content_hash({k: v for k, v in record.content.items() if k != "sha256"}, found.arrays)
    if stated != actual:
        raise NetworkFileError(
            f"{where}: content must have the SHA-256 {shown(stated)} that the file states, found "
            f"{actual}"
        )
    try:
        trainer = _restore(record, found.arrays)
    except (InputError, NetworkError) as error:
        raise NetworkFileError(f"{where}: {error}") from error
    except NetworkFileError as error:
        text = str(error)
        raise NetworkFileError(text if text.startswith(where) else f"{where}: {text}") from error
    return trainer, record.part("notes").content


def _name(network: Network, part: Part) -> str:
    """Of the tensor that holds the latents of a part."""
    kind = "feedback_latent" if part.feedback else "latent"
    return f"{network.couplings[part.number].name}.{kind}"


def _content_hash(record: Mapping[str, Any], tensors: Tensors) -> str:
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name}:{array.dtype}:{array.shape}:".encode("utf-8", "backslashreplace"))
        digest.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _restore(record: Fields, tensors: Tensors) -> Trainer:
    trainer = Trainer(
        _blueprint(record, tensors), _rule(record.part("rule")), record.integer("seed", 0, _WORD)
    )
    blueprint = trainer.blueprint
    names = [_name(blueprint, part) for part in trainer.parts]
    expected = [*names, *blueprint.structure()]
    if set(tensors) != {*expected, "bias_latent"}:
        raise NetworkFileError(f"tensors must be {', '.join(expected)} and bias_latent")
    for number, part in enumerate(trainer.parts):
        shape = part.coupling.parameters.shape
        latents = _tensor_within(tensors, names[number], np.int16, shape, LATENT_LIMIT)
        if not np.array_equal(latents, part.coupling.mirrored(latents)):
            raise NetworkFileError(
                f"tensor {names[number]!r} must be symmetric with a diagonal of zeros"
            )
        trainer.latents(number)[...] = latents
    bias = trainer.synapses.bias_latent
    bias[...] = _tensor_within(tensors, "bias_latent", np.int32, bias.shape, BIAS_LATENT_LIMIT)
    trainer.epoch = record.integer("epoch", 0, _MAX_EPOCH)
    trainer.random_state = np.uint32(record.integer("random_state", 1, _WORD))
    trainer.program()
    return trainer


def _tensor_within(
    tensors: Tensors, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...], limit: int
) -> npt.NDArray[Any]:
    """A tensor whose values lie in +-limit. Raises NetworkFileError naming it."""
    found = checked_array(tensors, name, dtype, shape, "checkpoint", NetworkFileError)
    low, high = int(found.min(initial=0)), int(found.max(initial=0))
    if low < -limit or high > limit:
        raise NetworkFileError(
            f"tensor {name!r} must lie in +-{limit}, found {low if low < -limit else high}"
        )
    return found


def _rule(fields: Fields) -> Rule:
    """The rule; `Rule` itself checks the ranges."""
    names = ("shift", "bias_shift", "theta", "initial_reach", "shifts", "decay_epochs")
    fields.only((*names, "bias_shifts", "latent_bits", "own_latent_bits"))
    named = {
        name: dict(fields.part(name).content)
        for name in ("bias_shifts", "own_latent_bits")
        if name in fields
    }
    return Rule(
        shift=fields.value("shift"),
        bias_shift=fields.value("bias_shift"),
        theta=fields.value("theta"),
        initial_reach=fields.value("initial_reach"),
        shifts=dict(fields.part("shifts").content),
        latent_bits=fields.value("latent_bits") if "latent_bits" in fields else LATENT_BITS,
        **named,
        decay_epochs=tuple(
            integer(epoch, 0, _MAX_EPOCH, "decay_epochs of the rule", NetworkFileError)
            for epoch in fields.items("decay_epochs")
        ),
    )


def _blueprint(record: Fields, tensors: Tensors) -> Network:
    """The described network with all weights zero."""
    description = record.part("network")
    blank: dict[str, npt.NDArray[Any]] = {}
    for coupling in description.parts("couplings"):
        name = f"{coupling.text('pre')}-{coupling.text('post')}"
        axes = (None,) * kind_of(coupling).axes_in(coupling)
        checked_array(tensors, f"{name}.latent", np.int16, axes, record.where, NetworkFileError)
        blank |= {key: tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}
        shape = blank.pop(f"{name}.latent").shape
        blank[f"{name}.weight"] = np.zeros(shape, np.int8)
        if blank.pop(f"{name}.feedback_latent", None) is not None:
            blank[f"{name}.feedback"] = np.zeros(shape, np.int8)
    blank |= {key: tensor for key, tensor in tensors.items() if key.endswith(".colour")}
    return network_from(description.content, blank)
