"""Rows of the tables that several commands print."""

from toreq_hw.json_values import JsonObject
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


_NAMES = {
    "accuracy": "test accuracy",
    "simulator_accuracy": "test accuracy of the simulator",
    "unsettled": "phases that did not settle",
    "synops_per_sample": "synaptic operations per image",
}
"""Of a deployment's figures that are not called as their fields are."""

_SHARES = ("accuracy", "simulator_accuracy", "class_agreement")
_WORDS = ("form", "file")


def deployment_rows(record: JsonObject) -> list[tuple[str, str]]:
    """Every plain figure of a deployment's record, in the names and units of `summary_rows`."""
    return [
        (
            _NAMES.get(key, key.replace("_", " ").replace("per sample", "per image")),
            _figure(key, value, record),
        )
        for key, value in record.items()
        if isinstance(value, bool | int | float) or key in _WORDS
    ]


def _figure(key: str, value: bool | float | str, record: JsonObject) -> str:
    if key in _SHARES:
        return f"{100 * float(value):.2f} % of {record['samples']:,}"
    if key == "class_agreement_needed":
        return f"{100 * float(value):g} %"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if key == "synops_per_sample":
        return f"{value:,.0f}"
    return f"{value:,.1f}" if key.startswith("events_per_sample") else f"{value:.4g}"
