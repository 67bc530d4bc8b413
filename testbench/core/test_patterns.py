"""Pairs of neurons that sparse couplings join, counted against what is written of them."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from toreq_hw.errors import NetworkError
from toreq_hw.network import Colouring, Population, Role, SparseCoupling, WeightFormat
from toreq_hw.network.couplings import patterns


def lattice_colours(shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """The parity of the place on each axis that has one, as the bits of a number."""
    colour = np.zeros(np.prod(shape), dtype=np.int32)
    for size, place in zip(shape, np.indices(shape).reshape(len(shape), -1), strict=True):
        if size > 1:
            colour = 2 * colour + place.astype(np.int32) % 2
    return colour


@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 4, 2), (1, 2, 5), (1, 1, 1)])
def test_a_lattice_joins_all_neighbours_once(shape: tuple[int, ...]) -> None:
    places = list(product(*map(range, shape)))
    expected = {
        (i, j)
        for i, one in enumerate(places)
        for j, other in enumerate(places)
        if i < j and max(abs(a - b) for a, b in zip(one, other, strict=True)) == 1
    }
    pre, post = patterns.lattice(shape)
    assert set(zip(pre.tolist(), post.tolist(), strict=True)) == expected
    assert len(pre) == len(expected)
    colours = lattice_colours(shape)
    assert np.all(colours[pre] != colours[post])
    assert colours.max(initial=0) + 1 == np.prod([min(size, 2) for size in shape])


def test_a_neuron_inside_a_cube_has_26_neighbours() -> None:
    pre, post = patterns.lattice((3, 3, 3))
    assert np.count_nonzero(pre == 13) + np.count_nonzero(post == 13) == 26


def test_the_colours_of_a_lattice_are_those_that_a_greedy_colouring_finds() -> None:
    lattice = Population("hidden", 60, Role.HIDDEN)
    coupling = sparse(patterns.lattice((3, 4, 5)), 60)
    colouring = Colouring.greedy((lattice,), (coupling,))
    assert colouring == Colouring.of({"hidden": lattice_colours((3, 4, 5))})
    assert len(colouring.colours) == 8


def sparse(pairs: patterns.Pairs, size: int) -> SparseCoupling:
    return SparseCoupling.of_pairs(
        "hidden", "hidden", pairs, (size, size), fraction_bits=3, weight_format=WeightFormat.INT8
    )


def test_a_ring_has_no_end() -> None:
    pre, post = patterns.ring(7, 2)
    found = set(zip(pre.tolist(), post.tolist(), strict=True))
    assert found == {(i, j) for j in range(7) for i in range(j) if min(j - i, 7 - j + i) <= 2}
    assert len(pre) == 14


def test_blocks_join_their_own_part() -> None:
    pre, post = patterns.block(4, 6, 2)
    matrix = np.zeros((4, 6), int)
    matrix[pre, post] = 1
    assert matrix.tolist() == [[1, 1, 1, 0, 0, 0]] * 2 + [[0, 0, 0, 1, 1, 1]] * 2


def test_random_pairs_are_as_many_as_asked_and_the_same_again() -> None:
    pre, post = patterns.random(9, 11, 0.3, 5)
    assert len(pre) == round(0.3 * 99)
    assert len(set(zip(pre.tolist(), post.tolist(), strict=True))) == len(pre)
    again = patterns.random(9, 11, 0.3, 5)
    assert np.array_equal(again, (pre, post))
    assert not np.array_equal(patterns.random(9, 11, 0.3, 6), (pre, post))
    assert [len(patterns.random(6, None, density, 1)[0]) for density in (0, 0.5, 1)] == [0, 8, 15]
    one, other = patterns.random(6, None, 0.5, 1)
    assert np.all(one < other)
    assert (one.tolist(), other.tolist()) == KNOWN
    rows, columns = patterns.random(40, 50, 0.5, 7)
    assert int((50 * rows + columns).sum()) == 990612


KNOWN = ([0, 0, 0, 1, 1, 1, 2, 2], [2, 4, 5, 2, 4, 5, 3, 4])
"""Pairs of six neurons, density 1/2, seed 1: what docs/numerics.md gives as an example."""


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: patterns.lattice((0, 3)), "a lattice must have 1 to 3 sizes from 1 on"),
        (lambda: patterns.lattice((2, 2, 2, 2)), "a lattice must have 1 to 3 sizes from 1 on"),
        (lambda: patterns.ring(6, 3), "reach must be in 1..2, not 3"),
        (lambda: patterns.block(4, 6, 3), "4 neurons must fall into 3 equal blocks"),
        (lambda: patterns.random(3, 3, 1.5, 1), "density must be in 0..1, not 1.5"),
        (lambda: patterns.random(3, 3, 0.5, -1), "seed must be in 0..4294967295, not -1"),
        (lambda: patterns.random(1 << 13, 1 << 13, 0.5, 1), "pairs to choose from must be in"),
    ],
)
def test_what_is_no_pattern_is_refused(made: object, words: str) -> None:
    assert callable(made)
    with pytest.raises(NetworkError, match=words):
        made()
