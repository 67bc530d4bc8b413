"""The page of how learning follows the gradient: from the record of `toreq-hw study gradients`."""

from dataclasses import dataclass
from statistics import fmean

from toreq_hw.records.gradients import GradientCase, GradientRun, Gradients, Snapshot
from toreq_hw.reports.page import Page, Section, Table


@dataclass(frozen=True)
class Setting:
    """One training of a case and one nudge. least, mean: cosines over all couplings and all points
    from the first epoch on; a coupling without a contrast counts as 0.
    """

    run: GradientRun
    beta_shift: int
    least: float
    mean: float

    @property
    def text(self) -> str:
        """Its three numbers."""
        run = self.run
        return f"s {run.feedback_shift}, g {run.drive}, beta 2^-{self.beta_shift}"


def settings_of(case: GradientCase) -> tuple[Setting, ...]:
    """Every training with every nudge, in the order of the record."""
    return tuple(
        _setting(run, shift) for run in case.runs for shift in _beta_shifts(run.snapshots[0])
    )


def best_setting(case: GradientCase) -> Setting:
    """The one whose least cosine is largest."""
    return max(settings_of(case), key=lambda setting: setting.least)


def lead(record: Gradients) -> str:
    """The best setting of each case in a sentence."""
    found = [(case.name, best_setting(case)) for case in record.gradient_cases]
    parts = [f"{name}: {best.least:.2f} ({best.text})" for name, best in found]
    return f"Least cosine of the best setting: {'; '.join(parts)}."


def gradients_page(record: Gradients) -> Page:
    """From the whole record."""
    return Page(
        "Does learning follow the gradient?",
        lead(record),
        (
            Section("Settings", _what(), _summary(record)),
            *(Section(case.name, _of(case), _details(case)) for case in record.gradient_cases),
        ),
        dict(record.versions),
    )


def _what() -> str:
    return (
        "s is the feedback shift between hidden layers, g the drive of the clamped readout. The "
        "cosine is that between the contrast of a coupling, summed over samples, and minus the "
        "gradient of their loss. The gradient is that of the real-valued equilibrium near the "
        "integer one, by implicit differentiation. Least and mean are over couplings and over "
        "points from the first epoch on. Trainings use beta 1. A sample is left out where the "
        "real-valued network does not settle, and apart where it settles more than 8 LSB away."
    )


def _summary(record: Gradients) -> Table:
    header = ("case", "s", "g", "beta", "least", "mean", "test, %", "sweeps", "left out", "apart")
    rows = [
        (
            case.name,
            str(one.run.feedback_shift),
            str(one.run.drive),
            f"2^-{one.beta_shift}",
            f"{one.least:.2f}",
            f"{one.mean:.2f}",
            f"{100 * (one.run.snapshots[-1].accuracy or 0):.2f}",
            f"{fmean(snapshot.sweeps_mean for snapshot in one.run.snapshots):.1f}",
            str(sum(snapshot.asked - snapshot.compared for snapshot in one.run.snapshots)),
            str(sum(snapshot.apart for snapshot in one.run.snapshots)),
        )
        for case in record.gradient_cases
        for one in settings_of(case)
    ]
    return Table(header, tuple(rows))


def _of(case: GradientCase) -> str:
    first = case.runs[0].snapshots[0]
    return (
        f"{case.layers}; {case.settings}; cosines over {first.asked} training images after so many "
        "epochs, and in brackets the share of parameters that have a gradient but no contrast."
    )


def _details(case: GradientCase) -> Table:
    points = [snapshot.epoch for snapshot in case.runs[0].snapshots]
    header = ("coupling", "s", "g", "beta", *(f"epoch {epoch}" for epoch in points))
    rows = []
    for run in case.runs:
        for place, first in enumerate(run.snapshots[0].cosines):
            name = (first.coupling, str(run.feedback_shift), str(run.drive))
            cells = [_cell(snapshot, place) for snapshot in run.snapshots]
            rows.append((*name, f"2^-{first.beta_shift}", *cells))
    return Table(header, tuple(rows))


def _cell(snapshot: Snapshot, place: int) -> str:
    found = snapshot.cosines[place]
    cosine = "none" if found.cosine is None else f"{found.cosine:.2f}"
    return f"{cosine} ({100 * found.silent:.0f} %)"


def _setting(run: GradientRun, shift: int) -> Setting:
    found = [
        one.cosine or 0.0
        for snapshot in run.snapshots
        for one in snapshot.cosines
        if snapshot.epoch > 0 and one.beta_shift == shift
    ]
    return Setting(run, shift, min(found), fmean(found))


def _beta_shifts(snapshot: Snapshot) -> tuple[int, ...]:
    return tuple(dict.fromkeys(one.beta_shift for one in snapshot.cosines))
