"""The page of cores that learn: from the record of `toreq-hw learning` to tables."""

from collections.abc import Callable, Sequence

from toreq_hw.records.learning import Asked, Learner, Learning, LearningRun, SampleCycles
from toreq_hw.reports.learner_anchors import LEARNERS
from toreq_hw.reports.learning_builds import energy_shown, made_of_section, not_built_sections
from toreq_hw.reports.numbers import MAY_PASS_LIMITS, three_digits
from toreq_hw.reports.page import Page, Section, Table
from toreq_hw.reports.synthesis import clock_section, size_section
from toreq_hw.reports.synthesis_energy import Counted, EnergyRow, energy_sections

BAUDS = (1_000_000, 3_000_000)
"""Of the line between host and board."""

_BITS_A_BYTE = 10
"""On the line: a start bit, eight of the byte, a stop bit."""

_HEAD_BYTES = 6
"""Of an answer; when they are out, the next sample may come."""

_SAMPLES = Counted(
    "training sample",
    "the first {} samples of the second epoch, all four phases, with a row of latents read in each "
    "cycle of LEARN, which is more than is read",
)


def learning_page(record: Learning, missing: Sequence[str] = ()) -> Page:
    """From the whole record. missing: learners of the published list that are not in it."""
    rows = record.rows
    built = [(row.name, row.synthesis) for row in rows if row.synthesis is not None]
    energy = [EnergyRow(row.name, row.board, energy_shown(row)) for row in rows]
    reached = sum(met(row) for row in rows)
    lead = (
        f"{len(rows)} cores that learn, with their link, on open tools alone: {len(built)} were "
        f"built, {reached} of {len(rows)} keep their clock and reach all that is asked of them. "
        f"{_not_measured(missing)}Nothing here ran on a board."
    )
    sections = [
        _accuracy(rows),
        _time(rows),
        _link(rows),
        size_section(built),
        clock_section(built),
        *not_built_sections(rows),
        *energy_sections(energy, _SAMPLES),
        _shares(rows),
        _beside(),
        made_of_section(rows),
    ]
    return Page("Cores that learn", lead, tuple(sections), dict(record.versions))


def _not_measured(missing: Sequence[str]) -> str:
    return f"Not measured yet: {'; '.join(missing)}. " if missing else ""


def met(row: Learner) -> bool:
    """Whether it was built, keeps its clock, always settled, and reaches what is asked."""
    asked = row.asked
    figures = (
        (asked.first_us, first_us(row)),
        (asked.later_us, later_us(row)),
        (asked.p99_us, later_p99_us(row)),
    )
    return (
        row.synthesis is not None
        and row.synthesis.met
        and not any(run.unsettled for run in row.runs)
        and (asked.accuracy is None or row.accuracy.value >= 100 * asked.accuracy)
        and all(limit is None or found <= limit for limit, found in figures)
    )


def first_us(row: Learner) -> float:
    """Mean core time a sample over the first epoch, over seeds."""
    return _mean(row, lambda run: run.first.mean) / row.clock_mhz


def later_us(row: Learner) -> float:
    """The same over all later epochs."""
    return _mean(row, lambda run: run.later.mean) / row.clock_mhz


def later_p99_us(row: Learner) -> float:
    """What 99 % of the later epochs' samples do not exceed, of the worst seed."""
    return max(run.later.p99 for run in row.runs) / row.clock_mhz


def _mean(row: Learner, of: Callable[[LearningRun], float]) -> float:
    return sum(map(of, row.runs)) / len(row.runs)


def _accuracy(rows: Sequence[Learner]) -> Section:
    header = ("learner", "network", "latents", "test accuracy %", "asked", "each seed", "unsettled")
    lines = []
    for row in rows:
        width = f" ± {row.accuracy.half_width:.2f}" if len(row.runs) > 1 else ""
        lines.append(
            (
                row.name,
                f"{'-'.join(map(str, row.sizes))} {row.weights}",
                f"{row.latent_bits} bits",
                f"{row.accuracy.value:.2f}{width}",
                _asked(row.asked.accuracy, 100),
                ", ".join(f"{100 * run.accuracy:.2f}" for run in row.runs),
                str(sum(run.unsettled for run in row.runs)),
            )
        )
    splits = dict.fromkeys(f"{row.data}: {run.split}" for row in rows for run in row.runs[:1])
    text = (
        "After training in the core's integers, by the simulator that the core equals latent by "
        "latent (make rtl-learn), on the whole test set; mean and 95 % interval over seeds, the "
        f"last epoch. {MAY_PASS_LIMITS} Settings were chosen on held-out training images. "
        + "; ".join(splits)
        + "."
    )
    return Section("What they learn", text, Table(header, tuple(lines)))


def _asked(limit: float | None, scale: float = 1) -> str:
    return "-" if limit is None else f"{scale * limit:g}"


def _time(rows: Sequence[Learner]) -> Section:
    header = (
        "learner",
        "MHz",
        "cycles, first epoch",
        "later",
        "of these LEARN",
        "us first",
        "us later",
        "asked",
        "us p50",
        "p95",
        "p99",
        "p99 first",
        "nothing to learn %",
    )
    text = (
        "Core time of FREE, both nudged phases and LEARN, every sample of every epoch and seed, by "
        "the core's exact timing model; the core's own counter is compared with it sample by "
        "sample. Later: of all epochs but the first. p50, p95 and p99 are of later samples, the "
        "column 'p99 first' of the first epoch's; each of the worst seed. The link is apart. "
        "Nothing to learn: no neuron moved in a nudged phase of a later epoch."
    )
    lines = tuple(map(_time_line, rows))
    return Section("Core time of a training sample", text, Table(header, lines))


def _time_line(row: Learner) -> tuple[str, ...]:
    def worst(of: Callable[[LearningRun], int]) -> str:
        return f"{max(map(of, row.runs)) / row.clock_mhz:.1f}"

    return (
        row.name,
        f"{row.clock_mhz:.2f}",
        f"{_mean(row, lambda run: run.first.mean):,.0f}",
        f"{_mean(row, lambda run: run.later.mean):,.0f}",
        f"{_mean(row, lambda run: run.later.phases[3]):,.0f}",
        f"{first_us(row):.1f}",
        f"{later_us(row):.1f}",
        _asked_times(row.asked),
        worst(lambda run: run.later.p50),
        worst(lambda run: run.later.p95),
        worst(lambda run: run.later.p99),
        worst(lambda run: run.first.p99),
        f"{100 * _mean(row, lambda run: run.later.idle):.1f}",
    )


def _asked_times(asked: Asked) -> str:
    limits = (asked.first_us, asked.later_us, asked.p99_us)
    named = zip(("first", "later", "p99"), limits, strict=True)
    return ", ".join(f"{name} {limit:g}" for name, limit in named if limit is not None) or "-"


def _link(rows: Sequence[Learner]) -> Section:
    bauds = [f"{baud // 1_000_000} Mbaud" for baud in BAUDS]
    header = (
        "learner",
        "bytes sent a sample",
        "answered",
        "samples/s, core alone",
        *(f"at {baud}" for baud in bauds),
        "s an epoch, core alone",
        *(f"at {baud}" for baud in bauds),
    )
    lines = []
    for row in rows:
        times = [later_us(row), *(_wall_us(row, baud) for baud in BAUDS)]
        samples = _first(row).samples
        lines.append(
            (
                row.name,
                f"{row.link.request:.0f}",
                f"{row.link.answer:.0f}",
                *(f"{1e6 / us:,.0f}" for us in times),
                *(three_digits(us * samples / 1e6) for us in times),
            )
        )
    text = (
        "Later epochs. The next sample is on its way while one is learned (docs/link.md): a sample "
        "takes FREE, and then the longer of the next frame's time on the line and of the other "
        "phases with the answer, ten bits a byte. Bytes are whole frames with their escapes, of "
        "the first images as the first epoch moves them. The host's own time, and what the board "
        "waits for a value that is being unpacked, are not in it."
    )
    return Section("With the link", text, Table(header, tuple(lines)))


def _first(row: Learner) -> SampleCycles:
    return row.runs[0].first


def _wall_us(row: Learner, baud: int) -> float:
    byte_us = _BITS_A_BYTE / baud * 1e6
    free = _mean(row, lambda run: run.later.phases[0]) / row.clock_mhz
    others = later_us(row) - free + row.link.answer * byte_us
    return free + max((_HEAD_BYTES + row.link.request) * byte_us, others)


def _shares(rows: Sequence[Learner]) -> Section:
    header = (
        "learner",
        "cycles that skip nothing",
        "cycles, later epochs",
        "the algorithm's share",
        "synapses",
        "accumulators a beat",
        "latents a beat",
        "MHz",
    )
    lines = []
    for row in rows:
        cycles = _mean(row, lambda run: run.later.mean)
        synapses = sum(a * b for a, b in zip(row.sizes, row.sizes[1:], strict=False))
        lines.append(
            (
                row.name,
                f"{row.dense_cycles:,.0f}",
                f"{cycles:,.0f}",
                f"{row.dense_cycles / cycles:.1f}x",
                f"{synapses:,}",
                str(row.lanes),
                str(row.learn_lanes),
                f"{row.clock_mhz:.2f}",
            )
        )
    text = (
        "The algorithm's share: how many times more cycles the same core would take if each input, "
        "each neuron in each sweep and each latent were walked, with phases that end as early. "
        "That much is saved by what does not move. The hardware's share is the rest: synapses "
        "walked at once, and the clock."
    )
    return Section("The algorithm's share and the hardware's", text, Table(header, tuple(lines)))


def _beside() -> Section:
    header = ("published learner", "device", "MNIST %", "a training sample", "unlike ours in")
    lines = tuple(
        (other.name, other.device, other.accuracy, other.sample, other.convention)
        for other in LEARNERS
    )
    text = (
        "Figures as published, not measured here, and not to be put into one table with ours: "
        "theirs ran on silicon, or name energy of other things. Ours are cycles of a core that "
        "was built and simulated, at a clock that place and route promises, and energy is an "
        "estimate. No other learner of MNIST on an iCE40 or ECP5, or by an open flow, was found."
    )
    return Section("Beside others", text, Table(header, lines))
