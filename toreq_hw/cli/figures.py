"""Rows of the tables that several commands print."""

from toreq_hw.records.relaxed import Relaxed
from toreq_hw.records.summary import Summary


def summary_rows(summary: Summary) -> list[tuple[str, str]]:
    """What a person wants to read of a summary; of `Relaxed`, also how cycles ended."""
    s = summary.sweeps
    saved = summary.dense_synops_per_sample / summary.synops_per_sample
    return [
        ("test accuracy", f"{100 * summary.accuracy:.2f} % of {summary.samples:,}"),
        (
            "sweeps to settle",
            f"mean {s.mean:.2f}, p50 {s.p50}, p95 {s.p95}, p99 {s.p99}, max {s.max}",
        ),
        ("did not settle", f"{summary.unsettled}"),
        *(unsettled_rows(summary) if isinstance(summary, Relaxed) else []),
        ("events per image", f"{summary.events_per_sample:,.1f}"),
        ("synaptic operations per image", f"{summary.synops_per_sample:,.0f}"),
        (
            "the same, dense with early stop",
            f"{summary.dense_synops_per_sample:,.0f} ({saved:.1f}x)",
        ),
    ]


def unsettled_rows(record: Relaxed) -> list[tuple[str, str]]:
    """How the samples ended that did not settle, a row each way."""
    found = [
        (f"  cycles of {cycled.period} sweeps", f"{cycled.samples:,}") for cycled in record.cycles
    ]
    if record.at_sweep_limit:
        found.append(("  ended by the limit on sweeps", f"{record.at_sweep_limit:,}"))
    return found
