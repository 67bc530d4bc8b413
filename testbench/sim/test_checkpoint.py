"""Checkpoints: the same bits after resuming, and one line for all that no training can leave."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from toreq_hw.errors import NetworkFileError
from toreq_hw.network import Schedule, WeightFormat, layered
from toreq_hw.sim.learning import Rule, Trainer, checkpoint

LOOP = layered(
    (6, 4, 3), WeightFormat.INT8, (3, 3), loop_fraction_bits=3, schedule=Schedule.SEQUENTIAL
)
Record = dict[str, Any]
Tensors = dict[str, np.ndarray]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    checkpoint.save(Trainer(LOOP, Rule(decay_epochs=(2,)), 1), tmp_path / "c", {"note": [1]})
    return tmp_path / "c"


def _content(path: Path) -> tuple[Record, Tensors]:
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()["training"]), tensors


def change(path: Path, edit: Callable[[Record, Tensors], None], *, sealed: bool = True) -> None:
    """Rewrites a checkpoint; sealed: with the hash of its new content, as a careful forger does."""
    record, tensors = _content(path)
    edit(record, tensors)
    if sealed:
        stated = {name: value for name, value in record.items() if name != "sha256"}
        record["sha256"] = checkpoint._content_hash(stated, tensors)
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(tensors, path, {"training": json.dumps(record)})


def test_a_sealed_checkpoint_is_read(path: Path) -> None:
    trainer, notes = checkpoint.load(path)
    assert notes == {"note": [1]}
    assert trainer.rule == Rule(decay_epochs=(2,))
    change(path, lambda record, _: record.update(epoch=3))
    assert checkpoint.load(path)[0].epoch == 3


def _latent(value: int, *places: tuple[int, int]) -> Callable[[Record, Tensors], None]:
    def edit(_: Record, tensors: Tensors) -> None:
        for place in places:
            tensors["hidden-hidden.latent"][place] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda r, _: r.update(random_state=0), "random_state must be a whole number in 1.."),
        (lambda r, _: r.update(random_state=1 << 32), "random_state must be a whole number in"),
        (lambda r, _: r.update(random_state=1.0), "random_state must be a whole number in"),
        (lambda r, _: r.update(epoch=-1), "epoch must be a whole number in 0.."),
        (lambda r, _: r.update(epoch=True), "epoch must be a whole number in 0.."),
        (lambda r, _: r.update(epoch=10**30), "epoch must be a whole number in 0.."),
        (lambda r, _: r.update(seed=-1), "seed must be a whole number in 0.."),
        (lambda r, _: r.update(notes=[]), "field notes must be an object"),
        (lambda r, _: r.pop("notes"), "field notes must be there"),
        (lambda r, _: r.update(rule=3), "field rule must be an object"),
        (lambda r, _: r["rule"].update(theta=0), "theta must be an integer in 1..32767"),
        (lambda r, _: r["rule"].update(extra=0), "fields must be shift"),
        (lambda r, _: r["rule"].update(decay_epochs=["1"]), "decay_epochs of the rule must be"),
        (lambda r, _: r["rule"].update(shifts={"hidden-output": 99}), "shift of coupling"),
        (lambda r, _: r["network"].update(couplings=[]), "must"),
        (lambda r, _: r["network"]["couplings"][0].update(pre=5), "must be text"),
        (_latent(-32768, (0, 1), (1, 0)), "must lie in \\+-32767, found -32768"),
        (_latent(5, (1, 1)), "must be symmetric with a diagonal of zeros"),
        (_latent(77, (0, 1)), "must be symmetric with a diagonal of zeros"),
        (lambda _, t: t["bias_latent"].__setitem__(0, 1 << 26), "must lie in \\+-67108863"),
        (lambda _, t: t.pop("bias_latent"), "tensors must be"),
        (lambda _, t: t.update(more=np.zeros(1, np.int8)), "tensors must be"),
        (lambda _, t: t.update(bias_latent=np.zeros(7, np.int64)), "must be int32 of shape"),
        (
            lambda _, t: t.update({"input-hidden.latent": np.zeros((6, 5), np.int16)}),
            "must",
        ),
    ],
)
def test_values_that_no_training_leaves_are_refused(
    path: Path, edit: Callable[[Record, Tensors], None], message: str
) -> None:
    change(path, edit)
    with pytest.raises(NetworkFileError, match=message) as caught:
        checkpoint.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).count(str(path)) == 1
    assert "\n" not in str(caught.value)


def test_any_change_of_the_content_is_noticed(path: Path) -> None:
    change(path, _latent(5, (0, 1), (1, 0)), sealed=False)
    with pytest.raises(NetworkFileError, match="content must have the SHA-256"):
        checkpoint.load(path)


def test_a_cut_checkpoint_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in (0, 9, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(NetworkFileError, match="must be a whole safetensors file"):
            checkpoint.load(path)


def test_every_flipped_byte_is_one_line(path: Path) -> None:
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
        with pytest.raises(NetworkFileError) as caught:
            checkpoint.load(path)
        assert "\n" not in str(caught.value), place
