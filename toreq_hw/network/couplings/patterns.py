"""Pairs of neurons that sparse couplings join: lattices, rings, blocks, and random pairs.

Each function gives pre and post neurons, intp (synapses,), for `SparseCoupling.of_pairs`. Within a
population each pair is there once, the lower neuron first.
"""

from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.generator import Stream, next_word, seed_state
from toreq_hw.reading import shown

Pairs = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

MAX_CELLS = 1 << 22
"""Most pairs of neurons from which `random` chooses, a word of the generator each."""

MAX_LATTICE = 1 << 16
"""Most neurons of a lattice or a ring, each of which a colouring looks at."""


@named_type_errors
def lattice(shape: tuple[int, ...]) -> Pairs:
    """Neighbours in a lattice of this shape, diagonal ones included: up to 26 of a neuron in 3-D.

    Neurons are numbered in the order of `shape`, its last axis fastest. Returns two (synapses,).
    Raises NetworkError.
    """
    _check_shape(shape)
    number = np.arange(prod(shape), dtype=np.intp).reshape(shape)
    found: list[Pairs] = []
    steps = list(product((-1, 0, 1), repeat=len(shape)))
    for step in steps[len(steps) // 2 + 1 :]:  # the other half are these, from the other end
        one = tuple(slice(max(0, -k), n - max(0, k)) for k, n in zip(step, shape, strict=True))
        other = tuple(slice(max(0, k), n - max(0, -k)) for k, n in zip(step, shape, strict=True))
        found.append((number[one].ravel(), number[other].ravel()))
    return _joined(found)


@named_type_errors
def ring(size: int, reach: int = 1) -> Pairs:
    """Neuron i and i + 1 .. i + reach, counted modulo `size`. Returns two (synapses,).

    Raises NetworkError unless 2 reach < size.
    """
    _check_whole("size", size, 2, MAX_LATTICE)
    _check_whole("reach", reach, 1, (size - 1) // 2)
    one = np.arange(size, dtype=np.intp).repeat(reach)
    other = (one + np.tile(np.arange(1, reach + 1), size)) % size
    return np.minimum(one, other), np.maximum(one, other)


@named_type_errors
def block(rows: int, columns: int, blocks: int) -> Pairs:
    """Both populations cut into `blocks` equal parts; all of part k with all of part k.

    Returns two (synapses,). Raises NetworkError unless both sizes can be cut so.
    """
    _check_whole("blocks", blocks, 1, min(rows, columns))
    for size in (rows, columns):
        if size % blocks:
            raise NetworkError(f"{size} neurons must fall into {blocks} equal blocks")
    one, other = np.indices((rows, columns // blocks), dtype=np.intp).reshape(2, -1)
    return one, other + one // (rows // blocks) * (columns // blocks)


@named_type_errors
def random(rows: int, columns: int | None, density: float, seed: int) -> Pairs:
    """floor(density N + 1/2) of the N pairs, the same for the same seed (docs/numerics.md).

    columns: None for pairs within a population of `rows` neurons. density: 0 .. 1. Pairs are
    looked at in order; one takes a word of the generator and is chosen if (word x pairs left) >> 32
    is below the number still to be chosen. Returns two (synapses,). Raises NetworkError.
    """
    if not 0 <= density <= 1:
        raise NetworkError(f"density must be in 0..1, not {density:g}")
    _check_whole("seed", seed, 0, (1 << 32) - 1)
    cells = rows * (rows - 1) // 2 if columns is None else rows * columns
    _check_whole("pairs to choose from", cells, 0, MAX_CELLS)
    wanted = int(np.floor(density * cells + 0.5))
    word = seed_state((1 << 32) - 1 - seed, Stream.INITIAL_WEIGHTS)
    chosen = []
    for cell in range(cells):
        if not wanted:
            break
        word = next_word(word)
        if word * (cells - cell) >> 32 < wanted:
            chosen.append(cell)
            wanted -= 1
    picked = np.array(chosen, dtype=np.intp)
    if columns is not None:
        return picked // columns, picked % columns
    upper = np.triu_indices(rows, 1)
    return upper[0][picked], upper[1][picked]


def _check_shape(shape: tuple[int, ...]) -> None:
    sizes_fit = all(type(n) is int and n >= 1 for n in shape)
    if not 1 <= len(shape) <= 3 or not sizes_fit or prod(shape) > MAX_LATTICE:
        raise NetworkError(
            f"a lattice must have 1 to 3 sizes from 1 on, at most {MAX_LATTICE} neurons, "
            f"not {shown(shape)}"
        )


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise NetworkError(f"{name} must be in {low}..{high}, not {value}")


def _joined(parts: list[Pairs]) -> Pairs:
    none = np.zeros(0, dtype=np.intp)
    one = np.concatenate([none, *(part[0] for part in parts)])
    other = np.concatenate([none, *(part[1] for part in parts)])
    return np.minimum(one, other), np.maximum(one, other)
