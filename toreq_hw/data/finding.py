"""Finding the four files of an IDX set, under the names that archives and tools give them.

MNIST's own files are `train-images-idx3-ubyte.gz` and so on. Unpacked by other tools they are
called `train-images.idx3-ubyte`, or lie in `MNIST/raw`, or each in a folder of its own name.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from toreq_hw.errors import DataError

Files = dict[str, Path]
"""Published name of a file -> where it lies."""


def find_files(
    name: str, stems: Iterable[str], folders: Iterable[Path], is_set: Callable[[Files], bool]
) -> Files | None:
    """All files of a set from the first folder that has them; None where none has.

    folders: the set's own, or ones that hold sets. A folder that is not called as the set is
    counts only where `is_set` knows its files, so that another set's files are passed over.
    Raises DataError for a folder that cannot be read.
    """
    stems = tuple(stems)
    for folder in folders:
        for place in _places(folder, name):
            files = {stem: path for stem in stems if (path := _file(place, stem)) is not None}
            if len(files) == len(stems) and (_has_name(place, name) or is_set(files)):
                return files
    return None


def _places(folder: Path, name: str) -> list[Path]:
    """A folder, those in it that are called as the set, and torchvision's `raw` in each."""
    sets = [entry for entry in _entries(folder) if _letters(entry.name) == _letters(name)]
    return [place for each in (folder, *sets) for place in (each, each / "raw")]


def _has_name(place: Path, name: str) -> bool:
    named = place.parent if place.name == "raw" else place
    return _letters(named.name) == _letters(name)


def _file(folder: Path, stem: str) -> Path | None:
    """The file of one part, or the one in a folder that is called as it is; the first by name."""
    for entry in _entries(folder):
        if _published_name(entry.name) != stem:
            continue
        if entry.is_file():
            return entry
        inner = [path for path in _entries(entry) if _published_name(path.name) == stem]
        if inner and inner[0].is_file():
            return inner[0]
    return None


def _published_name(name: str) -> str:
    """`train-images-idx3-ubyte` for every usual name of it."""
    return name.lower().removesuffix(".gz").replace(".", "-").replace("_", "-")


def _letters(name: str) -> str:
    """`fashionmnist` for Fashion-MNIST, FashionMNIST and fashion_mnist."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where there is none."""
    try:
        return sorted(Path(folder, name) for name in os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: must be readable, found: {error.strerror}") from error
