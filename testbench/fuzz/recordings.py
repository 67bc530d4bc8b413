"""Recordings of phases: archives of arrays that are changed inside, and packed again."""

import io
import zipfile
from pathlib import Path
from random import Random

import numpy as np

from testbench.fuzz.mutations import mutated
from testbench.fuzz.reader import Reader
from testbench.fuzz.trees import mutated_json
from testbench.observatory.cases import random_recording
from toreq_hw.network import Schedule
from toreq_hw.observatory import film, recording_file

_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_SHAPES = (b"(1000000000000,)", b"(-1,)", b"(99999999999999999999,)", b"(2, 3)", b"()", b"(1e3,)")
_DTYPES = ("u1", "i2", "i4", "i8", "u8", "f8", "c16", "?", "U3", "S2", "M8[s]")


def seeds(folder: Path) -> list[bytes]:
    """Random networks' phases, of every schedule."""
    found = []
    for number, schedule in enumerate(Schedule):
        _, one = random_recording(number, schedule)
        recording_file.save(one, folder / "seed")
        found.append((folder / "seed").read_bytes())
    return found


def in_archive(rng: Random, content: bytes) -> bytes:
    """One array with other values, another shape or dtype, or none; one header that lies."""
    with np.load(io.BytesIO(content)) as found:
        arrays = {name: found[name] for name in found.files}
    if rng.random() < 0.5:
        text = mutated_json(rng, arrays["about"].tobytes()).encode()
        arrays["about"] = np.frombuffer(text, dtype=np.uint8)
    else:
        name = rng.choice(sorted(arrays))
        changed = _changed(rng, arrays.pop(name))
        arrays |= {} if changed is None else {name: changed}
    packed = io.BytesIO()
    liar = rng.choice(sorted(arrays)) if rng.random() < 0.2 else None
    with zipfile.ZipFile(packed, "w", rng.choice(_PACKINGS)) as archive:
        for name, values in arrays.items():
            one = io.BytesIO()
            np.save(one, values)
            inside = one.getvalue()
            archive.writestr(f"{name}.npy", _lying(rng, inside) if name == liar else inside)
    return packed.getvalue()


def _changed(rng: Random, values: np.ndarray) -> np.ndarray | None:
    kind, values = rng.randrange(6), values.copy()
    if kind == 0:
        return None
    if kind == 1:
        with np.errstate(all="ignore"):
            return np.zeros(values.shape, rng.choice(_DTYPES))
    if kind == 2:
        one = values.size and rng.random() < 0.5
        return values.ravel()[:1].reshape(()) if one else values[None]
    if kind == 3:
        return values[: rng.randrange(len(values) + 1)]
    if kind == 4:
        return np.concatenate([values, values])
    if values.size:
        limits = np.iinfo(values.dtype)
        choices = (limits.min, limits.max, 0, 1, -1 if limits.min else 7)
        values.flat[rng.randrange(values.size)] = rng.choice(choices)
    return values


def _lying(rng: Random, inside: bytes) -> bytes:
    """An array whose header says another shape, or holds other bytes."""
    start = inside.find(b"'shape': ") + len(b"'shape': ")
    stop = inside.find(b", }", start)
    if rng.random() < 0.5:
        return mutated(rng, inside, [inside])
    shape = rng.choice(_SHAPES)
    return inside[:start] + shape + inside[stop:]


def read(path: Path) -> None:
    """Reads a recording, and makes the first frame of its film."""
    next(film.gif_frames(recording_file.load(path)), None)


RECORDING = Reader("recording", 40, seeds, read, in_archive, ".npz")
