"""Recovery, learning under damage, and critical weights, as sections of the robustness page."""

from collections.abc import Sequence

import numpy as np

from toreq_hw.records.critical import Critical, SingleFlips
from toreq_hw.records.intervals import Interval
from toreq_hw.records.recovery import Asymmetry, Hardening, Recovery
from toreq_hw.records.robustness import DataStudy
from toreq_hw.reports.page import Section, Table
from toreq_hw.reports.robustness_pictures import curves_with_bands, heat_map


def study_sections(name: str, study: DataStudy) -> list[Section]:
    """What one data set's record holds beside its campaigns."""
    sections = [_recovery_section(name, study.recovery)]
    if study.hardening:
        sections.append(_hardening_section(name, study.hardening))
    if study.asymmetry:
        sections.append(_asymmetry_section(name, study.asymmetry))
    found = study.critical
    if found:
        sections.append(_critical_section(name, study.image_shape, found))
        sections.append(_flips_section(name, found.single_flips))
    return sections


def _recovery_section(name: str, recoveries: Sequence[Recovery]) -> Section:
    epochs = max(len(r.accuracy) for r in recoveries) - 1
    header = ("damage", "undamaged %", "damaged %", *(f"epoch {e}" for e in range(1, epochs + 1)))
    rows = tuple(
        (
            f"{r.damage} {r.level:g}",
            f"{100 * r.undamaged:.2f}",
            *(f"{100 * value:.2f}" for value in r.accuracy),
        )
        for r in recoveries
    )
    series = {
        f"{r.damage} {r.level:g}": [(value, value, value) for value in r.accuracy]
        for r in recoveries
    }
    picture = curves_with_bands(
        range(epochs + 1), series, "epochs of learning on", "test accuracy, %"
    )
    text = (
        "Damage for good, then the same on-chip rule goes on around it, at the rates at which "
        "training ended. Dead neurons here are those whose every weight reads 0. One seed."
    )
    return Section(f"Relearning on {name}", text, Table(header, rows), (picture,))


def _hardening_section(name: str, hardening: Hardening) -> Section:
    tests = ["no damage", *(f"{kind} {level:g}" for kind, level in hardening.tests)]
    pairs = zip(tests, hardening.plain, hardening.hardened, strict=True)
    rows = tuple((test, _interval(plain), _interval(hard)) for test, plain, hard in pairs)
    text = (
        f"Trained from scratch with {hardening.level:g} of the stored weight bits flipped "
        f"afresh every {hardening.period} samples; latents are never damaged. Means of "
        f"{hardening.trials} draws on {hardening.images:,} test images, Student's intervals "
        f"at {100 * hardening.confidence:g} % over draws; one training of each."
    )
    table = Table(("test damage", "plain training %", "damage in the loop %"), rows)
    return Section(f"Training with damage in the loop on {name}", text, table)


def _asymmetry_section(name: str, found: Asymmetry) -> Section:
    rows = tuple(
        (f"{level:g}", f"{100 * accuracy:.2f}")
        for level, accuracy in zip(found.levels, found.accuracy, strict=True)
    )
    text = (
        f"Trained from scratch for {found.epochs} epochs while every step up of a latent weight "
        "is weaker than a step down by the fraction given. One seed."
    )
    table = Table(("steps up weaker by", "test accuracy %"), rows)
    return Section(f"Learning with asymmetric updates on {name}", text, table)


def _critical_section(name: str, shape: tuple[int, ...], found: Critical) -> Section:
    rows = tuple(
        (b.coupling, str(b.bit), f"{100 * b.rate:g}", f"{100 * b.accuracy:.2f}")
        for b in found.critical_bits
    )
    lines = np.array(found.critical_lines).reshape(shape)
    text = (
        "Table: accuracy with one bit of a coupling's words flipped at a rate (ternary: bit 0 says "
        "whether there is a weight, bit 1 its sign). Map: points of output margin lost when all "
        "weights of one input line change sign."
    )
    table = Table(("coupling", "bit", "flipped %", "accuracy %"), rows)
    return Section(f"Critical lines on {name}", text, table, (heat_map(lines, "margin lost, %"),))


def _flips_section(name: str, flips: SingleFlips) -> Section:
    which = (
        "Every stored bit"
        if flips.exhaustive
        else f"Every bit of {flips.cells:,} cells, drawn at random,"
    )
    worst = flips.worst[0]
    text = (
        f"{which} flipped alone, {flips.images} test images each: how far all states end from "
        "the undamaged equilibria, over their range. The worst is bit "
        f"{worst.bit} of {worst.coupling}[{worst.row}, {worst.column}], read as "
        f"{worst.after} for {worst.before}: {100 * worst.distance:.3f} %, "
        f"{worst.reclassified} images of another class. Maps: the worse bit of each cell."
    )
    return Section(f"Critical weights on {name}", text, _flips_table(flips), _flips_pictures(flips))


def _flips_table(flips: SingleFlips) -> Table:
    """A row for each bit of each coupling."""
    header = (
        "coupling",
        "bit",
        "flips",
        "mean distance %",
        "99th percentile %",
        "largest %",
        "move no image",
        "change a class",
        "most images lost",
    )
    at = flips.quantiles.index(99)
    rows = tuple(
        (
            b.coupling,
            str(b.bit),
            f"{b.flips:,}",
            f"{b.mean_distance:.4f}",
            f"{b.distance[at]:.4f}",
            f"{b.distance[-1]:.4f}",
            f"{b.unnoticed:,}",
            f"{b.reclassifying:,}",
            str(b.most_lost),
        )
        for b in flips.bits
    )
    return Table(header, rows)


def _flips_pictures(flips: SingleFlips) -> tuple[str, ...]:
    """Distances of each bit from the mildest flip to the worst, and a map of each coupling."""
    series = {
        f"{b.coupling}, bit {b.bit}": [(d / 100, d / 100, d / 100) for d in b.distance]
        for b in flips.bits
    }
    pictures = [
        curves_with_bands(flips.quantiles, series, "flips, %, mildest first", "distance, %")
    ]
    for coupling, values in flips.maps.items():
        wide = np.array(values)
        wide = wide if wide.shape[1] >= wide.shape[0] else wide.T
        pictures.append(heat_map(wide, f"{coupling}, distance, %"))
    return tuple(pictures)


def _interval(interval: Interval) -> str:
    half_width = 50 * (interval.high - interval.low)
    value = f"{100 * interval.value:.2f}"
    return f"{value} +- {half_width:.2f}" if half_width else value
