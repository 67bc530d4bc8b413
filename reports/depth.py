"""The page of what depth is worth: from the record of `toreq-hw study depth`."""

from toreq_hw.records.depth import Depth, DepthPair
from toreq_hw.records.intervals import Interval
from toreq_hw.reports.page import Page, Section, Table


def shown(pair: DepthPair) -> bool:
    """Whether the deep net is better on the test samples, chance aside."""
    return pair.difference.low > 0


def lead(record: Depth) -> str:
    """What was found of each pair, in a sentence."""
    parts = [
        f"{pair.name}: {'shown' if shown(pair) else 'shown not'}, deep less shallow "
        f"{_signed(pair.difference)}"
        for pair in record.pairs
    ]
    return f"Points of test accuracy, 95 % interval. {'; '.join(parts)}."


def depth_page(record: Depth) -> Page:
    """From the whole record."""
    return Page(
        "Is a deep network better than one hidden layer of equal synapses?",
        lead(record),
        (
            Section("Test accuracy", _what(), _tests(record)),
            *(Section(pair.name, _of(pair), _candidates(pair)) for pair in record.pairs),
        ),
        dict(record.versions),
    )


def _what() -> str:
    return (
        "A deep net has five learning layers, all trained with the integer rule. The best of "
        "several on each side was chosen on held-out training samples, never by a test sample. "
        "Both were then trained anew with the same seeds. Shown means that the interval of the "
        "difference lies above 0."
    )


def _tests(record: Depth) -> Table:
    header = ("networks", "deep, %", "one hidden layer, %", "difference", "seeds", "shown")
    rows = []
    for pair in record.pairs:
        seeds = len({run.seed for run in pair.runs if "validation" not in run.split})
        rows.append(
            (
                pair.name,
                _text(pair.deep),
                _text(pair.shallow),
                _signed(pair.difference),
                str(seeds),
                "yes" if shown(pair) else "no",
            )
        )
    return Table(header, tuple(rows))


def _of(pair: DepthPair) -> str:
    return f"Candidates on {pair.data}; those with a star were chosen."


def _candidates(pair: DepthPair) -> Table:
    header = ("case", "learning layers", "synapses", "held out, %", "sweeps", "settings", "layers")
    rows = []
    for case in pair.cases:
        sweeps = [run.sweeps_mean or 0.0 for run in pair.runs if run.case == case.name]
        rows.append(
            (
                f"{case.name} *" if case.chosen else case.name,
                str(case.learning_layers),
                f"{case.synapses:,}",
                f"{case.held_out:.2f}",
                f"{sum(sweeps) / len(sweeps):.1f}",
                case.settings,
                case.layers,
            )
        )
    return Table(header, tuple(rows))


def _text(found: Interval) -> str:
    return f"{found.value:.2f} ± {found.half_width:.2f}"


def _signed(found: Interval) -> str:
    return f"{found.value:+.2f} ± {found.half_width:.2f}"
