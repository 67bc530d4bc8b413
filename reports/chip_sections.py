"""The part of a deployment's page that is about a chip: its cores, what they do, what it costs."""

from collections.abc import Sequence

from toreq_hw.records.chip import (
    Chip,
    ChipActivity,
    ChipMap,
    ChipRecord,
    Core,
    EstimatedSum,
    Estimates,
    ThirdPartyEstimate,
    Traffic,
)
from toreq_hw.reports.chip_pictures import event_raster, limit_bars, phase_activity
from toreq_hw.reports.core_map import MOST_ARROWS, core_map
from toreq_hw.reports.footnotes import Footnotes
from toreq_hw.reports.numbers import span
from toreq_hw.reports.page import Section, Table, caption

MOST_WAYS = 20
"""Rows of the table of traffic."""


def chip_sections(record: ChipRecord, notes: Footnotes) -> list[Section]:
    """From a chip's record; sources go into `notes`."""
    sections = [
        _activity(record.activity),
        *_map_sections(record.mapping, record.activity.traffic, notes),
        _estimates(record.estimates, record.mapping.chip, notes),
    ]
    if record.third_party:
        other = record.third_party
        sections.append(_third_party(other, record.estimates, record.mapping.chip))
    return [*sections, _assumed(record.mapping.chip, notes)]


def _assumed(chip: Chip, notes: Footnotes) -> Section:
    """Grid and encoding of the chip, on which the map rests beside the limits."""
    rows = [
        (name.replace("_", " "), f"{value:,} {notes.mark(chip.sources[name])}")
        for name, value in chip.counts.items()
        if not name.endswith("_per_core")
    ]
    return Section("What the map takes the chip to be", table=_table(("property", "value"), rows))


def _activity(activity: ChipActivity) -> Section:
    pictures = (
        caption(
            event_raster(activity),
            f"Each dot is one event of sample {activity.sample}, the one with most events. "
            "Neurons are numbered over the populations, in the order of the network.",
        ),
        caption(
            phase_activity(activity),
            f"Events per image in each tick, mean of {activity.samples} samples.",
        ),
    )
    return Section("What happens in each tick", pictures=pictures)


def _map_sections(
    mapping: ChipMap, traffic: tuple[Traffic, ...], notes: Footnotes
) -> list[Section]:
    facts = (
        ("cores used", str(mapping.cores_used)),
        ("chips used", str(mapping.chips_used)),
        ("hops per event between cores", f"{mapping.hops_per_event:.2f}"),
        ("hops per event before placement", f"{mapping.hops_per_event_in_order:.2f}"),
    )
    words = (
        "The number in a core is the fullest of its limits, in per cent. "
        "An arrow is as wide as the messages per image from core to core; "
        f"at most {MOST_ARROWS} are drawn."
    )
    bars = caption(limit_bars(mapping), "Each bar is one core; the dashed line is the limit.")
    return [
        Section(
            "Core map",
            table=_table(("figure", "value"), facts),
            pictures=(caption(core_map(mapping, traffic), words),),
        ),
        Section("Traffic between cores", table=_traffic(mapping.cores, traffic)),
        Section("Cores and limits", table=_cores(mapping, notes), pictures=(bars,)),
    ]


def _traffic(cores: tuple[Core, ...], traffic: tuple[Traffic, ...]) -> Table:
    """The input, which sends the same to all cores that it feeds; then the busiest ways."""
    fed = [way for way in traffic if way.source is None]
    rows = (
        [("the input", f"each core that it feeds, {len(fed)} in all", f"{fed[0].messages:,.1f}")]
        if fed
        else []
    )
    between = [(way.source, way) for way in traffic if way.source is not None]
    busiest = sorted(between, key=lambda pair: -pair[1].messages)
    rows += [
        (_place(cores[source]), _place(cores[way.target]), f"{way.messages:,.1f}")
        for source, way in busiest[:MOST_WAYS]
    ]
    if len(busiest) > MOST_WAYS:
        rest = sum(way.messages for _, way in busiest[MOST_WAYS:])
        rows.append((f"{len(busiest) - MOST_WAYS} more ways", "", f"{rest:,.1f}"))
    return _table(("from", "to", "messages per image"), rows)


def _place(core: Core) -> str:
    neurons = f"{core.population} {core.first}..{core.last - 1}"
    return f"chip {core.chip}, {core.column},{core.row} ({neurons})"


def _cores(mapping: ChipMap, notes: Footnotes) -> Table:
    """A row for the limits, with their sources, and one for each core."""
    used = list(mapping.cores[0].used)
    limits = [
        f"{mapping.chip.limit(name):,} {notes.mark(mapping.chip.limit_source(name))}"
        for name in used
    ]
    rows = [
        (_place(core), *(f"{core.used[name]:,} ({core.percent[name]} %)" for name in used))
        for core in mapping.cores
    ]
    header = ("core", *(name.replace("_", " ") for name in used))
    return _table(header, [("limit of a core", *limits), *rows])


def _estimates(estimates: Estimates, chip: Chip, notes: Footnotes) -> Section:
    """Sums with their parts, then the figures that counts are multiplied by."""
    rows = [
        (
            what,
            f"{found.value:.3g} {unit}",
            f"{span(f'{found.low:.2g}', f'{found.high:.3g}')} {unit}",
        )
        for what, found, unit in (
            ("energy per image", estimates.energy_per_sample_uj, "uJ"),
            ("time per image", estimates.time_per_sample_us, "us"),
        )
    ]
    for what, found, unit in (
        ("energy", estimates.energy_per_sample_uj, "uJ"),
        ("time", estimates.time_per_sample_us, "us"),
    ):
        rows += [
            (f"of the {what}: {_name(name)}", f"{part:.3g} {unit}", "")
            for name, part in found.parts.items()
        ]
    for name, source in estimates.sources.items():
        figure, unit = chip.figures[name], _UNITS[name.rpartition("_")[2]]
        spread = f"{span(f'{figure.low:g}', f'{figure.high:g}')} {unit}"
        rows.append((_one(name), f"{figure.value:g} {unit} {notes.mark(source)}", spread))
    header = ("estimate", "value", "spread of the sources")
    return Section("Estimates", estimates.label + ".", _table(header, rows))


_UNITS = {"pj": "pJ", "ns": "ns"}
"""By the last word of a figure's name."""


def _name(figure: str) -> str:
    """Of a figure without its unit."""
    return figure.rpartition("_")[0].replace("_", " ")


def _one(figure: str) -> str:
    """Of a figure's operation, one."""
    name = _name(figure)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _third_party(other: ThirdPartyEstimate, ours: Estimates, chip: Chip) -> Section:
    energy, time = ours.energy_per_sample_uj, ours.time_per_sample_us
    rows = [
        _beside("energy per image", other.energy_per_sample_uj, energy.value, "uJ"),
        *_parts_beside(other, energy, chip),
        _beside("time per image", other.time_per_sample_us, time.value, "us"),
        (
            "synaptic operations per image",
            f"{other.synops_per_sample:,.0f}",
            f"{energy.counts[_SYNOP]:,.0f}",
            "",
        ),
        ("messages per image", f"{other.messages_per_sample:,.1f}", "", ""),
    ]
    outside = [
        f"Its {name} lies outside the spread of our sources, "
        f"{span(f'{found.low:.2g}', f'{found.high:.3g}')} {unit}."
        for name, value, found, unit in (
            ("energy", other.energy_per_sample_uj, energy, "uJ"),
            ("time", other.time_per_sample_us, time, "us"),
        )
        if not found.low <= value <= found.high
    ]
    text = (
        f"{other.samples} free phases, replayed event by event on {other.tool}. {other.differences}"
    )
    header = ("figure", "there", "here", "difference")
    return Section("Beside another tool", " ".join((*outside, text)), _table(header, rows))


def _parts_beside(
    other: ThirdPartyEstimate, energy: EstimatedSum, chip: Chip
) -> list[tuple[str, ...]]:
    """Of the energy: part beside part, and what one operation of it costs."""
    rows: list[tuple[str, ...]] = []
    for what, theirs, names in _SAME_PARTS:
        there = sum(other.energy_parts_uj[part] for part in theirs)
        here = sum(energy.parts[name] for name in names)
        _, there_text, here_text, difference = _beside(what, there, here, "uJ")
        if theirs == ("synapse",) and other.synops_per_sample:
            price = 1e6 * there / other.synops_per_sample
            there_text += f" ({price:.3g} pJ a synop)"
        prices = ", ".join(f"{chip.figures[name].value:g} pJ {_one(name)}" for name in names)
        rows.append((f"of this, {what}", there_text, f"{here_text} ({prices})", difference))
    return rows


_SYNOP = "synop_pj"
"""The figure of a synapse that an event walks."""

_SAME_PARTS = (
    ("synapses", ("synapse",), (_SYNOP,)),
    ("neurons: dendrite and soma", ("dendrite", "soma"), ("update_pj",)),
    ("network", ("network",), ("message_pj", "hop_pj")),
)
"""Name, parts of the other tool, and ours that stand for the same."""


def _beside(what: str, there: float, here: float, unit: str) -> tuple[str, ...]:
    return (what, f"{there:.3g} {unit}", f"{here:.3g} {unit}", f"{there - here:+.3g} {unit}")


def _table(header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    return Table(tuple(header), tuple(rows))
