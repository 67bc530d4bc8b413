"""The store: what is asked for next follows from the seed alone, wherever a search was killed."""

import json
from pathlib import Path

import pytest

from testbench.search.problems import problem, written
from toreq_hw.errors import InputError
from toreq_hw.records.search import SearchPoint
from toreq_hw.studies.searching.front import front_of
from toreq_hw.studies.searching.journal import opened
from toreq_hw.studies.searching.problem import Problem

MOST = 20


def search(path: Path, given: Problem, most: int = MOST) -> list[SearchPoint]:
    """All points of a search whose figures are written down."""
    with opened(path, given) as journal:
        while batch := journal.batch(most):
            journal.tell([written(n, given.space.point(chosen)) for n, chosen in batch])
        return journal.told


def plain(points: list[SearchPoint]) -> list[tuple[object, ...]]:
    return [(point.choices, point.figures, point.cut) for point in points]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a search that nobody interrupted."""
    path = tmp_path_factory.mktemp("store") / "whole.journal"
    points = search(path, problem(["accuracy>=0.6"]))
    assert len(points) == MOST
    return path


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_equal_seeds_give_equal_points(tmp_path: Path, sampler: str) -> None:
    given = problem(["accuracy>=0.6"], sampler=sampler)
    one, two = (search(tmp_path / name, given) for name in ("one", "two"))
    assert plain(one) == plain(two)
    other = search(tmp_path / "other", problem(["accuracy>=0.6"], sampler=sampler, seed=2))
    assert plain(other) != plain(one)


def test_later_points_are_better_than_the_first(tmp_path: Path) -> None:
    """The sampler learns: among many points the mean of the last is smaller than of the first."""
    points = search(tmp_path / "long", problem(["accuracy>=0.6"], batch=8), 120)
    sizes = [point.figures.cells or 0 for point in points]
    assert sum(sizes[-40:]) < 0.6 * sum(sizes[:40])


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(
    tmp_path: Path, sampler: str
) -> None:
    given, path = problem(["accuracy>=0.6"], sampler=sampler), tmp_path / "whole"
    expected = plain(search(path, given))
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) > 100
    for kept in (*range(12), *range(12, len(lines), 7)):
        cut = tmp_path / f"{kept}.journal"
        cut.write_bytes(b"".join(lines[:kept]) + lines[kept][: kept % 9])
        assert plain(search(cut, given)) == expected, kept


def test_a_larger_budget_goes_on(whole: Path, tmp_path: Path) -> None:
    given, path = problem(["accuracy>=0.6"]), tmp_path / "more"
    path.write_bytes(whole.read_bytes())
    before = plain(search(path, given))
    after = plain(search(path, given, MOST + 9))
    assert after[:MOST] == before
    assert len(after) == MOST + 9


def test_the_front_holds_whole_points_that_none_beats(whole: Path) -> None:
    given = problem(["accuracy>=0.6"])
    points = search(whole, given)
    front = front_of(points, given.objectives)
    assert front
    assert all(not point.cut for point in front)
    least = min(p.figures.cells or 0 for p in points if not p.cut)
    assert front[0].figures.cells == least


def test_a_second_search_on_a_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store"
    said = "found another at work on it; wait until it ends"
    with opened(path, problem()), pytest.raises(InputError, match=said):
        search(path, problem())
    assert len(search(path, problem(), 2)) == 2


def test_the_store_of_another_problem_is_refused(whole: Path) -> None:
    with pytest.raises(InputError, match=r"must be of a search with the same requirements, found"):
        search(whole, problem(["accuracy>=0.7"]))
    with pytest.raises(InputError, match=r"the same seed, found '1', not '2'; use another --store"):
        search(whole, problem(["accuracy>=0.6"], seed=2))
    with pytest.raises(InputError, match=r"the same space.lanes, found"):
        search(whole, problem(["accuracy>=0.6"], {"lanes": ["2"]}))


def test_a_store_of_another_version_is_refused(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "old"
    text = whole.read_text()
    assert '"version":1' in text
    path.write_text(text.replace('"version":1', '"version":0'))
    with pytest.raises(InputError, match="a store of version 1, found 0; use another --store"):
        search(path, problem(["accuracy>=0.6"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\n", "line 1: must be JSON"),
        ("{}\n", "line 1 must be of the store of a search"),
        ('{"op_code": 99, "worker_id": "x"}\n', "must be the store of a search, found another"),
        ('{"op_code": 4}\n', "must be the store of a search, found another"),
    ],
)
def test_what_is_no_store_is_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "store"
    path.write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        search(path, problem())
    assert "\n" not in str(caught.value)
    assert path.read_text() == content


def test_what_a_point_misses_is_told(whole: Path) -> None:
    """So that of points which miss something the nearer ones are taken on."""
    lines = [json.loads(line).get("system_attr", {}) for line in whole.read_text().splitlines()]
    name = "constraints:accuracy>=0.6"
    missed = {line[name] for line in lines if name in line}
    small = {p.figures.accuracy or 1 for p in search(whole, problem(["accuracy>=0.6"])) if p.cut}
    assert missed == {0.0, *(0.6 - accuracy for accuracy in small if accuracy < 0.6)}
    assert len(missed) > 1


def test_points_in_a_store_are_records(whole: Path) -> None:
    lines = [json.loads(line) for line in whole.read_text().splitlines()]
    told = [line for line in lines if "point" in line.get("user_attr", {})]
    assert len(told) == MOST
