"""Where data sets come from: scikit-learn for digits, IDX files for MNIST and its relatives.

CIFAR-10 is read from its own files (`cifar`) and is not downloaded.

IDX sets are looked for in `$TOREQ_HW_DATA/<name>/`, `$TOREQ_HW_DATA` itself, the user's cache
and Debian's /usr/share/datasets/<name>/ (see `finding`), and otherwise downloaded into the cache.
Whatever the source, the SHA-256 of the uncompressed content must be the published one.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw import machine
from toreq_hw.argument_types import named_type_errors
from toreq_hw.data.cifar import load_cifar
from toreq_hw.data.dataset import Dataset, Split
from toreq_hw.data.finding import Files, find_files
from toreq_hw.data.idx import parse_idx, unpack
from toreq_hw.data.own import FORMS as OWN_FORMS
from toreq_hw.data.own import is_own, load_own
from toreq_hw.data.sequences import FORMS, named
from toreq_hw.errors import DataError, InputError
from toreq_hw.files import replacing
from toreq_hw.network import Encoding
from toreq_hw.suggestions import none_of

ENVIRONMENT_VARIABLE = "TOREQ_HW_DATA"


@dataclass(frozen=True)
class IdxSource:
    """A published set of four IDX files: where it can be fetched, and what it must contain."""

    name: str
    address: str
    sha256: dict[str, str]


MNIST = IdxSource(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
)
FASHION_MNIST = IdxSource(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    },
)


@named_type_errors
def load(name: str, encoding: Encoding | None = None) -> Dataset:
    """The data set called `name`, one of `NAMES` or of the form of one of `SEQUENCES` or `OWN`.

    encoding: of the network that is to read own data: its scale and classes hold, where it has any.
    Raises DataError for an unknown name, and for features that the encoding does not have. Where
    files are absent and cannot be downloaded, it says where to put them.
    """
    found = loader(name, encoding)()
    width = max(len(encoding.low), len(encoding.columns)) if encoding else 1
    if width not in (1, found.pixels):
        raise DataError(
            f"{name}: must have {width} features as the network's training samples, found "
            f"{found.pixels}; name data like them (--data)"
        )
    return found


def load_training(name: str) -> Dataset:
    """The training images of the data set called `name`; no test image is in it.

    Test images that lie in files of their own are not read. Raises DataError as `load` does.
    """
    source = {one.name: one for one in (MNIST, FASHION_MNIST)}.get(name)
    found = load_idx(source, tests=False) if source else load(name)
    return replace(found, test=found.train.take(slice(0, 0)))


def loader(name: str, encoding: Encoding | None = None) -> Callable[[], Dataset]:
    """What loads the data set called `name`. Raises DataError for an unknown name."""
    try:
        found = (named(name) or _LOADERS.get(name)) if isinstance(name, str) else None
    except InputError as error:
        raise DataError(f"data {error}") from error
    if found is None and isinstance(name, str) and is_own(name):
        return lambda: load_own(name, encoding)
    if found is None:
        raise DataError(none_of("data", name, (*NAMES, *SEQUENCES, *OWN)))
    return found


def load_digits() -> Dataset:
    """Scikit-learn's digits: 1,797 real 8 x 8 images; every fifth one (index 4, 9, ..) tests."""
    from sklearn.datasets import load_digits as read  # takes a second to import

    bunch = read()
    images = bunch.data.astype(np.uint8)
    labels = bunch.target.astype(np.int64)
    tests = np.arange(len(labels)) % 5 == 4
    return Dataset(
        name="digits",
        shape=(8, 8),
        pixel_max=16,
        classes=10,
        split="1,438 training and 359 test images; image i is a test image where i mod 5 = 4",
        train=Split(images[~tests], labels[~tests]),
        test=Split(images[tests], labels[tests]),
    )


def load_idx(source: IdxSource, *, tests: bool = True) -> Dataset:
    """An IDX set with its published split of 60,000 training and 10,000 test images.

    tests: False leaves the test images unread; the training images stand in their place.
    """
    files = find(source) or download(source)

    def arrays(part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        images, labels = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        return (
            _read_checked(files[images], source, images),
            _read_checked(files[labels], source, labels),
        )

    train = arrays("train")
    test = arrays("t10k") if tests else train
    return Dataset(
        name=source.name,
        shape=(train[0].shape[1], train[0].shape[2]),
        pixel_max=255,
        classes=10,
        split="the published 60,000 training and 10,000 test images",
        train=_split(*train),
        test=_split(*test),
    )


def search_folders(name: str) -> list[Path]:
    """Where a set is looked for, in this order."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    folders = [Path(named) / name, Path(named)] if named else []
    return [*folders, cache_folder(name), Path("/usr/share/datasets") / name]


def cache_folder(name: str) -> Path:
    """Where downloads of a set are kept."""
    return machine.cache_folder() / name


def find(source: IdxSource) -> Files | None:
    """The files of a set from the first folder that holds them all; None if none does."""
    labels = "t10k-labels-idx1-ubyte"  # the smallest

    def is_set(files: Files) -> bool:
        return hashlib.sha256(unpack(files[labels])).hexdigest() == source.sha256[labels]

    return find_files(source.name, source.sha256, search_folders(source.name), is_set)


def download(source: IdxSource) -> Files:
    """Fetches all files into the cache, each checked before it takes its name; stem -> file.

    Raises DataError where that fails, saying where to put the files by hand.
    """
    import pooch  # only where something is downloaded

    folder = cache_folder(source.name)
    for stem, expected in source.sha256.items():
        target = folder / f"{stem}.gz"
        if target.is_file():
            continue
        url = f"{source.address}{stem}.gz"
        fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=20)
        with replacing(target) as temporary:
            try:
                fetch(url, temporary, None)
            except (OSError, ValueError) as error:  # requests' errors are OSErrors
                places = ", ".join(str(f) for f in search_folders(source.name))
                raise DataError(
                    f"{source.name}: must be downloadable from {url}, found: "
                    f"{type(error).__name__}; put its four IDX files into one of {places}"
                ) from error
            _check(unpack(temporary), expected, url)
    return {stem: folder / f"{stem}.gz" for stem in source.sha256}


def _read_checked(path: Path, source: IdxSource, stem: str) -> npt.NDArray[np.uint8]:
    content = unpack(path)
    array = parse_idx(content, str(path))
    _check(content, source.sha256[stem], str(path))
    return array


def _check(content: bytes, expected: str, what: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{what}: content must have SHA-256 {expected}, found {found}")


def _split(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> Split:
    return Split(images.reshape(len(images), -1), labels.astype(np.int64))


_LOADERS: dict[str, Callable[[], Dataset]] = {
    "digits": load_digits,
    "mnist": lambda: load_idx(MNIST),
    "fashion-mnist": lambda: load_idx(FASHION_MNIST),
    "cifar-10": lambda: load_cifar(search_folders("cifar-10")),
}
NAMES = tuple(_LOADERS)
"""Sets of images, which every command takes."""

OWN = OWN_FORMS
"""Forms of data from outside of this package (`toreq_hw.data.own`)."""

SEQUENCES = FORMS
"""Tasks on sequences (`toreq_hw.data.sequences`) of any length N, for networks with positions."""
