"""Trilinear terms: three populations that share terms of the energy, without weights.

A term is -2^-f scores[h, i, j] left[i, h, x] right[j, h, x]: docs/numerics.md, section 8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FileEntry
from toreq_hw.network.couplings import MAX_FRACTION_BITS
from toreq_hw.network.couplings.coupling import Range
from toreq_hw.network.population import MAX_NEURONS, Population, Role
from toreq_hw.reading import Fields, shown

if TYPE_CHECKING:
    from toreq_hw.network.network import Network

Wide = npt.NDArray[np.int64]
ROLES = ("scores", "left", "right")
"""The three populations of a term, as fields of `Trilinear`."""


@named_type_errors
@dataclass(frozen=True)
class Trilinear:
    """All products of scores (heads, queries, keys), left (queries, heads, width) and right (keys,
    heads, width) with equal head, query, key and channel.

    scores, left, right: names of populations with these shapes in row-major order. Attention has
    one with queries and keys, and one with outputs (left) and values (right). fraction_bits: a
    product counts 2^-f. Raises NetworkError.
    """

    scores: str
    left: str
    right: str
    heads: int
    queries: int
    keys: int
    width: int
    fraction_bits: int

    def __post_init__(self) -> None:
        for name in ("heads", "queries", "keys", "width"):
            found = getattr(self, name)
            if type(found) is not int or not 1 <= found <= MAX_NEURONS:
                raise self._error(f"{name} must be an integer in 1..{MAX_NEURONS}", shown(found))
        bits = self.fraction_bits
        if type(bits) is not int or not 0 <= bits <= MAX_FRACTION_BITS:
            must = f"fraction_bits must be an integer in 0..{MAX_FRACTION_BITS}"
            raise self._error(must, shown(bits))
        if len(set(self.ends)) < len(ROLES):
            raise self._error("must join three different populations", shown(self.ends))

    def _error(self, must: str, found: object) -> NetworkError:
        return NetworkError(f"term {shown(self.name)}: {must}, found {found}")

    @property
    def name(self) -> str:
        """`scores-left-right`, unique in a network."""
        return f"{self.scores}-{self.left}-{self.right}"

    @property
    def ends(self) -> tuple[str, str, str]:
        """Names of its populations, by `ROLES`."""
        return self.scores, self.left, self.right

    @property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Of its populations, by `ROLES`."""
        return (
            (self.heads, self.queries, self.keys),
            (self.queries, self.heads, self.width),
            (self.keys, self.heads, self.width),
        )

    def check(self, populations: Sequence[Population]) -> None:
        """Raises NetworkError where it does not fit its populations, which all must update."""
        by_name = {p.name: p for p in populations}
        for name, shape, role in zip(self.ends, self.shapes, ROLES, strict=True):
            if name not in by_name:
                known = ", ".join(by_name)
                raise self._error(f"{role} must be a population that updates ({known})", name)
            if by_name[name].size != np.prod(shape, dtype=object):
                must = f"{role} must have {' x '.join(map(str, shape))} neurons"
                raise self._error(must, f"{by_name[name].size} in {name!r}")
        rows = by_name[self.scores].rows
        if rows is not None and rows.length != self.keys:
            raise self._error(f"rows of its scores must have {self.keys} cells", rows.length)
        if rows is not None and len(rows.mask) not in (0, self.queries):
            raise self._error(f"mask of its scores must have {self.queries} texts", len(rows.mask))

    def cells(self, scores: Population) -> npt.NDArray[np.bool_]:
        """Which scores have terms, bool (heads, queries, keys): cells of rows, or all."""
        if scores.rows is None:
            return np.ones(self.shapes[0], dtype=np.bool_)
        return scores.rows.cells(scores.size).reshape(self.shapes[0])

    def describe(self) -> FileEntry:
        """Its entry in a network file."""
        return {"kind": "trilinear", **{name: getattr(self, name) for name in _FIELDS}}


_FIELDS = (*ROLES, "heads", "queries", "keys", "width", "fraction_bits")


def trilinear_from(entry: Fields) -> Trilinear:
    """The term that an entry describes. Raises NetworkError, or the error of `entry`."""
    entry.only(("kind", *_FIELDS))
    if entry.text("kind") != "trilinear":
        raise entry.error("kind", "be 'trilinear'", entry.text("kind"))
    scores, left, right = (entry.text(name) for name in ROLES)
    sizes = {name: entry.integer(name) for name in _FIELDS[len(ROLES) :]}
    return Trilinear(scores, left, right, **sizes)


@dataclass(frozen=True, eq=False)
class TermShare:
    """What one term adds to the accumulators of one of its populations.

    role: its place in `ROLES`. shift: F - f, F the target's accumulator fraction bits.
    cells: bool (heads, queries, keys), where the term has products.
    """

    term: Trilinear
    populations: tuple[Population, Population, Population]
    role: int
    shift: int
    cells: npt.NDArray[np.bool_]

    @property
    def target(self) -> Population:
        """Whose accumulators they are."""
        return self.populations[self.role]

    def apply(self, states: Mapping[str, npt.NDArray[np.integer]]) -> Wide:
        """What it adds under given states, int64 (..., target.size), LSB 2^-F.

        states: integers (..., size) by name. Float64 holds every partial sum: it is below 2^53.
        """
        heads_first = [
            np.moveaxis(_shaped(states[name], shape), -2, -3)
            if role
            else np.where(self.cells, _shaped(states[name], shape), 0.0)
            for role, (name, shape) in enumerate(zip(self.term.ends, self.term.shapes, strict=True))
        ]
        scores, left, right = heads_first
        if self.role == 0:
            added = np.where(self.cells, left @ right.swapaxes(-1, -2), 0.0)
        else:
            added = scores @ right if self.role == 1 else scores.swapaxes(-1, -2) @ left
            added = np.moveaxis(added, -3, -2)
        flat = added.reshape(*added.shape[:-3], self.target.size)
        return flat.astype(np.int64) << self.shift

    @cached_property
    def walked(self) -> Wide:
        """Accumulators that one event of each neuron of the target reaches, int64 (size,)."""
        if self.role == 0:
            return np.where(self.cells, 2 * self.term.width, 0).ravel().astype(np.int64)
        partners = self.cells.sum(axis=3 - self.role)  # (heads, positions)
        whole = np.repeat(2 * partners.T[:, :, None], self.term.width, axis=2)
        return whole.ravel().astype(np.int64)

    def sum_range(self) -> Range:
        """Bounds of what it can add, two int64 (target.size,), LSB 2^-F.

        The states of a row add up to at most its budget.
        """
        scores, left, right = (max(p.state_max, -p.state_min) for p in self.populations)
        rows = self.populations[0].rows
        if self.role == 0:
            most = np.where(self.cells, self.term.width * left * right, 0)
        else:
            cell = scores if rows is None else rows.budget
            partners = self.cells.sum(axis=3 - self.role).T * cell
            if self.role == 1 and rows is not None:
                partners = np.minimum(partners, rows.budget)
            most = np.repeat(partners[:, :, None], self.term.width, axis=2)
            most = most * (right if self.role == 1 else left)
        wide = most.ravel().astype(np.int64) << self.shift
        return -wide, wide


def _shaped(states: npt.NDArray[np.integer], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    return states.astype(np.float64).reshape(*states.shape[:-1], *shape)


def term_shares(network: "Network") -> tuple[TermShare, ...]:
    """Every share of every term: terms in file order, scores before left before right."""
    found = []
    for term in network.terms:
        scores, left, right = (network.population(name) for name in term.ends)
        cells = term.cells(scores)
        for role, name in enumerate(term.ends):
            shift = network.accumulator_fraction_bits(name) - term.fraction_bits
            found.append(TermShare(term, (scores, left, right), role, shift, cells))
    return tuple(found)


def check_terms(network: "Network") -> None:
    """Raises NetworkError where a term does not fit, or is a second one of its populations."""
    names = [term.name for term in network.terms if isinstance(term, Trilinear)]
    for term in network.terms:
        if not isinstance(term, Trilinear):
            raise NetworkError(f"terms must be Trilinear objects, not {shown(term)}")
        if names.count(term.name) > 1:
            raise NetworkError(f"terms must join different populations, found {term.name!r} twice")
        term.check(network.updating)
        for name in term.ends:
            if network.population(name).role is Role.INPUT:
                raise NetworkError(f"term {shown(term.name)}: must not join the input, found it")
