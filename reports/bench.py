"""The tables of `make bench`: accuracy, speed and memory."""

from collections.abc import Sequence

from toreq_hw.records.bench import Bench, Inference, Memory, Trained
from toreq_hw.reports.page import Page, Section, Table


def bench_page(record: Bench) -> Page:
    """From the whole record."""
    unsettled = sum(one.summary.unsettled for one in record.training)
    same = all(one.same_bits for one in record.inference)
    lead = (
        f"{unsettled} test images did not settle; the engines gave "
        f"{'the same bits' if same else 'OTHER BITS'}."
    )
    return Page("Accuracy, speed and memory", lead, bench_sections(record), dict(record.versions))


def bench_sections(record: Bench) -> tuple[Section, ...]:
    """A table each: training, inference, memory."""
    return (
        _training_table(record.training),
        _inference_table(record.inference),
        _memory_table(record.memory),
    )


def _section(title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Section:
    return Section(title, table=Table(header, tuple(rows)))


def _training_table(records: Sequence[Trained]) -> Section:
    rows = [
        (
            f"{r.data} {r.shape} {r.weights}, {r.epochs} epochs, shifts {r.augment} px",
            f"{100 * r.summary.accuracy:.2f} %",
            str(r.summary.unsettled),
            f"{r.epoch_seconds:.2f}",
            f"{r.summary.sweeps.mean:.1f}",
            str(r.summary.sweeps.max),
            f"{100 * r.sparsity:.0f} %",
        )
        for r in records
    ]
    header = ("network", "accuracy", "unsettled", "s / epoch", "sweeps", "max", "zeros")
    return _section("integer-only training, one thread, test accuracy", header, rows)


def _inference_table(records: Sequence[Inference]) -> Section:
    rows = [
        (
            f"{r.shape} {r.weights}",
            f"{r.event_per_second:,.0f}",
            f"{r.dense_per_second:,.0f}",
            f"{r.event_over_dense:.2f}",
            "yes" if r.same_bits else "NO",
        )
        for r in records
    ]
    header = ("network", "event images/s", "dense images/s", "event / dense", "same bits")
    return _section("inference, one thread each, in turn", header, rows)


def _memory_table(records: Sequence[Memory]) -> Section:
    rows = [
        (
            str(m.depth),
            f"{m.sweeps_per_phase:.1f}",
            f"{m.gained_bytes:,} bytes",
            f"{m.history_bytes:,} bytes a sample",
        )
        for m in records
    ]
    header = ("hidden layers", "sweeps / phase", "memory gained", "history would be")
    return _section("training memory", header, rows)
