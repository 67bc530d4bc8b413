"""What a data set is here, and how its images become input states."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import Shape, dtype_of, reals, whole_numbers
from toreq_hw.errors import DataError, InputError
from toreq_hw.network import MAX_NEURONS, STATE_DTYPE, Encoding, Network, Population

MAX_PIXEL = (1 << 31) - 1
"""Largest value of white; keeps the encoding far inside int64."""


@named_type_errors
@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes.

    images: uint8, shape (samples, pixels), 0..`Dataset.pixel_max`. labels: int64 (samples,), any
    integers on construction; (samples, rows) where a sample has several. Raises InputError for
    other kinds of number, or other shapes.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        images = whole_numbers("images", self.images, ("samples", "pixels"), 0, 255)
        several = ("rows",) if np.ndim(self.labels) > 1 else ()
        labels = whole_numbers("labels", self.labels, (len(images), *several), 0, MAX_NEURONS)
        object.__setattr__(self, "images", images.astype(np.uint8, copy=False))
        object.__setattr__(self, "labels", labels.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: slice | npt.NDArray[np.bool_]) -> "Split":
        """Some of the samples: a slice of them, or those marked in a bool array (samples,)."""
        return Split(self.images[which], self.labels[which])


@named_type_errors
@dataclass(frozen=True, eq=False)
class Dataset:
    """A named set with the split that every figure in this project refers to.

    shape: of one image, rows by columns. channels: values of a pixel, which lie side by side.
    pixel_max: white, 1..255. split: one sentence that says which images are which. encoding: how
    features became pixels, of own data. source: what `load` takes; the name unless another is said.
    Raises InputError for images or labels that do not fit this.
    """

    name: str
    shape: tuple[int, int]
    pixel_max: int
    classes: int
    split: str
    train: Split
    test: Split
    channels: int = 1
    encoding: Encoding | None = None
    source: str = ""

    @cached_property
    def sha256(self) -> str:
        """Of all that a result can depend on, hexadecimal: pixels, labels, shape, white, split."""
        facts = (self.name, self.shape, self.pixel_max, self.classes, self.split)
        more = () if self.channels == 1 else (self.channels,)
        digest = hashlib.sha256(repr((*facts, *more)).encode())
        for part in (self.train, self.test):
            for array in (part.images, part.labels):
                digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def __post_init__(self) -> None:
        if not self.source:
            object.__setattr__(self, "source", self.name)
        if type(self.pixel_max) is not int or not 1 <= self.pixel_max <= 255:
            raise InputError(f"pixel_max must be an integer in 1..255, not {self.pixel_max!r:.40}")
        most = self.classes - 1
        for name, part in (("training", self.train), ("test", self.test)):
            shape = ("samples", self.pixels)
            whole_numbers(f"{name} images of {self.name}", part.images, shape, 0, self.pixel_max)
            what = f"{name} labels of {self.name}"
            whole_numbers(what, part.labels, ("samples", *part.labels.shape[1:]), 0, most)
        if self.train.labels.shape[1:] != self.test.labels.shape[1:]:
            raise InputError(
                f"test labels of {self.name}: must have as many rows as those of training"
            )

    @property
    def rows(self) -> int:
        """Labels of a sample."""
        labels = self.train.labels
        return 1 if labels.ndim == 1 else labels.shape[1]

    @property
    def outputs(self) -> int:
        """Neurons of an output that names the classes: one a class and label."""
        return self.classes * self.rows

    def encoding_of(self, population: Population) -> Encoding | None:
        """The encoding for this input: centred only where its states are signed."""
        if self.encoding is None or population.signed:
            return self.encoding
        return replace(self.encoding, centred=False)

    @property
    def holds_images(self) -> bool:
        """Whether neighbouring inputs are neighbours in a picture, which can be moved about."""
        return self.encoding is None or self.shape[0] > 1

    @property
    def pixels(self) -> int:
        """Values per image."""
        return self.shape[0] * self.shape[1] * self.channels

    def first(self, count: int) -> "Dataset":
        """With only the first `count` training images; all of it where it has no more."""
        if len(self.train) <= count:
            return self
        split = f"{self.split}; of the training images the first {count:,}"
        return replace(self, train=self.train.take(slice(0, count)), split=split)

    def holding_out(self, count: int) -> "Dataset":
        """`count` training images in place of the test set, to choose settings by.

        They are evenly spaced in the order of classes, so that each class gives its share however
        the classes alternate; of several labels, by the first.
        Raises DataError unless 0 < count < the number of training images.
        """
        total = len(self.train)
        if not 0 < count < total:
            raise DataError(f"held-out images must number 1..{total - 1}, not {count}")
        index = np.arange(total)
        chosen = (index + 1) * count // total > index * count // total
        first = self.train.labels.reshape(total, -1)[:, 0]
        held = np.zeros(total, dtype=np.bool_)
        held[np.argsort(first, kind="stable")[chosen]] = True
        split = f"validation on {count} training images, of each class its share, no test image"
        return replace(self, split=split, train=self.train.take(~held), test=self.train.take(held))


@named_type_errors
def input_states(network: Network, images: npt.ArrayLike, pixel_max: int) -> npt.NDArray[np.int16]:
    """Input states of images (samples, pixels) as `network` takes them, int16, same shape.

    As `encode`, or where its encoding is centred by the rule of those. Raises InputError.
    """
    if network.encoding is None or not network.encoding.centred:
        return encode(images, pixel_max, network.input)
    what = f"images for population {network.input.name!r}"
    shape = ("samples", network.input.size)
    pixels = whole_numbers(what, images, shape, 0, pixel_max).astype(np.int64)
    twice = 2 * (2 * pixels - pixel_max) * network.input.state_max + pixel_max
    return (twice // (2 * pixel_max)).astype(STATE_DTYPE)


@named_type_errors
def encode(images: npt.ArrayLike, pixel_max: int, population: Population) -> npt.NDArray[np.int16]:
    """Input states of images (samples, pixels), by docs/numerics.md, section 2.

    Integers are pixels 0..pixel_max: a state is round(pixel * s_max / pixel_max), halves up, in
    integers. Floats are fractions 0..1 of white, whatever pixel_max is: round(fraction * s_max),
    halves up, in float64. Returns int16, same shape; black is 0, white is s_max, so the negative
    half of a signed input stays unused. Raises InputError for anything else, a value out of
    range included.
    """
    if type(pixel_max) is not int or not 1 <= pixel_max <= MAX_PIXEL:
        raise InputError(f"pixel_max must be an integer in 1..{MAX_PIXEL}, not {pixel_max!r:.40}")
    what = f"images for population {population.name!r}"
    shape = ("samples", population.size)
    if np.issubdtype(dtype_of(what, images), np.floating):
        real = _fractions(what, images, shape, pixel_max)
        return np.floor(real * population.state_max + 0.5).astype(STATE_DTYPE)
    pixels = whole_numbers(what, images, shape, 0, pixel_max).astype(np.int64)
    twice = 2 * pixels * population.state_max + pixel_max
    return (twice // (2 * pixel_max)).astype(STATE_DTYPE)


def _fractions(
    what: str, images: npt.ArrayLike, shape: Shape, pixel_max: int
) -> npt.NDArray[np.float64]:
    real = reals(what, images, shape)
    if real.size and not (real.min() >= 0 and real.max() <= 1):
        raise InputError(
            f"{what}: floats must be fractions in 0..1, found {real.min():.6g}..{real.max():.6g}; "
            f"pixels 0..{pixel_max} must be integers (images.astype(int), or divide them)"
        )
    return real
