"""Pictures of a search: any number of points and axes, and what a pointer is told."""

import pytest

from toreq_hw.reports.search_pictures import Axis, Drawn, front_picture, parallel_picture


def drawn(points: int, axes: int) -> list[Drawn]:
    return [
        Drawn(k, tuple(float(k * axis) for axis in range(axes)), k < 2, k == 0, f"a<{k}>")
        for k in range(points)
    ]


@pytest.mark.parametrize("axes", [1, 2, 13])
@pytest.mark.parametrize("points", [1, 5])
def test_every_line_says_what_it_is(points: int, axes: int) -> None:
    names = [Axis(f"a long name {k}") for k in range(axes)]
    picture = parallel_picture("lines", names, drawn(points, axes))
    for k in range(points):
        assert picture.count(f"<title>a&lt;{k}&gt;</title>") == 1


def test_every_point_says_what_it_is_and_equal_points_give_equal_pictures() -> None:
    one, two = (front_picture("front", ("cells", "us"), drawn(4, 2)) for _ in range(2))
    assert one == two
    assert one.count("<title>") == 4
    assert ">recommended<" in one


def test_an_axis_of_choices_says_them() -> None:
    axes = [Axis("weights", ("ternary", "int8")), Axis("lanes")]
    points = [Drawn(0, (0.0, 2.0), True, True, "x"), Drawn(1, (1.0, 8.0), False, False, "y")]
    picture = parallel_picture("lines", axes, points)
    for text in ("ternary", "int8", "lanes", ">2<", ">8<"):
        assert text in picture
