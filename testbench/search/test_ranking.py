"""Fronts and ranks, beside their definitions."""

from hypothesis import given
from hypothesis import strategies as st

from toreq_hw.studies.searching.ranking import balanced, best, dominates, front

POINTS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=14)


def test_who_dominates_by_hand() -> None:
    assert dominates((1, 2), (1, 3))
    assert not dominates((1, 2), (1, 2))
    assert not dominates((1, 4), (2, 3))


@given(POINTS)
def test_a_front_is_what_nobody_beats(points: list[tuple[int, int, int]]) -> None:
    chosen = front(points)
    for place, point in enumerate(points):
        beaten = any(
            all(a <= b for a, b in zip(other, point, strict=True)) and other != point
            for other in points
        )
        assert (place in chosen) != beaten


@given(POINTS, st.integers(1, 14))
def test_the_best_are_as_many_as_asked_and_fronts_come_whole(
    points: list[tuple[int, int, int]], count: int
) -> None:
    chosen = best(points, count)
    assert len(chosen) == min(count, len(points))
    assert chosen == sorted(set(chosen))
    first = set(front(points))
    assert first <= set(chosen) or set(chosen) <= first


def test_of_one_front_the_ends_stay_and_the_crowded_go() -> None:
    line = [(0, 10), (1, 9), (1.1, 8.9), (5, 5), (10, 0)]
    assert best(line, 2) == [0, 4]
    assert best(line, 3) == [0, 3, 4]
    assert best(line, 4) == [0, 2, 3, 4]


def test_the_balanced_one_is_nearest_to_the_best_of_each() -> None:
    assert balanced([(0, 10), (2, 2), (10, 0)]) == 1
    assert balanced([(5,), (3,), (4,)]) == 1
    assert balanced([(1, 1), (1, 1)]) == 0
