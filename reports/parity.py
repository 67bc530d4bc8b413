"""The comparison of two learning rules, from records of single runs to a table and a picture."""

import io
from collections.abc import Iterable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from toreq_hw.records.intervals import interval
from toreq_hw.records.parity import Estimate, MemoryProbe, Parity, ParityRun, Row, SpectralNorm
from toreq_hw.reports.numbers import MAY_PASS_LIMITS, span
from toreq_hw.reports.page import Page, Section, Table

PUBLISHED = {
    "digits": (94.6, 97.0),
    "mnist": (94.2, 94.9),
    "fashion-mnist": (83.3, 83.3),
    "cartpole": (97.1, 99.8),
    "acrobot": (96.8, 98.0),
}
"""Research prototype this project grows from: equilibrium propagation, backpropagation, per
cent, as published (its own data splits and sizes)."""

NAMES = {"eqprop": "EqProp", "backprop": "backprop"}


def estimate(values: Sequence[float]) -> Estimate:
    """Of at least one value."""
    found = interval(values)
    half_width = found.high - found.value if len(values) > 1 else None
    return Estimate(found.value, half_width, len(values))


def rows(records: Iterable[ParityRun]) -> list[Row]:
    """One row per task, weight format and rule, in the order in which they appear."""
    groups: dict[tuple[str, str, str], list[ParityRun]] = {}
    for record in records:
        options = record.options
        key = (record.task, options.weight_format, options.rule)
        groups.setdefault(key, []).append(record)
    return [_row(*key, group) for key, group in groups.items()]


def _row(task: str, weights: str, rule: str, group: list[ParityRun]) -> Row:
    scores = [record.score for record in group if record.score is not None]
    differs = [record.simulator_differs_on for record in group]
    compared = [count for count in differs if count is not None]
    return Row(
        task=task,
        weights=weights,
        rule=rule,
        accuracy=estimate([100 * record.accuracy for record in group]),
        sparsity=estimate([100 * record.sparsity for record in group]),
        seconds=estimate([record.training_seconds for record in group]),
        cpu_seconds=estimate([record.training_cpu_seconds for record in group]),
        score=estimate(scores) if scores else None,
        expert_score=group[0].expert_score,
        simulator_differs_on=None if None in differs else sum(compared),
    )


def markdown(records: Sequence[ParityRun], memory: Sequence[MemoryProbe] = ()) -> str:
    """The table with the baseline beside it, gaps, times, and what each task's data are."""
    found = rows(records)
    lines = [
        "# Equilibrium propagation beside backpropagation",
        "",
        "Same shape, quantisers, data, batches and epochs for both rules; test samples, never "
        "used to choose a setting. Accuracy in per cent, mean ± 95 % interval over seeds where "
        f"there are several. {MAY_PASS_LIMITS} Backpropagation trains the feed-forward net of the "
        "same shape and is read out from its accumulators. The gap is backpropagation minus "
        "EqProp, in points.",
        "",
        "| task | weights | seeds (EqProp, backprop) | EqProp | backprop | gap "
        "| published EqProp / backprop | zero weights (EqProp, backprop) |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(mine, baseline) for mine, baseline in pairs(found)),
        "",
        *_times(found, records),
        "",
        *_scores(found),
        *_lipschitz(records),
        *_checks(found, records),
        "",
        "Data:",
        "",
    ]
    notes = {record.task: record.split for record in records}
    lines += [f"- {task}: {note}." for task, note in notes.items()]
    return "\n".join([*lines, *_memory(memory)]) + "\n"


def _line(mine: Row, baseline: Row | None) -> str:
    """One row of the table; what was not run is left empty."""
    published = PUBLISHED.get(mine.task)
    zeros = [f"{row.sparsity.mean:.0f} %" for row in (mine, baseline) if row]
    cells = [
        mine.task,
        mine.weights,
        f"{mine.accuracy.runs}, {baseline.accuracy.runs if baseline else 0}",
        mine.accuracy.text(),
        baseline.accuracy.text() if baseline else "",
        f"{baseline.accuracy.mean - mine.accuracy.mean:+.2f}" if baseline else "",
        f"{published[0]} / {published[1]}" if published else "",
        ", ".join(zeros),
    ]
    return f"| {' | '.join(cells)} |"


def _times(found: Sequence[Row], records: Sequence[ParityRun]) -> list[str]:
    """Seconds of training, both clocks, and the ratio of the processor's."""
    load = [r.load_average for r in records if r.load_average is not None]
    busy = span(f"{min(load):.1f}", f"{max(load):.1f}") if load else "unknown"
    lines = [
        "Seconds of one training, evaluation left out; threads a run: "
        f"{_list_names(record.threads for record in records)}, the rules taking turns. The machine "
        f"was not idle: its load average was {busy} on "
        f"{_list_names(record.processors for record in records)} processors, which stretches "
        "wall-clock much and processor time somewhat; the ratio is that of processor times.",
        "",
        "| task | weights | EqProp processor s | backprop processor s | EqProp / backprop "
        "| EqProp wall-clock s | backprop wall-clock s |",
        "|---|---|---|---|---|---|---|",
    ]
    for mine, baseline in pairs(found):
        cells = [mine.task, mine.weights, mine.cpu_seconds.text(1)]
        if baseline:
            ratio = f"{mine.cpu_seconds.mean / baseline.cpu_seconds.mean:.2f}"
            cells += [baseline.cpu_seconds.text(1), ratio, mine.seconds.text(1)]
            cells += [baseline.seconds.text(1)]
        else:
            cells += ["", "", mine.seconds.text(1), ""]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _list_names(values: Iterable[object]) -> str:
    return ", ".join(sorted({str(value) for value in values}))


def pairs(found: Sequence[Row]) -> list[tuple[Row, Row | None]]:
    """EqProp with its baseline; None where that has not been run."""
    baselines = {(r.task, r.weights): r for r in found if r.rule == "backprop"}
    mine = [r for r in found if r.rule == "eqprop"]
    return [(row, baselines.get((row.task, row.weights))) for row in mine]


def _scores(found: Sequence[Row]) -> list[str]:
    played = [row for row in found if row.score is not None]
    if not played:
        return []
    lines = [
        "Score in the environment (mean over episodes; the integer simulator chooses the "
        "actions), beside the expert's:",
        "",
        "| task | weights | network | expert |",
        "|---|---|---|---|",
    ]
    for row in played:
        assert row.score is not None
        cells = [row.task, row.weights, row.score.text(1), f"{row.expert_score:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _lipschitz(records: Sequence[ParityRun]) -> list[str]:
    """Largest singular values of the couplings, EqProp, mean over seeds."""
    groups: dict[tuple[str, str], list[Mapping[str, SpectralNorm]]] = {}
    for record in records:
        options = record.options
        if options.rule == "eqprop":
            key = (record.task, options.weight_format)
            groups.setdefault(key, []).append(record.spectral_norms)
    lines = [
        "Lipschitz constant of each coupling trained by EqProp (largest singular value, "
        "activations over 0..1), before and after training, mean over seeds; `toreq-hw train "
        "--engine torch --spectral-limit` bounds it:",
        "",
        "| task | weights | coupling | before | after |",
        "|---|---|---|---|---|",
    ]
    for (task, weights), norms in groups.items():
        for coupling in norms[0]:
            before = np.mean([n[coupling].before for n in norms])
            after = np.mean([n[coupling].after for n in norms])
            shown = f"{before:.2f} | {after:.2f}"
            lines.append(f"| {task} | {weights} | {coupling} | {shown} |")
    return [*lines, ""] if groups else []


def _checks(found: Sequence[Row], records: Sequence[ParityRun]) -> list[str]:
    checked = [row for row in found if row.simulator_differs_on is not None]
    differs = sum(row.simulator_differs_on or 0 for row in checked)
    runs = sum(row.accuracy.runs for row in checked)
    codes = sorted({record.code_sha256[:12] for record in records})
    revisions = "one revision" if len(codes) == 1 else f"{len(codes)} revisions"
    return [
        f"In {runs} EqProp runs the free phase of the integer simulator and of the trainer were "
        f"compared on every test sample, state by state: they differ on {differs} samples.",
        "",
        f"The {len(records)} runs are of {revisions} of the training code: SHA-256 "
        f"{', '.join(codes)}.",
    ]


def _memory(memory: Sequence[MemoryProbe]) -> list[str]:
    if not memory:
        return []
    lines = [
        "",
        "Peak memory of one training step above the standing process, INT8, layers of 256, batches "
        "of 1,024. A deeper network has more parameters and more states under any rule: the third "
        "figure takes the former away (a step on one sample) and counts the rest in copies of the "
        "network's states. EqProp holds a bounded number of copies whatever the layers and the "
        "sweeps; a plain forward pass too; differentiating the relaxation itself (backprop "
        "through sweeps) holds more with every sweep.",
        "",
        "| rule | hidden layers | sweeps | peak MB | of it with one sample, MB | the rest, in "
        "copies of all states |",
        "|---|---|---|---|---|---|",
    ]
    for probe in memory:
        sweeps = "one pass" if probe.sweeps is None else str(probe.sweeps)
        rule = probe.rule
        if rule == "backprop" and probe.sweeps is not None:
            rule = "backprop through sweeps"
        cells = [NAMES.get(rule, rule), str(probe.layers), sweeps, f"{probe.peak_mb:.0f}"]
        cells += [f"{probe.one_sample_mb:.1f}", f"{probe.state_copies:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(record: Parity) -> Page:
    """The table of accuracies alone; `markdown` has everything."""
    header = ("task", "weights", "EqProp %", "backprop %")
    rows = tuple(
        (mine.task, mine.weights, mine.accuracy.text(), other.accuracy.text() if other else "")
        for mine, other in pairs(record.rows)
    )
    lead = f"{len(record.runs)} trainings."
    return Page("EqProp beside backpropagation", lead, (Section("", table=Table(header, rows)),))


def picture(found: Sequence[Row]) -> bytes:
    """Accuracies with their intervals, one group a task and format, as PNG."""
    compared = pairs(found)
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(1.2 + 0.85 * max(len(compared), 3), 3), layout="constrained")
        axes = figure.subplots()
        for side, name in enumerate(NAMES):
            chosen = [(k, pair[side]) for k, pair in enumerate(compared)]
            shown = [(k, row.accuracy) for k, row in chosen if row]
            place = [k + 0.16 * (2 * side - 1) for k, _ in shown]
            means = [accuracy.mean for _, accuracy in shown]
            widths = [accuracy.half_width or 0 for _, accuracy in shown]
            axes.errorbar(place, means, widths, fmt="os"[side], label=NAMES[name])
        axes.set_xticks(
            np.arange(len(compared)), [f"{a.task}\n{a.weights}" for a, _ in compared], fontsize=7
        )
        axes.set_ylabel("test accuracy, %")
        axes.legend(frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
        return buffer.getvalue()
