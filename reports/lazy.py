"""The page of lazy cores: from the record of `toreq-hw lazy` to tables."""

from collections.abc import Sequence

from toreq_hw.records.lazy import Effort, LazyNetwork, LazyRecord, Saving
from toreq_hw.reports.page import Page, Section, Table

HEADER = (
    "core",
    "test accuracy %",
    "lost",
    "won",
    "p",
    "events",
    "weights read",
    "cycles mean",
    "p95",
    "saved %",
)


def lazy_page(record: LazyRecord) -> Page:
    """From the whole record."""
    rows = record.networks
    lead = "Most cycles saved without more images lost than won: " + "; ".join(map(_best, rows))
    sections = [Section(row.name, _split_text(row), Table(*savings_table(row))) for row in rows]
    return Page("Lazy cores", f"{lead}.", (_what(), *sections), dict(record.versions))


def savings_table(row: LazyNetwork) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and lines of a network's table."""
    return HEADER, tuple(_line(saving) for saving in row.savings)


def _line(saving: Saving) -> tuple[str, ...]:
    work = saving.workload
    return (
        effort_name(saving.effort),
        f"{100 * work.accuracy:.2f}",
        f"{saving.lost}",
        f"{saving.won}",
        f"{saving.p_value:.2g}",
        f"{work.events + work.input_events:,.1f}",
        f"{work.synops:,.0f}",
        f"{work.cycles_mean:,.0f}",
        f"{work.cycles_p95:,}",
        f"{100 * saving.saved:.1f}",
    )


def effort_name(effort: Effort) -> str:
    """For a table's first column."""
    if effort.limit is not None:
        return f"stopped after {effort.limit}"
    return f"threshold {effort.threshold}" if effort.threshold else "lossless, settles"


def _best(row: LazyNetwork) -> str:
    """The most that each way saves for nothing."""
    harmless = [saving for saving in row.savings if saving.won >= saving.lost]
    lossy = [saving for saving in harmless if saving.effort.threshold]
    hasty = [saving for saving in harmless if saving.effort.limit is not None]
    return f"{row.name}: {_most(lossy, 'no threshold')}, {_most(hasty, 'no limit')}"


def _most(savings: Sequence[Saving], nothing: str) -> str:
    if not savings:
        return nothing
    best = max(savings, key=lambda saving: saving.saved)
    return f"{effort_name(best.effort)} saves {100 * best.saved:.1f} %"


def _what() -> Section:
    text = (
        "A core with a threshold sends no move of a state that is not larger (lossy mode, "
        "docs/numerics.md, section 3). The control stops a lossless core after so many sweeps, "
        "settled or not. Free phase of every test image; cycles by the core's exact timing model, "
        "counts are means of an image, and events include the input's. Lost: images that the "
        "lossless, settled core alone gets right; won: those that it alone gets wrong; p: exact "
        "test of the two (McNemar). All that was tried is shown; none was chosen by these images."
    )
    return Section("What is compared", text)


def _split_text(row: LazyNetwork) -> str:
    return f"{row.data}: {row.split}."
