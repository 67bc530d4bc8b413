"""Rows of a track: made of its runs, and looked up by data set, arm and quantity."""

from collections.abc import Iterator, Mapping, Sequence

from toreq_hw.records.verification import TrackRow
from toreq_hw.reports.numbers import span


def row(
    data: str, arm: str, quantity: str, values: Sequence[float], *, control: bool = False
) -> TrackRow:
    """One row with its interval."""
    return TrackRow(
        data=data,
        arm=arm,
        quantity=quantity,
        values=tuple(float(value) for value in values),
        control=control,
    )


def of(
    rows: Sequence[TrackRow],
    quantity: str,
    *,
    data: str | None = None,
    arm: str | None = None,
    control: bool | None = None,
) -> list[TrackRow]:
    """The rows of one quantity; of one data set, one arm, the control or not, where said."""
    return [
        one
        for one in rows
        if one.quantity == quantity
        and data in (None, one.data)
        and arm in (None, one.arm)
        and control in (None, one.control)
    ]


def the(rows: Sequence[TrackRow], data: str, arm: str, quantity: str) -> TrackRow:
    """The one row of these. Raises LookupError where there is none."""
    found = of(rows, quantity, data=data, arm=arm)
    if len(found) != 1:
        raise LookupError(f"rows must have one of {data}, {arm}, {quantity}, found {len(found)}")
    return found[0]


def data_of(rows: Sequence[TrackRow]) -> tuple[str, ...]:
    """The data sets, in their order."""
    return tuple(dict.fromkeys(one.data for one in rows))


def differences(
    rows: Sequence[TrackRow], quantity: str, arm: str, other: str
) -> Iterator[tuple[str, TrackRow]]:
    """Of each data set that has both arms: arm less other, of equal seeds."""
    for data in data_of(rows):
        pair = [of(rows, quantity, data=data, arm=one) for one in (arm, other)]
        if all(pair):
            values = zip(pair[0][0].values, pair[1][0].values, strict=True)
            yield data, row(data, f"{arm} less {other}", quantity, [a - b for a, b in values])


def figure(one: TrackRow, digits: int = 2) -> str:
    """`mean ± half width`, without the latter of one value."""
    if one.interval is None:
        return f"{one.mean:,.{digits}f}"
    return f"{one.mean:,.{digits}f} ± {one.interval.half_width:,.{digits}f}"


def on_each(gaps: Mapping[str, TrackRow]) -> str:
    """`figure` of each data set, which is named behind it."""
    return ", ".join(f"{figure(gap)} ({data})" for data, gap in gaps.items())


def extent(values: Sequence[float], digits: int = 0) -> str:
    """`least to most`, or one figure where both are written alike."""
    return span(*(f"{value:,.{digits}f}" for value in (min(values), max(values))))
