"""Checkpoints: the whole state of a training, so that resuming gives the same bits.

A `.safetensors` file (no code runs on load): latents per coupling, bias latents per
population, and one metadata entry `training` with everything else as JSON.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.files import replacing
from toreq_hw.network import Network
from toreq_hw.network.file import network_from
from toreq_hw.sim.learning import Rule, Trainer

FORMAT = "toreq-hw checkpoint"
VERSION = 1


def save(trainer: Trainer, path: Path, notes: dict[str, Any]) -> None:
    """Writes the trainer's state in one step. notes: JSON values handed back by `load`."""
    blueprint = trainer.blueprint
    record = {
        "format": FORMAT,
        "version": VERSION,
        "network": blueprint.describe(),
        "rule": asdict(trainer.rule),
        "seed": trainer.seed,
        "epoch": trainer.epoch,
        "random_state": int(trainer.random_state),
        "notes": notes,
    }
    tensors: dict[str, npt.NDArray[Any]] = {
        f"{c.name}.latent": np.ascontiguousarray(trainer.latents(k))
        for k, c in enumerate(blueprint.couplings)
    }
    tensors["bias_latent"] = trainer.synapses.bias_latent
    with replacing(path) as temporary:
        temporary.write_bytes(to_safetensors(tensors, metadata={"training": json.dumps(record)}))


def load(path: Path) -> tuple[Trainer, dict[str, Any]]:
    """The trainer as it was saved, and the notes. Raises NetworkFileError naming the file."""
    try:
        with safe_open(path, framework="numpy") as file:
            record = json.loads((file.metadata() or {})["training"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if record["format"] != FORMAT or record["version"] != VERSION:
            raise NetworkFileError(
                f"format and version must be {FORMAT!r} {VERSION}, not {record['format']!r:.60} "
                f"{record['version']!r:.20}"
            )
        trainer = _restored(record, tensors)
        notes = dict(record["notes"])
    except OSError as error:
        reason = error.strerror or error
        raise NetworkFileError(f"{path}: must be readable, found: {reason}") from error
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkFileError(f"{path}: must be a whole checkpoint, found: {error}") from error
    except (InputError, NetworkError, NetworkFileError) as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return trainer, notes


def _restored(record: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Trainer:
    trainer = Trainer(
        _blueprint(record["network"], tensors), Rule(**record["rule"]), record["seed"]
    )
    expected = {f"{c.name}.latent": k for k, c in enumerate(trainer.blueprint.couplings)}
    if set(tensors) != {*expected, "bias_latent"}:
        raise NetworkFileError(f"tensors must be {', '.join(expected)} and bias_latent")
    targets: dict[str, npt.NDArray[Any]] = {
        name: trainer.latents(k) for name, k in expected.items()
    }
    targets["bias_latent"] = trainer.synapses.bias_latent
    for name, target in targets.items():
        if tensors[name].shape != target.shape or tensors[name].dtype != target.dtype:
            raise NetworkFileError(
                f"tensor {name!r} must be {target.dtype} of shape {target.shape}, not "
                f"{tensors[name].dtype} {tensors[name].shape}"
            )
        target[...] = tensors[name]
    trainer.epoch = int(record["epoch"])
    trainer.random_state = np.uint32(record["random_state"])
    trainer.program()
    return trainer


def _blueprint(description: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Network:
    """The described network with all weights zero."""
    names = [f"{c['pre']}-{c['post']}" for c in description["couplings"]]
    blank = {f"{n}.weight": np.zeros(tensors[f"{n}.latent"].shape, np.int8) for n in names}
    return network_from(description, blank)
