"""Colours where neurons share trilinear terms or a budget: which neurons may update together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling
from toreq_hw.network.neuron_set import Colour, NeuronSet
from toreq_hw.network.population import Population
from toreq_hw.network.schedule import Colouring
from toreq_hw.network.sweep import inside
from toreq_hw.network.trilinear import Trilinear

Members = npt.NDArray[np.bool_]


def colour_by_terms(
    updating: Sequence[Population], couplings: Sequence[Coupling], terms: Sequence[Trilinear]
) -> Colouring:
    """A colouring of whole populations: no two of a colour share a coupling or a term.

    Populations in file order take the lowest colour that none of those has with which they share
    one. Raises NetworkError for a population that is coupled to itself.
    """
    names = [p.name for p in updating]
    joined: dict[str, set[str]] = {name: set() for name in names}
    for ends in (*((c.pre, c.post) for c in couplings), *(term.ends for term in terms)):
        for one in set(ends) & set(names):
            joined[one] |= set(ends)
    for coupling in couplings:
        if coupling.is_self_coupling:
            raise NetworkError(
                f"a colour of whole populations must have no self-coupling, found {coupling.name!r}"
            )
    colour: dict[str, int] = {}
    for name in names:
        taken = {colour[other] for other in joined[name] - {name} if other in colour}
        colour[name] = next(k for k in range(len(names)) if k not in taken)
    whole = {p.name: NeuronSet.whole(p) for p in updating}
    return Colouring(
        tuple(
            tuple(whole[name] for name in names if colour[name] == k)
            for k in range(1 + max(colour.values()))
        )
    )


def check_colours(
    colours: Sequence[Colour],
    updating: Sequence[Population],
    couplings: Sequence[Coupling],
    terms: Sequence[Trilinear],
) -> None:
    """Raises NetworkError where two neurons of a colour share a term, or a row is torn apart.

    Of a network without terms and rows nothing is asked here.
    """
    rows = [p for p in updating if p.rows is not None]
    if not terms and not rows:
        return
    by_name = {p.name: p for p in updating}
    for number, colour in enumerate(colours):
        members = {p.name: _members(colour, p) for p in updating}
        for population in rows:
            _check_rows(number, population, members[population.name])
        for coupling in couplings:
            if coupling.pre in members and coupling.post in members:
                _check_coupling(number, coupling, colour, members)
        for term in terms:
            _check_term(number, term, by_name[term.scores], members)


def _members(colour: Colour, population: Population) -> Members:
    return inside(colour, population.name, np.arange(population.size))


def _check_rows(number: int, population: Population, members: Members) -> None:
    assert population.rows is not None
    whole = members.reshape(-1, population.rows.length)
    torn = np.flatnonzero(whole.any(axis=1) & ~whole.all(axis=1))
    if len(torn):
        raise NetworkError(
            f"colour {number} must hold whole rows of {population.name!r}, found a part of row "
            f"{torn[0]}"
        )


def _check_coupling(
    number: int, coupling: Coupling, colour: Colour, members: dict[str, Members]
) -> None:
    if members[coupling.pre].any() and members[coupling.post].any():
        pre, post, _ = coupling.edges()
        both = inside(colour, coupling.pre, pre) & inside(colour, coupling.post, post)
        if both.any():
            raise _shared(number, coupling.pre, coupling.post)


def _check_term(
    number: int, term: Trilinear, scores: Population, members: dict[str, Members]
) -> None:
    shaped = (members[n].reshape(s) for n, s in zip(term.ends, term.shapes, strict=True))
    found, left, right = shaped
    cells = term.cells(scores)
    of_left, of_right = (np.asarray(part.any(axis=2)).T for part in (left, right))
    if (cells & found & of_left[:, :, None]).any():
        raise _shared(number, term.scores, term.left)
    if (cells & found & of_right[:, None, :]).any():
        raise _shared(number, term.scores, term.right)
    both = np.einsum("ihx,jhx->hij", left.astype(np.int64), right.astype(np.int64))
    if (cells & (both > 0)).any():
        raise _shared(number, term.left, term.right)


def _shared(number: int, one: str, other: str) -> NetworkError:
    return NetworkError(
        f"schedule must not update neurons together that share a term, found {one!r} and "
        f"{other!r} in colour {number}; use sequential or a colouring by terms"
    )
