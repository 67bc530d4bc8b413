"""Campaigns as tables and pictures: what a network survives, beside its feed-forward twin."""

from collections.abc import Mapping, Sequence
from typing import Any

from toreq_hw.reports.page import Page, Section, Table
from toreq_hw.reports.pictures import curves_with_bands, share_lines

Record = Mapping[str, Any]


def campaign_rows(record: Record) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows of one campaign's table; intervals at the campaign's confidence."""
    header = (
        record["unit"],
        "trials",
        "accuracy %",
        "feed-forward %",
        "same equilibrium %",
        "same class %",
        "distance %",
        "sweeps",
        "unsettled",
        "events",
    )
    return header, tuple(_row(level) for level in record["levels"])


def campaign_section(record: Record) -> Section:
    """One campaign: table, degradation curve, and how long settling took."""
    header, rows = campaign_rows(record)
    asked = [level for level in record["levels"] if level["level"] in record["asked_levels"]]
    x = [level["level"] for level in asked]
    series = {"equilibrium network": [_points(level["accuracy"]) for level in asked]}
    if all(level["twin_accuracy"] for level in asked):
        series["feed-forward twin"] = [_points(level["twin_accuracy"]) for level in asked]
    settling = {f"{level['level']:g}": level["sweeps"] for level in _some(asked)}
    pictures = [curves_with_bands(x, series, record["unit"], "test accuracy, %")]
    if record["per_image"]:
        healing = {
            "same equilibrium": [_points(level["exact"]) for level in asked],
            "same class": [_points(level["agreement"]) for level in asked],
        }
        pictures.append(curves_with_bands(x, healing, record["unit"], "images, %"))
    pictures.append(share_lines(settling, "sweeps to settle"))
    return Section(campaign_title(record), _text(record), Table(header, rows), tuple(pictures))


def campaign_title(record: Record) -> str:
    """What was damaged, on which data, with which settings."""
    options = ", ".join(f"{name} {value}" for name, value in record["options"].items())
    return f"{record['layer']} on {record['data']}" + (f" ({options})" if options else "")


def campaigns_page(records: Sequence[Record], title: str) -> Page:
    """A page of campaigns, in order."""
    passed = all(record["controls"]["passed"] for record in records)
    lead = "Every control held." if passed else "A control failed: read no figure before it is found."
    return Page(
        title=title,
        lead=lead,
        sections=tuple(campaign_section(record) for record in records),
        made_by=dict(records[0]["versions"]),
    )


def _text(record: Record) -> str:
    controls = record["controls"]
    zero = "changes no state" if controls["zero_is_exact"] else "CHANGES STATES"
    ruin = ""
    if controls["ruin_level"] is not None:
        found = "chance" if controls["ruin_is_chance"] else "NOT chance"
        ruin = (
            f" full damage (level {controls['ruin_level']:g}) ends at "
            f"{100 * controls['ruin_accuracy']:.1f} %, {found};"
        )
    return (
        f"{record['samples']:,} test images a trial; intervals at {100 * record['confidence']:g} %. "
        f"Controls: level 0 {zero};{ruin} quiescence: {record['quiescence']}."
    )


def _row(level: Record) -> tuple[str, ...]:
    twin = level["twin_accuracy"]
    return (
        f"{level['level']:g}",
        str(level["trials"]),
        _interval(level["accuracy"], level["trials"]),
        _interval(twin, level["trials"]) if twin else "-",
        f"{100 * level['exact']['value']:.2f}",
        f"{100 * level['agreement']['value']:.2f}",
        f"{100 * level['distance']:.3f}",
        f"{level['mean_sweeps']:.2f}",
        str(level["unsettled"]),
        f"{level['events']:.1f}",
    )


def _interval(interval: Record, trials: int) -> str:
    if trials < 2:
        return f"{100 * interval['value']:.2f}"
    reach = 50 * (interval["high"] - interval["low"])
    return f"{100 * interval['value']:.2f} +- {reach:.2f}"


def _points(interval: Record) -> tuple[float, float, float]:
    return interval["value"], interval["low"], interval["high"]


def _some(levels: Sequence[Record]) -> Sequence[Record]:
    """At most four, evenly spaced: more lines cannot be told apart."""
    step = max(1, -(-len(levels) // 4))
    return levels[::step]
