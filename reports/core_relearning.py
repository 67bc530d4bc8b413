"""The page of broken cores that learn on: from the record of `toreq-hw study core-relearning`."""

from statistics import fmean

from toreq_hw.records.core_relearning import CoreRelearning, CoreRelearnings
from toreq_hw.reports.page import Page, Section, Table, caption
from toreq_hw.reports.parity import estimate
from toreq_hw.reports.pictures import recovery_curves


def lead(record: CoreRelearnings) -> str:
    """What was compared, and whether anything differed."""
    wrong = [run for run in record.runs if run.difference]
    samples = sum(run.samples for run in record.runs)
    if wrong:
        first = wrong[0]
        return (
            f"{len(wrong)} of {len(record.runs)} cores differ from the simulator; the first, "
            f"{first.weights}, {first.damage}, seed {first.seed}: {first.difference}."
        )
    return (
        f"{len(record.runs)} cores were trained, broken and learned on, {samples:,} samples in "
        "all: every latent, bias latent and generator, and the class of every test image, is the "
        "simulator's under the same fault map. Cores were simulated, none ran on a board."
    )


def core_relearning_page(record: CoreRelearnings) -> Page:
    """From the whole record."""
    return Page(
        "A broken core learns on",
        lead(record),
        (
            Section("Set-up", _setup(record)),
            *(_of(record, weights) for weights in record.latent_bits if _sound(record, weights)),
        ),
        dict(record.versions),
    )


def _setup(record: CoreRelearnings) -> str:
    sizes = "-".join(map(str, record.shape))
    seeds = len({run.seed for run in record.runs})
    return (
        f"A core of {sizes}, {record.lanes} lanes of which {record.learn_lanes} learn, compiled "
        f"with its fault port. Trained on {record.data} by the recipe of toreq-hw train, {seeds} "
        "seeds; then damaged for good while it holds what it learned (docs/robustness.md), and "
        f"trained on at its last rates. Test accuracy on {record.test_images} images "
        f"({record.split}), mean and 95 % interval over seeds; every seed draws its own damage. "
        "A core that cannot learn stays at the accuracy right after the damage. Phases that "
        f"inverted state bits keep from settling end after {record.max_sweeps} sweeps and are "
        "learned from as they end."
    )


def _of(record: CoreRelearnings, weights: str) -> Section:
    runs = _sound(record, weights)
    names = list(dict.fromkeys(run.damage for run in runs))
    epochs = len(runs[0].accuracy) - 1
    header = ("damage", "before, %", "after, and without learning", *map(_epoch, range(epochs)))
    header = (*header, "latents hit, %", "phases at the limit")
    rows, curves = [], {}
    for name in names:
        own = [run for run in runs if run.damage == name]
        columns = list(zip(*(run.accuracy for run in own), strict=True))
        curves[name] = [fmean(column) for column in columns]
        points = [[run.before for run in own], *columns]
        accuracy = [estimate([100 * value for value in column]).text() for column in points]
        hit = fmean(100 * run.broken_latents / run.latents for run in own)
        at_limit = sum(run.phases_at_limit for run in own)
        rows.append((name, *accuracy, f"{hit:.1f}", f"{at_limit:,}"))
    before = fmean(run.before for run in runs)
    picture = caption(
        recovery_curves(before, curves),
        "Mean test accuracy of the core: before the damage (-1), right after it (0), and epoch by "
        "epoch. Dotted: the same core without learning.",
    )
    bits = record.latent_bits[weights]
    return Section(f"{weights}, {bits}-bit latents", "", Table(header, tuple(rows)), (picture,))


def _sound(record: CoreRelearnings, weights: str) -> list[CoreRelearning]:
    """Runs in which nothing differed: only these have all their figures."""
    return [run for run in record.runs if run.weights == weights and not run.difference]


def _epoch(number: int) -> str:
    return f"epoch {number + 1}"
