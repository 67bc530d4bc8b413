"""Campaigns as tables and pictures: what a network survives, beside its feed-forward baseline."""

import math
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto
from statistics import NormalDist

from msgspec import UNSET

from toreq_hw.records.campaign import Campaign, LevelSummary
from toreq_hw.records.intervals import Interval
from toreq_hw.records.robustness import DataStudy, Robustness
from toreq_hw.reports.page import Page, Section, Table, network_facts
from toreq_hw.reports.robustness_pictures import curves_with_bands, share_lines
from toreq_hw.reports.robustness_studies import study_sections

_CONTROLS = {
    True: "Every control held.",
    False: "A control FAILED: read no figure before its cause is found.",
}


def campaign_rows(record: Campaign) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows of one campaign's table; intervals at the campaign's confidence."""
    header = (
        record.unit,
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
    return header, tuple(_row(level) for level in record.levels)


def campaign_section(record: Campaign, *, drawn: bool = True) -> Section:
    """One campaign: table; where `drawn`, degradation curve and how long settling took."""
    header, rows = campaign_rows(record)
    pictures = _pictures(record) if drawn else ()
    return Section(campaign_title(record), _text(record), Table(header, rows), pictures)


def _pictures(record: Campaign) -> tuple[str, ...]:
    asked = [level for level in record.levels if level.level in record.asked_levels]
    baselines = [level.twin_accuracy for level in asked if level.twin_accuracy]
    x = [level.level for level in asked]
    series = {"equilibrium network": [_points(level.accuracy) for level in asked]}
    if len(baselines) == len(asked):
        series |= {"feed-forward baseline": [_points(baseline) for baseline in baselines]}
    pictures = [curves_with_bands(x, series, record.unit, "test accuracy, %")]
    if record.on_settled:
        healing = {
            "same equilibrium": [_points(level.exact) for level in asked],
            "same class": [_points(level.agreement) for level in asked],
        }
        pictures.append(curves_with_bands(x, healing, record.unit, "images, %"))
        settling = {f"{level.level:g}": level.sweeps for level in _some(asked)}
        pictures.append(share_lines(settling, "sweeps to settle"))
    return tuple(pictures)


def campaign_title(record: Campaign) -> str:
    """What was damaged, on which data, with which settings."""
    options = ", ".join(f"{name} {value}" for name, value in record.options.items())
    return f"{record.layer} on {record.data}" + (f" ({options})" if options else "")


def campaigns_page(records: Sequence[Campaign], title: str) -> Page:
    """A page of campaigns, in order."""
    passed = all(record.controls.passed for record in records)
    return Page(
        title=title,
        lead=_CONTROLS[passed],
        sections=tuple(campaign_section(record) for record in records),
        made_by=dict(records[0].versions),
        passed=passed,
        facts=network_facts(records[0].network_sha256),
    )


def robustness_lead(record: Robustness) -> str:
    """What was found, in a few sentences."""
    return " ".join(
        [_CONTROLS[record.passed], *(_lead(name, study) for name, study in record.data.items())]
    )


def robustness_page(record: Robustness) -> Page:
    """The page of `make robustness`, from its whole record.

    Campaigns on the last data set have pictures, the others tables only: a page stays below 1 MB.
    """
    sections: list[Section] = []
    for name, study in record.data.items():
        shape = "-".join(map(str, study.shape))
        sections.append(
            Section(
                f"{name}, {shape}: against the feed-forward baseline",
                f"{study.split}. {_plainly(study.campaigns)} Accuracy lost at each level "
                "against the undamaged self; a difference is called one where intervals, over "
                "damage and over the choice of test images, do not touch.",
                _verdict_table(study.campaigns),
            )
        )
        last = name == list(record.data)[-1]
        sections += [campaign_section(campaign, drawn=last) for campaign in study.campaigns]
        sections += study_sections(name, study)
    return Page(
        title="What the network survives",
        lead=robustness_lead(record),
        sections=tuple(sections),
        made_by={
            **record.versions,
            "simulator sources": record.sources,
            **_baseline_sources(record),
        },
        passed=record.passed,
    )


def _baseline_sources(record: Robustness) -> dict[str, str]:
    """Sources of the baselines' trials, where those were run again after the others."""
    if record.twins is UNSET:
        return {}
    return {"simulator sources of the feed-forward baselines' trials": record.twins.sources}


class Winner(Enum):
    """Who loses less accuracy; EQUAL where the intervals touch."""

    EQUILIBRIUM = auto()
    BASELINE = auto()
    EQUAL = auto()


def verdicts(campaign: Campaign) -> list[tuple[float, Winner]]:
    """Per asked level who loses less accuracy against its own undamaged self.

    Nothing for layers without a counterpart in a feed-forward network.
    """
    zero = next(level for level in campaign.levels if level.level == 0)
    spread = NormalDist().inv_cdf((1 + campaign.confidence) / 2)

    def half_width(interval: Interval) -> float:
        """Half-width over damage and over the choice of test images (binomial), together."""
        chance = interval.value * (1 - interval.value) / campaign.samples
        return math.hypot((interval.high - interval.low) / 2, spread * chance**0.5)

    found = []
    for level in campaign.levels:
        untouched = zero.twin_accuracy
        if not level.twin_accuracy or not untouched or level.level not in campaign.asked_levels:
            continue
        lost = zero.accuracy.value - level.accuracy.value
        ahead = (untouched.value - level.twin_accuracy.value) - lost
        doubt = half_width(level.accuracy) + half_width(level.twin_accuracy)
        winner = Winner.EQUAL
        if abs(ahead) > doubt:
            winner = Winner.EQUILIBRIUM if ahead > 0 else Winner.BASELINE
        found.append((level.level, winner))
    return found


def _verdict_table(campaigns: Sequence[Campaign]) -> Table:
    rows = []
    for campaign in campaigns:
        found = verdicts(campaign)
        if found:
            cells = [
                ", ".join(f"{level:g}" for level, who in found if who == winner) or "-"
                for winner in Winner
            ]
            rows.append((campaign_title(campaign), *cells))
    header = (
        "layer",
        "equilibrium loses less at",
        "baseline loses less at",
        "no difference seen at",
    )
    return Table(header, tuple(rows))


def _plainly(campaigns: Sequence[Campaign]) -> str:
    """Where the equilibrium network wins and where it loses, in two sentences."""
    places: dict[Winner, list[str]] = {Winner.EQUILIBRIUM: [], Winner.BASELINE: []}
    for campaign in campaigns:
        options = ", ".join(f"{name} {value}" for name, value in campaign.options.items())
        title = campaign.layer + (f" ({options})" if options else "")
        found = verdicts(campaign)
        for side, named in places.items():
            levels = [f"{level:g}" for level, winner in found if winner == side]
            if levels:
                named.append(f"{title} at {', '.join(levels)}")
    wins = "; ".join(places[Winner.EQUILIBRIUM]) or "nothing that was tried"
    losses = "; ".join(places[Winner.BASELINE]) or "nothing that was tried"
    return (
        f"The equilibrium network beats its baseline under {wins}. It loses to it under {losses}. "
        "Elsewhere no difference is seen."
    )


def _lead(name: str, study: DataStudy) -> str:
    counts = Counter(winner for campaign in study.campaigns for _, winner in verdicts(campaign))
    flips = [c for c in study.campaigns if c.layer == "single_state_flip"]
    healed = ""
    if flips:
        levels = [level for level in flips[0].levels if level.level > 0]
        cases = sum(level.images for level in levels)
        exact = sum(level.exact.value * level.images for level in levels)
        healed = (
            f" {100 * exact / cases:.3f} % of {cases:,} single state bit flips return to the "
            "identical equilibrium."
        )
    return (
        f"{name}:{healed} Of {sum(counts.values())} levels of damage the equilibrium network loses "
        f"less than its feed-forward baseline at {counts[Winner.EQUILIBRIUM]}, more at "
        f"{counts[Winner.BASELINE]}, and no difference is seen at {counts[Winner.EQUAL]}."
    )


def _text(record: Campaign) -> str:
    controls = record.controls
    zero = "changes no state" if controls.zero_is_exact else "CHANGES STATES"
    full_damage = ""
    if controls.ruin_level is not None and controls.ruin_accuracy is not None:
        found = "chance" if controls.ruin_is_chance else "NOT chance"
        full_damage = (
            f" full damage (level {controls.ruin_level:g}) ends at "
            f"{100 * controls.ruin_accuracy:.1f} %, {found};"
        )
    return (
        f"{record.samples:,} test images a trial; intervals at "
        f"{100 * record.confidence:g} %. Controls: level 0 {zero};{full_damage} quiescence: "
        f"{record.quiescence}."
    )


def _row(level: LevelSummary) -> tuple[str, ...]:
    baseline = level.twin_accuracy
    return (
        f"{level.level:g}",
        str(level.trials),
        _interval(level.accuracy, level.trials),
        _interval(baseline, level.trials) if baseline else "-",
        f"{100 * level.exact.value:.2f}",
        f"{100 * level.agreement.value:.2f}",
        f"{100 * level.distance:.3f}",
        f"{level.mean_sweeps:.2f}",
        str(level.unsettled),
        f"{level.events:.1f}",
    )


def _interval(interval: Interval, trials: int) -> str:
    if trials < 2:
        return f"{100 * interval.value:.2f}"
    half_width = 50 * (interval.high - interval.low)
    return f"{100 * interval.value:.2f} +- {half_width:.2f}"


def _points(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _some(levels: Sequence[LevelSummary]) -> Sequence[LevelSummary]:
    """At most four, evenly spaced: more lines cannot be told apart."""
    step = max(1, -(-len(levels) // 4))
    return levels[::step]
