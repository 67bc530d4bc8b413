"""The page of the verification: verdicts, the choice they speak for, and each track."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from toreq_hw.records.verification import Side, TrackResult, TrackRow, Verification
from toreq_hw.reports.page import Page, Section, Table, caption
from toreq_hw.reports.verification_pictures import MOST_ARMS, arms_picture, drawing_picture

QUICK_TITLE = "QUICK, NOT A RESULT: "
"""Begins title and lead of a quick record."""


SIDES: dict[Side, str] = {
    "EqProp": "EqProp",
    "backpropagation": "Backpropagation, or a feed-forward net,",
}
"""Whom figures may speak for, as a sentence begins."""


def lead(record: Verification) -> str:
    """How many claims hold, and how many do not, in a sentence."""
    counts = Counter(result.outcome for result in record.results)
    parts = [f"{count} {outcome}" for outcome, count in sorted(counts.items())]
    parts += [f"{len(record.not_run)} not run"] if record.not_run else []
    failed = [_number(result.ids) for result in record.results if not result.controlled]
    control = f" Controls failed in {', '.join(failed)}." if failed else ""
    lost = "".join(f" Not measured: {one}." for one in record.failed)
    return f"{_quick(record)}Published claims: {', '.join(parts)}.{control}{lost}"


def _quick(record: Verification) -> str:
    """What a quick record is of."""
    if not record.quick:
        return ""
    most = max((result.seeds for result in record.results), default=0)
    seeds = "one seed" if most == 1 else f"{most} seeds or fewer"
    return f"{QUICK_TITLE}{', '.join(_data(*record.results).split(', ')[:3])}, {seeds}. "


def verification_page(record: Verification) -> Page:
    """From the whole record."""
    quick = QUICK_TITLE if record.quick else ""
    return Page(
        f"{quick}Every published claim, judged",
        lead(record),
        (
            Section("Verdicts", _what(record), _verdicts(record, quick)),
            Section("When would you choose EqProp?", _choice(record), _sides(record)),
            *(one for result in record.results for one in _sections(result, quick)),
        ),
        dict(record.versions),
    )


def _what(record: Verification) -> str:
    seeds = sorted({result.seeds for result in record.results})
    said = " or ".join(map(str, seeds)) or "no"
    hours = sum(result.seconds for result in record.results) / 3600
    return (
        f"{said} seeds (records that are taken in have their own), real data sets, test samples "
        f"that chose nothing. Runs add up to {hours:.1f} hours. Data that a row does not name were "
        "not measured. Each track states its thresholds, and says so where they were "
        "changed after figures had been seen. It has a control, and a variant that is "
        "broken on purpose; a test holds that each break changes "
        "the verdict. Nothing ran on neuromorphic silicon: joules are estimates, and times "
        "are those of CPUs. Claims are those of the research prototype this project grows from."
    )


def _number(ids: Sequence[str]) -> str:
    return ", ".join(ids)


def _title(result: TrackResult, quick: str) -> str:
    """Of the first section of a track."""
    return f"{quick}Track {_number(result.ids)}: {result.outcome}"


def _verdicts(record: Verification, quick: str) -> Table:
    rows = {
        one.ids: (one.claim, str(one.outcome), _finding(one), _data(one), f"{one.seconds:,.0f}")
        for one in record.results
    }
    rows |= {one.ids: (one.claim, "not run", "", "", "") for one in record.not_run}
    lines = tuple((_number(ids), *rows[ids]) for ids in sorted(rows, key=_order))
    header = ("track", "claim as published", "verdict", "because", "data", "seconds")
    return Table(header, lines, {_number(one.ids): _title(one, quick) for one in record.results})


def _finding(result: TrackResult) -> str:
    """The first sentence of a verdict; the others have its figures by case."""
    return re.split(r"(?<=\.) (?=[A-Z])", result.sentence)[0]


def _data(*results: TrackResult) -> str:
    return ", ".join(dict.fromkeys(row.data for result in results for row in result.rows))


def _order(ids: tuple[str, ...]) -> tuple[int, str]:
    """Numbers first."""
    return (int(ids[0]) if ids[0].isdigit() else 1000, ids[0])


def _choice(record: Verification) -> str:
    """The answer, from the results at hand alone."""
    missing = ", ".join(_number(one.ids) for one in record.not_run)
    left = f" Tracks that were not run say nothing: {missing}." if missing else ""
    answers = " ".join(
        f"{name} {_reasons(record, side)}." for side, name in SIDES.items() if _count(record, side)
    )
    return (
        "Only what was measured here counts, backpropagation's wins included. Of "
        f"{len(record.results)} tracks {_count(record, 'EqProp')} speak for EqProp, "
        f"{_count(record, 'backpropagation')} for backpropagation or a feed-forward net, "
        f"{_count(record, 'neither')} for neither. {answers}{left}"
    )


def _reasons(record: Verification, side: Side) -> str:
    """What a side does better, each with its track."""
    return "; ".join(
        f"{one.better or 'is ahead'} (track {_number(one.ids)})"
        for one in record.results
        if one.favours == side
    )


def _count(record: Verification, side: Side) -> int:
    return sum(result.favours == side for result in record.results)


def _sides(record: Verification) -> Table:
    sides: tuple[Side, ...] = (*SIDES, "neither")
    rows = [
        (side, _number(one.ids), "" if side == "neither" else one.better, _finding(one))
        for side in sides
        for one in record.results
        if one.favours == side
    ]
    return Table(("speaks for", "track", "which", "finding of the track"), tuple(rows))


def _sections(result: TrackResult, quick: str) -> tuple[Section, ...]:
    drawn = [row for row in result.rows if row.quantity == result.picture]
    arms = [caption(arms_picture(drawn), _caption(result, drawn))] if drawn else []
    images = [caption(drawing_picture(one), one.caption) for one in result.drawings]
    held = "" if result.controlled else " The control did not behave as it must."
    track = f"{quick}Track {_number(result.ids)}"
    facts = (
        ("claim as published", result.claim),
        ("verdict", f"{result.outcome}: {result.sentence}{held}"),
        ("set-up", result.setup),
        ("control", result.control),
        ("thresholds", result.thresholds),
        ("sources", result.sources),
        ("cost", f"{result.seconds:,.0f} s of runs; trainings that tracks share count once"),
        ("repeat", f"`{result.command}`"),
    )
    first, *others = _tables(result)
    parts = (
        Section(_title(result, quick), table=Table(("part", "what"), facts)),
        Section(f"{track}: figures", table=first, pictures=(*arms, *images)),
        *(Section(f"{track}: figures, part {k}", table=one) for k, one in enumerate(others, 2)),
    )
    shown = f"{track} ({result.outcome}): {result.claim}"
    return tuple(replace(one, fold=shown) for one in parts)


def _caption(result: TrackResult, drawn: Sequence[TrackRow]) -> str:
    arms = len({row.arm for row in drawn})
    some = f"; the first {MOST_ARMS} of {arms} arms" if arms > MOST_ARMS else ""
    seeds = f"{result.seeds} seeds" if result.seeds > 1 else "one seed"
    return f"{result.picture}: mean and 95 % interval, {seeds} as dots; hollow: the control{some}"


MOST_COLUMNS = 8
"""Of quantities side by side; more stand in tables of their own."""


def _tables(result: TrackResult) -> list[Table]:
    """A line a case and a column a quantity; more tables where there are many quantities."""
    quantities = tuple(dict.fromkeys(row.quantity for row in result.rows))
    found = []
    for first in range(0, len(quantities), MOST_COLUMNS):
        shown = quantities[first : first + MOST_COLUMNS]
        rows = [row for row in result.rows if row.quantity in shown]
        cells = {(_arm(row), row.data, row.quantity): _cell(row) for row in rows}
        cases = dict.fromkeys((_arm(row), row.data) for row in rows)
        lines = [(*case, *(cells.get((*case, name), "") for name in shown)) for case in cases]
        found.append(Table(("arm", "data", *shown), tuple(lines)))
    return found


def _arm(row: TrackRow) -> str:
    return f"{row.arm} (control)" if row.control else row.arm


def _cell(row: TrackRow) -> str:
    size = max(map(abs, row.values))
    digits = 0 if size >= 1000 or all(float(value).is_integer() for value in row.values) else 2
    digits = 4 if 0 < size < 0.1 else digits
    if row.interval is None:
        return f"{row.mean:,.{digits}f}"
    shown = 1 if digits == 0 and not row.mean.is_integer() and size < 1000 else digits
    return f"{row.mean:,.{shown}f} ± {row.interval.half_width:,.{shown}f}"
