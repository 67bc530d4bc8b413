"""Which points are better: fronts, and who goes on where not all can.

Ranks and distances are those of K. Deb et al., NSGA-II, IEEE Trans. Evolutionary Computation
(2002).
"""

from collections.abc import Sequence
from math import inf

Values = Sequence[float]
"""Of the objectives of one point, all to be small."""


def dominates(one: Values, other: Values) -> bool:
    """Whether `one` is nowhere worse and somewhere better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def front(values: Sequence[Values]) -> list[int]:
    """Places of those that no other dominates, in order."""
    return [k for k, one in enumerate(values) if not any(dominates(two, one) for two in values)]


def best(values: Sequence[Values], count: int) -> list[int]:
    """Places of the `count` best, in order: whole fronts first, of the last those farthest from
    others; of equals the first.
    """
    left, chosen = list(range(len(values))), list[int]()
    while left and len(chosen) < count:
        places = [left[k] for k in front([values[k] for k in left])]
        room = count - len(chosen)
        if len(places) > room:
            alone = _crowding([values[k] for k in places])
            order = sorted(range(len(places)), key=lambda k: (-alone[k], places[k]))
            places = [places[k] for k in order[:room]]
        chosen += places
        left = [k for k in left if k not in chosen]
    return sorted(chosen)


def _crowding(values: Sequence[Values]) -> list[float]:
    """How far each is from its neighbours; infinite at the ends."""
    found = [0.0] * len(values)
    for axis in range(len(values[0])):
        order = sorted(range(len(values)), key=lambda k: (values[k][axis], k))
        low, high = values[order[0]][axis], values[order[-1]][axis]
        found[order[0]] = found[order[-1]] = inf
        for before, place, behind in zip(order, order[1:], order[2:], strict=False):
            gap = values[behind][axis] - values[before][axis]
            found[place] += gap / (high - low) if high > low else 0.0
    return found


def balanced(values: Sequence[Values]) -> int:
    """The place of the one that is nearest to the best of every objective; of equals the first.

    Each objective is scaled to 0..1 between the best and the worst of them.
    """
    columns = list(zip(*values, strict=True))
    lows = [min(column) for column in columns]
    spans = [max(column) - min(column) for column in columns]

    def distance(one: Values) -> float:
        parts = zip(one, lows, spans, strict=True)
        return sum((((value - low) / span) ** 2 for value, low, span in parts if span), 0.0)

    return min(range(len(values)), key=lambda k: (distance(values[k]), k))
