"""The front of a search, and the point of it that is recommended."""

from collections.abc import Sequence

from toreq_hw.records.search import Objective, SearchPoint
from toreq_hw.studies.searching import ranking
from toreq_hw.studies.searching.metrics import figure


def values_of(point: SearchPoint, objectives: Sequence[Objective]) -> list[float]:
    """Of a point that finished every rung: its objectives, all to be small."""
    found = []
    for one in objectives:
        value = figure(point.figures, one.metric)
        assert value is not None, one.metric
        found.append(-value if one.maximise else value)
    return found


def front_of(points: Sequence[SearchPoint], objectives: Sequence[Objective]) -> list[SearchPoint]:
    """Points that finished every rung and that no other beats, the best of the first objective
    first; of points with equal choices the first.
    """
    seen: dict[object, SearchPoint] = {}
    for point in points:
        if point.rung and not point.cut:
            seen.setdefault(point.choices, point)
    whole = list(seen.values())
    values = [values_of(point, objectives) for point in whole]
    chosen = ranking.front(values)
    return [whole[k] for k in sorted(chosen, key=lambda k: (values[k], whole[k].number))]


def pick_of(
    front: Sequence[SearchPoint], objectives: Sequence[Objective]
) -> tuple[SearchPoint | None, str]:
    """The recommended point, and why."""
    if not front:
        return None, "no point finished every rung and kept every requirement"
    asked = " and ".join(map(str, objectives))
    place = ranking.balanced([values_of(point, objectives) for point in front])
    if len(front) == 1:
        return front[0], f"the only point of the front: {asked}"
    if len(objectives) == 1:
        return front[place], f"{asked} of all points that keep the requirements"
    return front[place], (
        f"nearest to the best of {asked}, each scaled between its best and its worst on the front "
        f"of {len(front)} points"
    )
