"""Feedback shifts, and the depths of populations under which they leave an energy.

A coupling with feedback shift s is 2^-s times as strong on its way back (docs/numerics.md,
section 3). An energy exists where each relaxing population has a depth, and every coupling between
two of them the difference of their depths as its shift.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import MAX_FRACTION_BITS, Coupling
from toreq_hw.network.population import Population, Role
from toreq_hw.reading import shown

MIN_BACK_FRACTION_BITS = -8
"""Of f + s: sums of the largest network then fit the 64 bits in which their ranges are checked."""

MAX_SHIFT = MAX_FRACTION_BITS - MIN_BACK_FRACTION_BITS
"""Largest magnitude of a feedback shift."""


def check_feedback(populations: Sequence[Population], couplings: Sequence[Coupling]) -> None:
    """Raises NetworkError for a feedback shift out of range, or where nothing flows back."""
    inputs = {p.name for p in populations if p.role is Role.INPUT}
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


def depths(relaxing: Sequence[Population], couplings: Sequence[Coupling]) -> Mapping[str, int]:
    """Depth of each population of `relaxing`; the smallest in each connected part is 0.

    Every coupling between two of them has depth(post) - depth(pre) as its feedback shift. Raises
    NetworkError naming a coupling that closes a loop with another shift.
    """
    neighbours: dict[str, list[tuple[str, int]]] = {p.name: [] for p in relaxing}
    inside = [c for c in couplings if c.pre in neighbours and c.post in neighbours]
    for coupling in inside:
        neighbours[coupling.pre].append((coupling.post, coupling.feedback_shift))
        neighbours[coupling.post].append((coupling.pre, -coupling.feedback_shift))
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
