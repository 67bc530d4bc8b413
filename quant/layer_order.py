"""The order of layers that only their names and shapes tell.

Numbers in names order the layers that differ in them first: `fc2` stands before `fc10`. Words
order nothing (`input` would come behind `hidden`); there the shapes must leave one order.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from toreq_hw.errors import NetworkFileError
from toreq_hw.reading import shown

_STEPS = 10_000
"""Partial orders looked at before the shapes are said to leave more than one."""

_PARTS = re.compile(r"\d+|[^\d]+")

Shapes = Mapping[str, tuple[int, int]]
"""(n_out, n_in) of each layer's weight, by the layer's name."""


def layer_order(shapes: Shapes) -> list[str]:
    """Names from the input to the output. Raises NetworkFileError naming tensors."""
    names = sorted(shapes, key=_natural)
    if all(_before(a, b) for a, b in pairwise(names)):
        _check_chain(names, shapes)
        return names
    found = _orders(names, shapes)
    listed = ", ".join(f"{shown(weight_of(name))} {shapes[name]}" for name in names)[:300]
    if not found:
        raise NetworkFileError(f"tensors must form one chain of (m, n), (k, m), .., found {listed}")
    if len(found) > 1:
        raise NetworkFileError(
            "tensors must have one order, by numbers in their names or by their shapes, found more "
            f"than one for {listed}; rename them 0.weight, 2.weight, .. in the order of use"
        )
    return found[0]


def numbers(name: str) -> tuple[int, ...]:
    """All numbers in a name: (1, 0) of `layer1.0`."""
    return tuple(int(part) for part in re.findall(r"\d+", name))


def weight_of(name: str) -> str:
    """The name of a layer's weight tensor."""
    return f"{name}.weight" if name else "weight"


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts numbers as numbers, and a name before the same name with a number behind it."""
    return [(1, int(p), "") if p.isdecimal() else (2, 0, p.rstrip("_")) for p in _parts(name)]


def _parts(name: str) -> list[str]:
    return [part for part in _PARTS.findall(name) if part.strip("_")]


def _before(one: str, other: str) -> bool:
    """Whether names alone say that `one` stands before `other`."""
    for mine, theirs in zip(_natural(one), _natural(other), strict=False):
        if mine != theirs:
            return mine[0] == theirs[0] == 1 and mine[1] < theirs[1]
    rest = _natural(other)[len(_natural(one)) :]
    return bool(rest) and rest[0][0] == 1


def _check_chain(names: Sequence[str], shapes: Shapes) -> None:
    for before, after in pairwise(names):
        if shapes[after][1] != shapes[before][0]:
            raise NetworkFileError(
                f"tensor {shown(weight_of(after))}: must have shape (m, {shapes[before][0]}), "
                f"to follow {shown(weight_of(before))} by their numbers, not {shapes[after]}"
            )


def _orders(names: Sequence[str], shapes: Shapes) -> list[list[str]]:
    """Up to two orders in which every layer takes what the one before gives."""
    found: list[list[str]] = []
    partial: list[list[str]] = [[]]
    steps = 0
    while partial and len(found) < 2 and steps < _STEPS:
        steps += 1
        chosen = partial.pop()
        if len(chosen) == len(names):
            found.append(chosen)
            continue
        left = [name for name in names if name not in chosen]
        partial += [
            [*chosen, name]
            for name in left
            if not chosen or shapes[name][1] == shapes[chosen[-1]][0]
            if not any(_before(other, name) for other in left if other != name)
        ]
    return found if steps < _STEPS else [list(names), list(names)]
