"""From pixels to states, by hand; what is no image is refused."""

from dataclasses import replace

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.errors import InputError
from toreq_hw.network import Population, Role

INPUT = Population("input", 4, Role.INPUT, 8)


def test_encoding_by_hand() -> None:
    images = np.array([[0, 1, 8, 16]], np.uint8)
    assert data.encode(images, 16, INPUT).tolist() == [[0, 16, 128, 255]]  # 15.9, 127.5 up
    one_bit = Population("input", 4, Role.INPUT, 1)
    assert data.encode(images, 16, one_bit).tolist() == [[0, 0, 1, 1]]
    signed = Population("input", 4, Role.INPUT, 8, signed=True)
    assert data.encode(images, 16, signed).tolist() == [[0, 8, 64, 127]]
    with pytest.raises(InputError, match=r"population 'input': must have shape \(samples, 4\)"):
        data.encode(images[:, :3], 16, INPUT)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("white", [16, 255])
@pytest.mark.parametrize("bits", range(1, 9))
def test_fractions_of_white_are_the_pixels_they_come_from(
    bits: int, white: int, dtype: type[np.floating]
) -> None:
    pixels = np.arange(white + 1)[None]
    population = Population("input", white + 1, Role.INPUT, bits)
    expected = data.encode(pixels, white, population)
    assert expected[0, -1] == population.state_max
    fractions = (pixels / white).astype(dtype)
    assert np.array_equal(data.encode(fractions, white, population), expected)


def test_fractions_by_hand() -> None:
    fractions = [[0.0, 0.25, 0.5, 1.0]]  # of 255: 63.75, and 127.5 up
    assert data.encode(fractions, 255, INPUT).tolist() == [[0, 64, 128, 255]]
    assert data.encode(fractions, 16, INPUT).tolist() == [[0, 64, 128, 255]]
    assert data.encode(np.zeros((0, 4)), 255, INPUT).shape == (0, 4)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, ">i4"])
def test_pixels_are_integers_of_any_width(dtype: object) -> None:
    pixels = np.array([[0, 1, 8, 16]])
    expected = data.encode(pixels, 16, INPUT)
    assert data.encode(pixels.astype(dtype), 16, INPUT).tolist() == expected.tolist()
    assert data.encode(pixels.tolist(), 16, INPUT).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.array([[0.0, 1.0, 8.0, 16.0]]), r"floats must be fractions in 0\.\.1, found 0\.\.16"),
        (np.array([[0.0, 0.1, 0.2, -1e-9]]), r"fractions in 0\.\.1"),
        (np.array([[0.0, 0.1, 0.2, np.nan]]), "must be finite"),
        (np.array([[0.0, 0.1, 0.2, np.inf]], np.float16), "must be finite"),
        (np.array([[0, 1, 2, 17]]), r"must be in 0\.\.16, found 0\.\.17"),
        (np.array([[0, 1, 2, -1]]), r"must be in 0\.\.16, found -1\.\.2"),
        (np.array([[0, 1, 2, 256]]), r"must be in 0\.\.16, found 0\.\.256"),
        (np.array([[0, 1, 2, 1 << 40]]), r"must be in 0\.\.16"),
        (np.array([[True, False, True, True]]), "must be integers, not bool"),
        (np.array([[1j, 0, 0, 0]]), "must be integers, not complex128"),
        (np.array([["0", "1", "2", "3"]]), "must be integers"),
        (np.array([0, 1, 2, 3]), r"must have shape \(samples, 4\)"),
        (np.zeros((2, 2, 2)), r"must have shape \(samples, 4\)"),
        ([[0, 1, 2, 3], [0]], "must be an array of numbers"),
    ],
)
def test_what_is_no_image_is_refused(images: object, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        data.encode(images, 16, INPUT)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("white", [0, -1, 16.0, True, 1 << 31])
def test_white_is_a_positive_integer(white: object) -> None:
    with pytest.raises(InputError, match="pixel_max must be"):
        data.encode([[0, 0, 0, 0]], white, INPUT)  # type: ignore[arg-type]


DIGITS = np.arange(8).reshape(2, 4)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (DIGITS / 16, [0, 1], "images: must be integers, not float64"),
        (DIGITS + 250, [0, 1], r"images: must be in 0\.\.255"),
        (DIGITS + 16, [0, 1], r"test images of mine: must be in 0\.\.16"),
        (DIGITS[:, :3], [0, 1], r"test images of mine: must have shape \(samples, 4\)"),
        (DIGITS, [0], r"labels: must have shape \(2,\)"),
        (DIGITS, [0.0, 1.0], "labels: must be integers"),
        (DIGITS, [0, -1], "labels: must be in 0"),
        (DIGITS, [0, 3], r"test labels of mine: must be in 0\.\.2, found 0\.\.3"),
    ],
)
def test_a_data_set_of_ones_own_is_checked(images: object, labels: object, said: str) -> None:
    good = data.Split(DIGITS, np.array([0, 2]))  # type: ignore[arg-type]
    assert (good.images.dtype, good.labels.dtype) == (np.uint8, np.int64)
    mine = data.Dataset("mine", (2, 2), 16, 3, "all", good, good)
    assert len(mine.holding_out(1).test) == 1
    with pytest.raises(InputError, match=said):
        replace(mine, test=data.Split(images, labels))  # type: ignore[arg-type]
