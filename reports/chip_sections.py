"""The part of a deployment's page that is about a chip: its cores, what they do, what it costs."""

from collections.abc import Sequence

from toreq_hw.records.chip import (
    Chip,
    ChipActivity,
    ChipMap,
    ChipRecord,
    Core,
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
        sections.append(_third_party(record.third_party, record.estimates))
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
            f"Each dot is one event of sample {activity.sample}. "
            "Neurons are numbered over the populations, in the order of the network.",
        ),
        caption(
            phase_activity(activity),
            f"Events per sample in each tick, mean of {activity.samples} samples.",
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
        "An arrow is as wide as the messages per sample from core to core; "
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
    return _table(("from", "to", "messages per sample"), rows)


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
            ("energy per sample", estimates.energy_per_sample_uj, "uJ"),
            ("time per sample", estimates.time_per_sample_us, "us"),
        )
    ]
    for found, unit in (
        (estimates.energy_per_sample_uj, "uJ"),
        (estimates.time_per_sample_us, "us"),
    ):
        parts = found.parts.items()
        rows += [(f"of this, {_name(name)}", f"{part:.3g} {unit}", "") for name, part in parts]
    for name, source in estimates.sources.items():
        figure, unit = chip.figures[name], _UNITS[name.rpartition("_")[2]]
        spread = f"{span(f'{figure.low:g}', f'{figure.high:g}')} {unit}"
        rows.append((f"a {_name(name)}", f"{figure.value:g} {unit} {notes.mark(source)}", spread))
    header = ("estimate", "value", "spread of the sources")
    return Section("Estimates", estimates.label + ".", _table(header, rows))


_UNITS = {"pj": "pJ", "ns": "ns"}
"""By the last word of a figure's name."""


def _name(figure: str) -> str:
    """Of a figure without its unit."""
    return figure.rpartition("_")[0].replace("_", " ")


def _third_party(other: ThirdPartyEstimate, ours: Estimates) -> Section:
    energy, time = ours.energy_per_sample_uj, ours.time_per_sample_us
    rows = [
        ("energy per sample", f"{other.energy_per_sample_uj:.3g} uJ", f"{energy.value:.3g} uJ"),
        *(
            (f"of this, {part}", f"{found:.3g} uJ", "")
            for part, found in other.energy_parts_uj.items()
        ),
        ("time per sample", f"{other.time_per_sample_us:.3g} us", f"{time.value:.3g} us"),
        ("synops per sample", f"{other.synops_per_sample:,.0f}", "the same"),
        ("messages per sample", f"{other.messages_per_sample:,.1f}", ""),
    ]
    text = (
        f"{other.samples} free phases, replayed event by event on {other.tool}. {other.differences}"
    )
    return Section("Beside another tool", text, _table(("figure", "there", "here"), rows))


def _table(header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    return Table(tuple(header), tuple(rows))
