"""Feedback: its shifts, the depths under which they leave an energy, and weights of its own.

A coupling with feedback shift s is 2^-s times as strong on its way back (docs/numerics.md,
section 3). An energy exists where each relaxing population has a depth, and every coupling between
two of them the difference of their depths as its shift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from toreq_hw.errors import NetworkError, ToreqError
from toreq_hw.network.couplings import (
    MAX_FRACTION_BITS,
    Coupling,
    DenseCoupling,
    FeedbackKind,
    OwnFeedback,
)
from toreq_hw.network.population import Population, Role
from toreq_hw.network.trilinear import Trilinear
from toreq_hw.reading import shown

if TYPE_CHECKING:
    from toreq_hw.network.network import Network

MIN_BACK_FRACTION_BITS = -8
"""Of f + s: sums of the largest network then fit the 64 bits in which their ranges are checked."""

MAX_SHIFT = MAX_FRACTION_BITS - MIN_BACK_FRACTION_BITS
"""Largest magnitude of a feedback shift."""


def check_feedback(
    populations: Sequence[Population], couplings: Sequence[Coupling], *, of_phase: bool
) -> None:
    """Raises NetworkError for a feedback shift out of range, or where nothing flows back.

    of_phase: the input is another one than that for which the couplings were made.
    """
    inputs = {p.name for p in populations if p.role is Role.INPUT and not of_phase}
    for coupling in couplings:
        shift, found = coupling.feedback_shift, shown(coupling.feedback_shift)
        if type(shift) is not int:
            raise _error(coupling, f"feedback_shift must be an integer, not {found}")
        low = MIN_BACK_FRACTION_BITS - coupling.fraction_bits
        high = MAX_FRACTION_BITS - coupling.fraction_bits
        if not low <= shift <= high:
            raise _error(
                coupling,
                f"feedback_shift must be in {low}..{high} with {coupling.fraction_bits} fraction "
                f"bits, not {found}",
            )
        if shift and coupling.pre in inputs:
            raise _error(
                coupling,
                f"feedback_shift must be 0, because nothing flows back to the input, not {found}",
            )
        if shift and coupling.is_self_coupling:
            raise _error(coupling, f"feedback_shift of a self-coupling must be 0, not {found}")
        if coupling.own_feedback is not None:
            _check_own_feedback(coupling, from_input=coupling.pre in inputs)


def _check_own_feedback(coupling: Coupling, *, from_input: bool) -> None:
    own = coupling.own_feedback
    if not isinstance(own, OwnFeedback):
        raise _error(coupling, f"own_feedback must be an OwnFeedback or None, not {shown(own)}")
    if from_input:
        raise _error(coupling, "must have no feedback of its own: nothing flows back to the input")
    if coupling.is_self_coupling:
        raise _error(coupling, "must have no feedback of its own, as a self-coupling")
    if own.learned and not isinstance(coupling, DenseCoupling):
        raise _error(
            coupling, f"must be dense for feedback that learns, found kind {coupling.kind!r}"
        )
    shapes = coupling.parameters.shape, own.weight.shape
    if shapes[0] != shapes[1]:
        raise _error(coupling, f"feedback must have shape {shapes[0]}, not {shapes[1]}")
    _ = coupling.way_back  # refuses weights that its format does not have


def blank_feedback(
    couplings: Sequence[Coupling], source: str, kind: FeedbackKind
) -> list[Coupling]:
    """The couplings with zeros as feedback of their own, to be trained; symmetric: as they are.

    source: name of the input. Those from it and those of a population to itself have none.
    """
    if kind is FeedbackKind.SYMMETRIC:
        return list(couplings)
    learned = kind is FeedbackKind.LEARNED
    return [
        c
        if c.pre == source or c.is_self_coupling
        else replace(c, own_feedback=OwnFeedback(np.zeros_like(c.parameters), learned))
        for c in couplings
    ]


def asymmetric(updating: Sequence[Population], couplings: Sequence[Coupling]) -> list[Coupling]:
    """The couplings that leave no energy: of two populations that update, with own feedback."""
    names = {p.name for p in updating}
    own = [c for c in couplings if c.own_feedback is not None]
    return [c for c in own if c.pre in names and c.post in names]


def require_symmetric_feedback(
    network: "Network", where: str, error: type[ToreqError] = NetworkError
) -> None:
    """Raises `error` for feedback of its own, in a reader that has none; where: "on nengo"."""
    for coupling in network.couplings:
        if coupling.own_feedback is not None:
            raise error(
                f"coupling {shown(coupling.name)}: feedback must be symmetric {where}, found "
                f"{coupling.own_feedback.kind.value}"
            )


def depths(
    relaxing: Sequence[Population], couplings: Sequence[Coupling], terms: Sequence[Trilinear] = ()
) -> Mapping[str, int]:
    """Depth of each population of `relaxing`; the smallest in each connected part is 0.

    Every coupling between two of them has depth(post) - depth(pre) as its feedback shift. One with
    feedback of its own has no part in an energy, and any shift. Those of a term have one depth.
    Raises NetworkError naming what closes a loop with another shift.
    """
    neighbours: dict[str, list[tuple[str, int]]] = {p.name: [] for p in relaxing}
    symmetric = [c for c in couplings if c.own_feedback is None]
    inside = [c for c in symmetric if c.pre in neighbours and c.post in neighbours]
    for coupling in inside:
        neighbours[coupling.pre].append((coupling.post, coupling.feedback_shift))
        neighbours[coupling.post].append((coupling.pre, -coupling.feedback_shift))
    for term in terms:
        for one, other in pairwise(term.ends):
            neighbours[one].append((other, 0))
            neighbours[other].append((one, 0))
    found: dict[str, int] = {}
    for first in neighbours:
        if first not in found:
            part = _walk(first, neighbours)
            lowest = min(part.values())
            found |= {name: depth - lowest for name, depth in part.items()}
    for coupling in inside:
        needed = found[coupling.post] - found[coupling.pre]
        if coupling.feedback_shift != needed:
            raise _error(
                coupling,
                f"feedback_shift must be {needed}, which is what the other couplings of its loop "
                f"add up to, not {coupling.feedback_shift}: there would be no energy",
            )
    for term in terms:
        own = [found[name] for name in term.ends]
        if len(set(own)) > 1:
            raise NetworkError(
                f"term {shown(term.name)}: its populations must have one depth, found "
                f"{', '.join(map(str, own))}: there would be no energy"
            )
    return MappingProxyType(found)


def _walk(first: str, neighbours: Mapping[str, list[tuple[str, int]]]) -> dict[str, int]:
    """Depths of all that is connected to `first`, which has depth 0."""
    found, frontier = {first: 0}, [first]
    while frontier:
        name = frontier.pop()
        for other, shift in neighbours[name]:
            if other not in found:
                found[other] = found[name] + shift
                frontier.append(other)
    return found


def _error(coupling: Coupling, said: str) -> NetworkError:
    return NetworkError(f"coupling {shown(coupling.name)}: {said}")
