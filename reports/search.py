"""The page of searches: fronts, a recommended point, what was cut away, and what was not tried."""

from dataclasses import fields
from itertools import combinations

from toreq_hw.records.search import Choices, Dimension, Figures, Search, Searches, SearchPoint
from toreq_hw.reports.page import Page, Section, Table, caption
from toreq_hw.reports.search_pictures import Axis, Drawn, front_picture, parallel_picture

_FIGURES = tuple(field.name for field in fields(Figures))
_CHOICES = tuple(field.name for field in fields(Choices))
_FRACTIONS = ("accuracy", "damaged_accuracy")
_PAIRS = 3
"""Pictures of fronts, at most."""


def search_page(record: Searches) -> Page:
    """From the whole record."""
    asked = sum(len(search.points) for search in record.searches)
    fronts = sum(len(search.front) for search in record.searches)
    without = [search.name for search in record.searches if not search.front]
    searches = "search" if len(record.searches) == 1 else "searches"
    lead = f"{len(record.searches)} {searches}: {asked:,} points asked for, {fronts} on fronts"
    lead += f"; no front for {', '.join(without)}" if without else ""
    lead += f"; not run: {', '.join(record.left_out)}." if record.left_out else "."
    sections = [part for k, search in enumerate(record.searches) for part in _parts(search, k)]
    return Page("Networks and cores, searched for", lead, tuple(sections), dict(record.versions))


def front_table(search: Search) -> Table:
    """Points of the front; the recommended one is marked."""
    names = [name for name in _CHOICES if _varies(search, name)]
    figures = [name for name in _FIGURES if _known(search, name)]
    tests = {one.number: one.test_accuracy for one in search.front}
    rows = []
    for point in _front(search):
        mark = "*" if point.number == search.pick else ""
        test = tests[point.number]
        rows.append(
            (
                f"{point.number}{mark}",
                *(_choice(point.choices, name) for name in names),
                *(_figure(point.figures, name) for name in figures),
                "" if test is None else f"{100 * test:.2f}",
            )
        )
    header = ("point", *names, *map(_head, figures), "test accuracy, %")
    return Table(header, tuple(rows))


def _parts(search: Search, place: int) -> list[Section]:
    """What the page says of one search."""
    title = search.name
    asked = " and ".join(map(str, search.objectives))
    kept = f", where {' and '.join(search.requirements)}" if search.requirements else ""
    text = (
        f"Asked for: {asked}{kept}. Figures are of {search.split}. Accuracy on the test set is of "
        f"{search.test_split}; it chose nothing. Cells are four-input tables: those of nextpnr "
        "where points are placed, else those of Yosys."
    )
    sections = [
        Section(f"{title}: front", text, front_table(search), _fronts(search, place)),
        Section(f"{title}: recommended", _recommended(search), _commands(search)),
    ]
    lines = _lines(search, place)
    if lines:
        sections.append(Section(f"{title}: all trained points", _LINES, pictures=(lines,)))
    return [
        *sections,
        Section(f"{title}: what was cut away", _CUT, _cuts(search)),
        Section(f"{title}: rungs", _RUNGS, _rungs(search)),
        Section(f"{title}: what was not tried", "", _untried(search)),
        Section(f"{title}: space and settings", "", _settings(search)),
    ]


_LINES = "A line a point; those of the front are thick. A point says what it is under the pointer."
_CUT = (
    "Why points went no further. What was outranked at a rung may still be good: others of its "
    "batch looked better on the figures that were known there."
)
_RUNGS = (
    "Works are different pieces of work: equal ones are done once. Seconds are those that each "
    "took when it ran."
)


def _recommended(search: Search) -> str:
    if search.pick is None:
        return f"None: {search.reason}."
    return f"Point {search.pick}: {search.reason}. The commands make each point of the front again."


def _commands(search: Search) -> Table:
    rows = [(str(one.number), line) for one in search.front for line in one.commands]
    return Table(("point", "commands"), tuple(rows))


def _front(search: Search) -> list[SearchPoint]:
    by_number = {point.number: point for point in search.points}
    return [by_number[one.number] for one in search.front]


def _varies(search: Search, name: str) -> bool:
    found: Dimension = next(one for one in search.space if one.name == name)
    return len(found.choices) > 1


def _known(search: Search, name: str) -> bool:
    return any(_value(point.figures, name) is not None for point in _front(search))


def _value(figures: Figures, name: str) -> float | None:
    found: float | None = getattr(figures, name)
    return found


def _choice(choices: Choices, name: str) -> str:
    found = getattr(choices, name)
    if isinstance(found, tuple):
        return "-".join(map(str, found))
    return "own" if found is None else str(found)


def _figure(figures: Figures, name: str) -> str:
    value = _value(figures, name)
    if value is None:
        return ""
    if name in _FRACTIONS:
        return f"{100 * value:.2f}"
    return f"{value:,.0f}" if value >= 1000 or value == round(value) else f"{value:.4g}"


def _head(name: str) -> str:
    words = name.replace("_", " ")
    return f"{words}, %" if name in _FRACTIONS else words


def _said(point: SearchPoint) -> str:
    chosen = ", ".join(f"{name} {_choice(point.choices, name)}" for name in _CHOICES)
    known = [name for name in _FIGURES if _value(point.figures, name) is not None]
    found = ", ".join(f"{_head(name)} {_figure(point.figures, name)}" for name in known)
    end = f"; {point.cut}" if point.cut else ""
    return f"point {point.number}: {chosen}; {found}{end}"


def _drawn(search: Search, point: SearchPoint, values: tuple[float, ...]) -> Drawn:
    on_front = point.number in {one.number for one in search.front}
    return Drawn(point.number, values, on_front, point.number == search.pick, _said(point))


def _fronts(search: Search, place: int) -> tuple[str, ...]:
    """A picture for each pair of objectives, and of accuracy where there is one objective alone."""
    names = [one.metric for one in search.objectives]
    if len(names) == 1:
        names.append("accuracy" if names[0] != "accuracy" else "cycles_p95")
    found = []
    for number, pair in enumerate(list(combinations(names, 2))[:_PAIRS]):
        points = []
        for point in search.points:
            values = [_value(point.figures, name) for name in pair]
            if not point.cut and None not in values:
                points.append(_drawn(search, point, tuple(v for v in values if v is not None)))
        if points:
            heads = (pair[0].replace("_", " "), pair[1].replace("_", " "))
            picture = front_picture(f"front{place}-{number}", heads, points)
            found.append(caption(picture, f"{search.name}: points through every rung"))
    return tuple(found)


def _lines(search: Search, place: int) -> str:
    """All points that were trained whole, over what varies and what is known of each of them."""
    whole = [p for p in search.points if p.rung in ("full", "synthesis", "place", "damage")]
    figures = [
        n for n in _FIGURES if whole and all(_value(p.figures, n) is not None for p in whole)
    ]
    names = [name for name in _CHOICES if _varies(search, name)]
    if not whole or not figures:
        return ""
    columns = {name: _numbers(search, name) for name in names}
    points = []
    for point in whole:
        chosen = [columns[name][_choice(point.choices, name)] for name in names]
        found = [value for n in figures if (value := _value(point.figures, n)) is not None]
        points.append(_drawn(search, point, (*chosen, *found)))
    axes = [
        *(Axis(name.replace("_", " "), tuple(columns[name])) for name in names),
        *(Axis(name.replace("_", " ")) for name in figures),
    ]
    note = "; ".join(f"{n.replace('_', ' ')}: {', '.join(columns[n])}" for n in names)
    return caption(parallel_picture(f"lines{place}", axes, points), f"From below: {note}")


def _numbers(search: Search, name: str) -> dict[str, float]:
    """The choices of a dimension, numbered."""
    found = next(one for one in search.space if one.name == name)
    return {text: float(number) for number, text in enumerate(found.choices)}


def _cuts(search: Search) -> Table:
    rows = [(cut.reason, cut.rung or "none", str(cut.points)) for cut in search.cuts]
    return Table(("why", "last rung finished", "points"), tuple(rows))


def _rungs(search: Search) -> Table:
    rows = [
        (one.rung, str(one.points), str(one.works) if one.works else "", f"{one.seconds:,.0f}")
        for one in search.rungs
    ]
    return Table(("rung", "points that passed", "works", "seconds"), tuple(rows))


def _untried(search: Search) -> Table:
    return Table(("not tried",), tuple((line,) for line in search.untried))


def _settings(search: Search) -> Table:
    return Table(("setting", "value"), tuple(search.settings.items()))
