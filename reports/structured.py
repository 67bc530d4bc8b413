"""The page of networks of every kind of coupling: from the record of `toreq-hw structured`."""

import numpy as np

from toreq_hw.records.intervals import Interval
from toreq_hw.records.structured import Structured, StructuredCase
from toreq_hw.reports.numbers import MAY_PASS_LIMITS
from toreq_hw.reports.page import Page, Section, Table, caption
from toreq_hw.reports.pictures import weight_map

HEADER = ("case", "synapses", "integer, %", "backprop, %", "asked for", "published")
COSTS = ("case", "sweeps mean", "p99", "unsettled", "synops an image", "dense", "epoch, s")


def structured_page(record: Structured) -> Page:
    """From the whole record."""
    best = "; ".join(f"{_name(case)} {_text(case.integer)} %" for case in record.cases)
    return Page(
        "Networks of every kind of coupling",
        f"Test accuracy of the integer rule: {best}.",
        (
            Section("Accuracy", _what(record), Table(HEADER, tuple(map(_line, record.cases)))),
            Section("Cost of inference and training", _costs(), Table(COSTS, _cost_rows(record))),
            Section("Networks and settings", _settings(), _networks(record), _pictures(record)),
        ),
        dict(record.versions),
    )


def accuracy_rows(record: Structured) -> tuple[tuple[str, ...], ...]:
    """Lines under `HEADER`."""
    return tuple(map(_line, record.cases))


def _line(case: StructuredCase) -> tuple[str, ...]:
    return (
        _name(case),
        f"{case.synapses:,}",
        _text(case.integer),
        _text(case.backprop) if case.backprop else "",
        "" if case.at_least is None else f"{100 * case.at_least:.1f}",
        case.published,
    )


def _name(case: StructuredCase) -> str:
    """With what a figure on these images must say beside it."""
    copy = any("JPEG copy" in run.split for run in case.runs)
    return f"{case.name} (JPEG copy)" if copy else case.name


def _text(found: Interval) -> str:
    width = f" ± {found.half_width:.2f}" if found.half_width else ""
    return f"{found.value:.2f}{width}"


def _cost_rows(record: Structured) -> tuple[tuple[str, ...], ...]:
    return tuple(_cost(case) for case in record.cases)


def _cost(case: StructuredCase) -> tuple[str, ...]:
    runs = [run for run in case.runs if run.sweeps_mean is not None]
    count = len(runs)
    return (
        case.name,
        f"{sum(run.sweeps_mean or 0 for run in runs) / count:.1f}",
        f"{max(run.sweeps_p99 or 0 for run in runs)}",
        f"{sum(run.unsettled or 0 for run in runs)}",
        f"{sum(run.synops or 0 for run in runs) / count:,.0f}",
        f"{sum(run.dense_synops or 0 for run in runs) / count:,.0f}",
        f"{min(run.epoch_seconds for run in runs):.1f}",
    )


def _networks(record: Structured) -> Table:
    rows = tuple(
        (case.name, case.layers, case.settings, str(len({run.seed for run in case.runs})))
        for case in record.cases
    )
    return Table(("case", "layers", "settings", "seeds"), rows)


def _pictures(record: Structured) -> tuple[str, ...]:
    found = []
    for case in record.cases:
        kernels = np.array(case.runs[0].kernels, dtype=np.int8)
        if kernels.size:
            shape = (kernels.shape[1], kernels.shape[2])
            picture = weight_map(kernels.reshape(len(kernels), -1).T, shape)
            found.append(caption(picture, f"{case.name}: kernels of the first coupling, seed 1"))
    return tuple(found)


def _what(record: Structured) -> str:
    baseline = (
        "Backpropagation trains the feed-forward net of the same shape with the same quantisers, "
        "epochs and moved images, in batches of 64 (sequences: 8) with Adam; rows without a figure "
        "were not trained. "
    )
    if not any(case.backprop for case in record.cases):
        baseline = "Backpropagation was not trained for this record. "
    return (
        f"Mean and 95 % interval over seeds; one seed has no interval. {MAY_PASS_LIMITS} "
        f"{baseline}Published: NITRO-D (ECAI 2025), integers, other shapes; its epoch was chosen "
        "by test accuracy, ours is the last."
    )


def _costs() -> str:
    return (
        "Of the free phase of a test image, by the event engine, mean over seeds; p99 is the worst "
        "seed's. The dense machine reads every weight in every sweep and stops as early. Seconds "
        "of an epoch are the least over seeds, wall-clock, one thread, evaluation left out."
    )


def _settings() -> str:
    return (
        "Settings for 28 x 28 images were chosen on 5,000 held-out training images; those for "
        "digits were not searched, and those for sequences were chosen on few seeds. k is the "
        "learning rate 2^-k; from 40, 64 and 84 % of the epochs on it is one larger."
    )
