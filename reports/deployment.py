"""The page of a deployment: what a target did, and what a chip would have to hold."""

from collections.abc import Sequence

from toreq_hw.records.chip import ChipMap, Estimates, ThirdPartyEstimate
from toreq_hw.records.deployment import Deployment
from toreq_hw.reports.core_map import core_map
from toreq_hw.reports.page import Page, Section, Table, network_facts


def deployment_page(
    title: str, record: Deployment, rows: Sequence[tuple[str, str]], network_sha256: str
) -> Page:
    """From a deployment's record; `rows` is the table that the terminal shows too.

    A target that is no chip gets the figures only.
    """
    sections = [Section("What it did", record.split, _table(("figure", "value"), rows))]
    if record.chip:
        sections += [*_map_sections(record.chip.mapping), _estimates(record.chip.estimates)]
        if record.chip.third_party:
            sections.append(_third_party(record.chip.third_party, record.chip.estimates))
    sections.append(Section("To be read with it", " ".join(record.notes)))
    return Page(
        title,
        "Every check held." if record.passed else "A check failed.",
        tuple(sections),
        dict(record.versions),
        passed=record.passed,
        facts=network_facts(network_sha256),
    )


def _map_sections(mapping: ChipMap) -> list[Section]:
    limits = [name.removesuffix("_per_core") for name in mapping.chip.counts]
    used = [name for name in limits if name in mapping.cores[0].used]
    rows = [
        (
            f"chip {core.chip}, {core.column},{core.row}",
            f"{core.population} {core.first}..{core.last - 1}",
            *(f"{core.used[name]} ({core.percent[name]} %)" for name in used),
        )
        for core in mapping.cores
    ]
    allowed = [str(mapping.chip.limit(name)) for name in used]
    header = ("core", "holds", *(name.replace("_", " ") for name in used))
    sources = [
        (name.replace("_", " "), str(mapping.chip.counts[name]), source)
        for name, source in mapping.chip.sources.items()
        if name in mapping.chip.counts
    ]
    text = (
        f"{mapping.cores_used} cores on {mapping.chips_used} chip(s); an event travels "
        f"{mapping.hops_per_event:.2f} hops between cores on average "
        f"({mapping.hops_per_event_in_order:.2f} before placement). "
        "The number in a core is the fullest of its limits, in per cent."
    )
    return [
        Section("Core map", text, pictures=(core_map(mapping),)),
        Section("Cores", table=_table(header, [("limit", "", *allowed), *rows])),
        Section(
            "Limits and where they come from", table=_table(("limit", "value", "source"), sources)
        ),
    ]


def _estimates(estimates: Estimates) -> Section:
    rows = [
        (what, f"{found.value:.3g} {unit}", f"{found.low:.2g} to {found.high:.3g} {unit}")
        for what, found, unit in (
            ("energy per sample", estimates.energy_per_sample_uj, "uJ"),
            ("time per sample", estimates.time_per_sample_us, "us"),
        )
    ]
    rows += [(name, "", source) for name, source in estimates.sources.items()]
    header = ("estimate", "value", "spread of the sources; source")
    return Section("Estimates", estimates.label + ".", _table(header, rows))


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
