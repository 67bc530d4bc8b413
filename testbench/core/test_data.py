"""Data sets: the stated split, checked content, honest errors; pixels to states by hand."""

import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.data import sources
from toreq_hw.data.sources import ENVIRONMENT_VARIABLE, IdxSource, load_idx
from toreq_hw.errors import DataError
from toreq_hw.network import Population, Role

INPUT = Population("input", 4, Role.INPUT, 8)


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


CONTENT = {
    "train-images-idx3-ubyte": idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2)),
    "train-labels-idx1-ubyte": idx(np.array([0, 1, 2], np.uint8)),
    "t10k-images-idx3-ubyte": idx(np.full((1, 2, 2), 255, np.uint8)),
    "t10k-labels-idx1-ubyte": idx(np.array([7], np.uint8)),
}
SOURCE = IdxSource(
    "tiny",
    "http://127.0.0.1:9/",
    {stem: hashlib.sha256(content).hexdigest() for stem, content in CONTENT.items()},
)


@pytest.fixture
def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data set anywhere: a cache in an empty folder, no TOREQ_HW_DATA."""
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(sources, "cache_folder", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "tiny"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All four files where TOREQ_HW_DATA says, half of them gzipped."""
    place = tmp_path / "tiny"
    place.mkdir()
    for index, (stem, content) in enumerate(CONTENT.items()):
        if index % 2:
            (place / stem).write_bytes(content)
        else:
            (place / f"{stem}.gz").write_bytes(gzip.compress(content))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    return place


def test_digits_are_split_as_stated() -> None:
    digits = data.load("digits")
    assert (len(digits.train), len(digits.test)) == (1438, 359)
    assert digits.train.images.shape == (1438, 64)
    assert digits.test.images.max() == digits.pixel_max
    every = {image.tobytes() for image in digits.train.images}
    assert not every & {image.tobytes() for image in digits.test.images}


def test_each_class_gives_its_share_of_what_is_held_out() -> None:
    images = np.arange(100, dtype=np.uint8)[:, None]
    labels = np.arange(100) % 10  # in turn, so that every tenth image is of one class
    split = data.Split(images, labels)
    whole = data.Dataset("turns", (1, 1), 255, 10, "", train=split, test=split)
    held = whole.holding_out(10)
    assert sorted(held.test.labels.tolist()) == list(range(10))
    assert np.bincount(held.train.labels).tolist() == [9] * 10
    both = np.concatenate([held.train.images, held.test.images])
    assert sorted(both.ravel().tolist()) == list(range(100))


def test_the_first_training_images_are_said_in_the_split() -> None:
    digits = data.load("digits")
    few = digits.first(100)
    assert np.array_equal(few.train.images, digits.train.images[:100])
    assert np.array_equal(few.test.images, digits.test.images)
    assert few.split.endswith("of the training images the first 100")
    assert digits.first(len(digits.train)) is digits


def test_holding_out_leaves_the_test_set_alone() -> None:
    digits = data.load("digits")
    held = digits.holding_out(100)
    assert (len(held.train), len(held.test)) == (1338, 100)
    tests = {image.tobytes() for image in digits.test.images}
    assert not tests & {image.tobytes() for image in held.test.images}
    with pytest.raises(DataError, match=r"held-out images must number 1\.\.1437, not 1438"):
        digits.holding_out(1438)


def test_an_idx_shape_that_no_array_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "z-idx5-ubyte"
    path.write_bytes(bytes([0, 0, 8, 5]) + bytes(4) + bytes([128, 0, 0, 0]) * 4)
    with pytest.raises(DataError, match="must have a shape that NumPy holds, found 5 dimensions"):
        data.read_idx(path)


def test_idx_set_from_the_named_folder(folder: Path) -> None:
    tiny = load_idx(SOURCE)
    assert folder.is_dir()
    assert tiny.train.images.tolist() == np.arange(12).reshape(3, 4).tolist()
    assert tiny.test.labels.tolist() == [7]
    assert tiny.shape == (2, 2)


LAYOUTS = {
    "as published": ("tiny", "{stem}.gz"),
    "unpacked": ("tiny", "{stem}"),
    "a dot for a hyphen": ("tiny", "{dotted}"),
    "a dot for a hyphen, gzipped": ("tiny", "{dotted}.gz"),
    "as torchvision": ("Tiny/raw", "{stem}"),
    "a folder a file": ("TINY", "{dotted}/{dotted}"),
    "the variable names the set's folder": (".", "{stem}.gz"),
    "the variable names torchvision's folder": ("raw", "{stem}"),
}


@pytest.mark.parametrize("what", LAYOUTS)
def test_files_are_found_under_their_usual_names(
    what: str, tmp_path: Path, empty_places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name = LAYOUTS[what]
    for stem, content in CONTENT.items():
        called = name.format(stem=stem, dotted=stem.replace("-idx", ".idx"))
        path = tmp_path / "named" / place / called
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "named"))
    assert load_idx(SOURCE).test.labels.tolist() == [7]
    assert not empty_places.exists()


@pytest.mark.usefixtures("empty_places")
def test_the_named_folder_may_hold_another_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(folder))
    other = replace(SOURCE, name="other", sha256={**SOURCE.sha256, "t10k-labels-idx1-ubyte": "0"})
    assert sources.find(replace(SOURCE, name="other")) is not None
    assert sources.find(other) is None
    with pytest.raises(DataError, match="other: must be downloadable"):
        load_idx(other)


def test_truncated_file_is_named(folder: Path) -> None:
    path = folder / "train-labels-idx1-ubyte"
    path.write_bytes(CONTENT[path.name][:-1])
    with pytest.raises(DataError) as caught:
        load_idx(SOURCE)
    assert str(caught.value) == (
        f"{path}: must hold 3 bytes after its header for shape (3,), found 2"
    )


def test_truncated_gzip_is_named(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="must be a whole gzip file"):
        load_idx(SOURCE)


def test_what_a_gzip_unpacks_to_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data.idx, "MAX_BYTES", 1 << 20)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(bytes(1 << 25)))
    with pytest.raises(DataError, match="gz: must unpack to at most 1048576 bytes, found more"):
        load_idx(SOURCE)


def test_an_array_of_very_many_dimensions_is_refused(folder: Path) -> None:
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(bytes([0, 0, 8, 100]) + bytes([0, 0, 0, 1]) * 100 + b"7")
    with pytest.raises(DataError, match="must have at most 8 dimensions, not 100"):
        load_idx(SOURCE)


def test_other_content_is_refused(folder: Path) -> None:
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(np.array([8], np.uint8)))
    with pytest.raises(DataError, match="content must have SHA-256"):
        load_idx(SOURCE)


@pytest.mark.parametrize("content", [b"", b"\0\0\x0d\1", b"PK\3\4 not idx"])
def test_other_formats_are_refused(folder: Path, content: bytes) -> None:
    (folder / "t10k-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(DataError, match="must be an IDX file of bytes"):
        load_idx(SOURCE)


def test_offline_says_where_to_put_the_files(empty_places: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_idx(SOURCE)
    message = str(caught.value)
    assert (
        "tiny: must be downloadable from http://127.0.0.1:9/train-images-idx3-ubyte.gz" in message
    )
    assert f"put its four IDX files into one of {empty_places}, /usr/share/datasets/tiny" in message
    assert "\n" not in message
    assert not empty_places.exists(), "a download that failed leaves no folder"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IdxSource]:
    """The set behind a web server on this machine."""
    place = tmp_path / "served"
    place.mkdir()
    for stem, content in CONTENT.items():
        (place / f"{stem}.gz").write_bytes(gzip.compress(content))
    handler = functools.partial(Quiet, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield replace(SOURCE, address=f"http://127.0.0.1:{web.server_address[1]}/")
        web.shutdown()
        thread.join()


def test_download_is_checked_and_kept(server: IdxSource, empty_places: Path) -> None:
    assert load_idx(server).test.labels.tolist() == [7]
    assert len(list(empty_places.iterdir())) == 4
    assert load_idx(SOURCE).test.labels.tolist() == [7]  # from the cache, no server asked


def test_wrong_download_is_not_kept(server: IdxSource, empty_places: Path) -> None:
    wrong = replace(server, sha256={**server.sha256, "t10k-labels-idx1-ubyte": "0" * 64})
    with pytest.raises(DataError, match="content must have SHA-256 0000"):
        load_idx(wrong)
    kept = {path.name for path in empty_places.iterdir()}
    assert kept == {f"{stem}.gz" for stem in CONTENT if stem != "t10k-labels-idx1-ubyte"}


def test_unknown_name() -> None:
    with pytest.raises(DataError) as caught:
        data.load("cifar")
    known = "digits, mnist, fashion-mnist, cifar-10, reversal-N, copy-N, sums-N, recall-N"
    known += ", FILE.csv, FILE.npz, FOLDER_OF_IMAGES, package.module:function"
    assert str(caught.value).startswith(f"data must be one of {known}, not 'cifar'")
    with pytest.raises(DataError, match=r"^data must be reversal-N with N in 4..64, found 'reve"):
        data.load("reversal-100")
