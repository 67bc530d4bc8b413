"""The page of broken cores that learn on: from the record of `toreq-hw study core-relearning`."""

from dataclasses import dataclass
from statistics import fmean

from toreq_hw.records.core_relearning import CoreRelearning, CoreRelearnings
from toreq_hw.records.parity import Estimate
from toreq_hw.reports.numbers import MAY_PASS_LIMITS
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
        f"{_outcomes(record)} {len(record.runs)} cores were trained, broken and learned on, "
        f"{samples:,} samples in "
        "all: every latent, bias latent and generator, and the class of every test image, is the "
        "simulator's under the same fault map. Cores were simulated, none ran on a board."
    )


CONTROL = "none"
"""The damage that is none."""


def _outcomes(record: CoreRelearnings) -> str:
    """How many kinds of damage learning on made better, left, and made worse."""
    found = [
        change.outcome
        for weights in record.latent_bits
        for name, change in _changes(record, weights).items()
        if name != CONTROL
    ]
    gained, lost, lower = (found.count(outcome) for outcome in (GAINED, LOST, LOWER))
    return (
        f"Of {len(found)} kinds of damage {gained} gained accuracy by learning on, last epoch "
        f"against right after the damage, {lost} lost some, and "
        f"{len(found) - gained - lost} did not change clearly; in {lower} of these the mean fell."
    )


GAINED, LOST = "gained", "LOST"
NOT_CLEAR, LOWER = "not clear", "not clear, LOWER"


@dataclass(frozen=True)
class Change:
    """Of the accuracy by learning on, in points, over seeds, each with itself."""

    points: Estimate

    @property
    def outcome(self) -> str:
        """Which of four; one seed alone makes nothing clear."""
        mean, half = self.points.mean, self.points.half_width
        if half is not None and abs(mean) > half:
            return GAINED if mean > 0 else LOST
        return LOWER if mean < 0 else NOT_CLEAR

    @property
    def text(self) -> str:
        """The points, with their sign."""
        return f"{'+' if self.points.mean >= 0 else ''}{self.points.text()}"


def _changes(record: CoreRelearnings, weights: str) -> dict[str, Change]:
    """By kind of damage."""
    found: dict[str, list[float]] = {}
    for run in _sound(record, weights):
        found.setdefault(run.damage, []).append(100 * (run.accuracy[-1] - run.accuracy[0]))
    return {name: Change(estimate(points)) for name, points in found.items()}


def core_relearning_page(record: CoreRelearnings) -> Page:
    """From the whole record."""
    return Page(
        "What broken cores regain by learning on",
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
        f"learned from as they end. {MAY_PASS_LIMITS} Change: the last epoch against right after "
        "the damage, each seed with itself; gained and LOST where the interval leaves out 0. "
        "LOWER: the mean fell, and the interval holds 0."
    )


def _of(record: CoreRelearnings, weights: str) -> Section:
    runs = _sound(record, weights)
    names = list(dict.fromkeys(run.damage for run in runs))
    epochs = len(runs[0].accuracy) - 1
    header = ("damage", "before, %", "after, and without learning", *map(_epoch, range(epochs)))
    header = (*header, "change, points", "by learning", "latents hit, %", "phases at the limit")
    rows, curves, changes = [], {}, _changes(record, weights)
    for name in names:
        own = [run for run in runs if run.damage == name]
        columns = list(zip(*(run.accuracy for run in own), strict=True))
        curves[name] = [fmean(column) for column in columns]
        points = [[run.before for run in own], *columns]
        accuracy = [estimate([100 * value for value in column]).text() for column in points]
        hit = fmean(100 * run.broken_latents / run.latents for run in own)
        at_limit = sum(run.phases_at_limit for run in own)
        change = changes[name]
        rows.append((name, *accuracy, change.text, change.outcome, f"{hit:.1f}", f"{at_limit:,}"))
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
