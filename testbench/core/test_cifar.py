"""CIFAR-10 from its binary files: layout, channels last, refusals, the real files if at hand."""

from pathlib import Path

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.data import cifar
from toreq_hw.errors import DataError
from toreq_hw.sim.learning.augmentation import shift_images

FEW = 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six files of four records: a label, then 1,024 red, 1,024 green, 1,024 blue bytes."""
    monkeypatch.setattr(cifar, "RECORDS", FEW)
    place = tmp_path / cifar.FOLDER
    place.mkdir()
    rng = np.random.default_rng(1)
    for name in (*cifar.TRAIN, cifar.TEST):
        pixels = rng.integers(0, 256, (FEW, cifar.RECORD_BYTES - 1), dtype=np.uint8)
        labels = rng.integers(0, 10, (FEW, 1), dtype=np.uint8)
        (place / name).write_bytes(np.concatenate([labels, pixels], axis=1).tobytes())
    return tmp_path


def test_channels_come_last_and_labels_first(folder: Path) -> None:
    found = cifar.load_cifar([folder / "nothing", folder])
    assert (found.shape, found.channels, found.pixels) == ((32, 32), 3, 3072)
    assert (len(found.train), len(found.test)) == (5 * FEW, FEW)
    content = (folder / cifar.FOLDER / "data_batch_2.bin").read_bytes()
    second = content[cifar.RECORD_BYTES : 2 * cifar.RECORD_BYTES]
    index = FEW + 1
    assert found.train.labels[index] == second[0]
    red, green, blue = (second[1 + 1024 * k + 32 * 5 + 7] for k in range(3))
    image = found.train.images[index].reshape(32, 32, 3)
    assert image[5, 7].tolist() == [red, green, blue]
    assert cifar.load_cifar([folder / cifar.FOLDER]).sha256 == found.sha256
    assert "JPEG" not in found.split


def test_what_is_not_the_layout_is_refused(folder: Path) -> None:
    path = folder / cifar.FOLDER / "data_batch_3.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"data_batch_3.bin: must have 12292 bytes, found 12291"):
        cifar.load_cifar([folder])
    path.write_bytes(b"\x0a" + whole[1:])
    with pytest.raises(DataError, match=r"labels must be below 10, found 10"):
        cifar.load_cifar([folder])
    path.unlink()
    with pytest.raises(DataError, match=r"^cifar-10: data_batch_1.bin, .* must lie in one of"):
        cifar.load_cifar([folder])


def test_the_hash_knows_channels(folder: Path) -> None:
    from dataclasses import replace

    found = cifar.load_cifar([folder])
    gray = replace(found, shape=(32, 96), channels=1)
    assert gray.sha256 != found.sha256
    assert gray.pixels == found.pixels


def test_channels_of_a_pixel_move_together() -> None:
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (40, 5 * 4 * 3)).astype(np.int16)
    moved = shift_images(images, (5, 4), 1, seed=3, epoch=1).reshape(-1, 5, 4, 3)
    for channel in range(3):
        alone = np.ascontiguousarray(images.reshape(-1, 5, 4, 3)[..., channel]).reshape(40, -1)
        expected = shift_images(alone, (5, 4), 1, seed=3, epoch=1)
        assert np.array_equal(moved[..., channel].reshape(40, -1), expected)


def test_the_real_files() -> None:
    try:
        found = data.load("cifar-10")
    except DataError as error:
        pytest.skip(f"CIFAR-10 is not here: {error}")
    assert (len(found.train), len(found.test)) == (50_000, 10_000)
    assert np.bincount(found.test.labels).tolist() == [1000] * 10
