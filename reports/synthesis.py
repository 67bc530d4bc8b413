"""The page of designs on boards: from the records of `toreq-hw reports` to tables and pictures."""

from collections.abc import Callable, Mapping, Sequence

from toreq_hw.records.design import Capacity, Resources, SynthesisRecord
from toreq_hw.records.synthesis import Design, Failure, Latency, Synthesis
from toreq_hw.reports.anchors import ANCHORS, LOGIC_CELL, LUT6, Anchor
from toreq_hw.reports.numbers import span
from toreq_hw.reports.page import Page, Section, Table, caption
from toreq_hw.reports.synthesis_energy import EnergyRow, energy_sections
from toreq_hw.reports.synthesis_pictures import (
    accuracy_against_luts,
    fmax_spread,
    latencies,
    utilisation_bars,
)

RESOURCES: tuple[tuple[str, Callable[[Resources | Capacity], int]], ...] = (
    ("LUT4", lambda of: of.lut4),
    ("FF", lambda of: of.ff),
    ("block RAM", lambda of: of.block_ram),
    ("SPRAM", lambda of: of.spram),
    ("DSP", lambda of: of.dsp),
)


def synthesis_page(record: Synthesis) -> Page:
    """From the whole record; `rows` are designs that were built."""
    rows = record.rows
    met = sum(row.synthesis.met for row in rows)
    seeds = min((len(row.synthesis.placements) for row in rows), default=0)
    lead = (
        f"{len(rows)} designs, link and core included, on open tools alone; {met} of them meet "
        f"their clock. At least {seeds} seeds of place and route each; nothing here ran on a board."
    )
    built = [(row.title, row.synthesis) for row in rows]
    energy = [EnergyRow(row.title, row.synthesis.board, row.energy) for row in rows]
    sections = [_speed(rows), size_section(built), clock_section(built), _pictures(rows)]
    if record.failures:
        sections.append(_failures(record.failures))
    sections += [*energy_sections(energy), _comparison(rows), _made_of(rows)]
    return Page("Networks on boards", lead, tuple(sections), dict(record.versions))


def _speed(rows: Sequence[Design]) -> Section:
    cycles, times = ("cycles p50", "p95", "p99"), ("us p50", "p95", "p99", "images/s")
    header = ("design", "network", "test accuracy %", *cycles, *times, "lane slots used %")
    lines = []
    for row in rows:
        work = row.workload
        lines.append(
            (
                row.title,
                f"{'-'.join(map(str, row.synthesis.sizes))} {row.network.weights}",
                f"{100 * work.accuracy:.2f}",
                *(f"{p:,}" for p in (work.cycles_p50, work.cycles_p95, work.cycles_p99)),
                *_times(row.latency),
                f"{100 * work.lane_use:.1f}",
            )
        )
    splits = dict.fromkeys(f"{r.workload.data}: {r.workload.split}" for r in rows)
    text = (
        "Accuracy on the whole test set by the integer simulator, which the core equals bit for "
        "bit; pixels enter as network states, so the encoding is in it. Cycles of the free phase "
        "of every test image by the core's exact timing model, from the command to the class; the "
        "UART is apart. Time at the clock that the PLL makes, where it is met. "
        + "; ".join(splits)
        + "."
    )
    return Section("What they do", text, Table(header, tuple(lines)))


def _times(latency: Latency | None) -> tuple[str, ...]:
    if latency is None:
        return ("-",) * 4
    times = tuple(f"{us:.1f}" for us in (latency.p50_us, latency.p95_us, latency.p99_us))
    return (*times, f"{latency.images_per_s:,.0f}")


Built = Sequence[tuple[str, SynthesisRecord]]
"""What came of builds, each with what it is called."""


def size_section(rows: Built) -> Section:
    """What each design takes of its device."""
    header = ("design", *(title for title, _ in RESOURCES), "bitstream bytes")
    lines = []
    for title, synthesis in rows:
        used, capacity = synthesis.resources, synthesis.capacity
        lines.append(
            (
                title,
                *(_of(count(used), count(capacity)) for _, count in RESOURCES),
                f"{synthesis.bitstream.size_bytes:,}",
            )
        )
    text = (
        "Sites taken after packing, of what the device has, for the seed in the bitstream. LUT4 "
        "are sites with a four-input table: logic, carries, distributed memory and, on iCE40, a "
        "lone flip-flop."
    )
    return Section("What they take", text, Table(header, tuple(lines)))


def _of(used: int, available: int) -> str:
    if not available:
        return "-"
    return f"{used:,} ({100 * used / available:.0f} %)"


def clock_section(rows: Built) -> Section:
    """Which clock each design reaches, over seeds of place and route."""
    header = ("design", "asked MHz", "met", "median", "min", "max", "seeds met", "longest path")
    lines = []
    for title, s in rows:
        seeds = s.placements
        passed = sum(seed.fmax_mhz >= seed.constraint_mhz for seed in seeds)
        best = max(seeds, key=lambda seed: seed.fmax_mhz)
        start, end, _ = best.critical_path
        lines.append(
            (
                title,
                f"{s.constraint_mhz:.2f}",
                "yes" if s.met else "NO",
                f"{s.fmax_median_mhz:.2f}",
                f"{s.fmax_min_mhz:.2f}",
                f"{s.fmax_max_mhz:.2f}",
                f"{passed} of {len(seeds)}",
                f"{_short(start)} to {_short(end)}",
            )
        )
    text = "Met: the fastest seed, which is in the bitstream, keeps the constraint."
    return Section("How fast their clock may be", text, Table(header, tuple(lines)))


def _short(cell: str) -> str:
    """A cell's name up to what synthesis added to it."""
    name = cell.removeprefix("design.").split("_SB_")[0].split("_TRELLIS_")[0]
    return name.split("_LUT4")[0].split("_DFF")[0].replace("$", "")


def _pictures(rows: Sequence[Design]) -> Section:
    shares, reached, asked, times = {}, {}, {}, {}
    for row in rows:
        name, synthesis, work = row.title, row.synthesis, row.workload
        capacity = synthesis.capacity
        shares[name] = {
            title: count(synthesis.resources) / count(capacity)
            for title, count in RESOURCES
            if count(capacity)
        }
        reached[name] = [seed.fmax_mhz for seed in synthesis.placements]
        asked[name] = synthesis.constraint_mhz
        if row.latency is not None:
            clock = synthesis.pll.output_hz / 1e6
            edges = [edge / clock for edge in work.histogram_edges]
            times[name] = (edges, work.histogram_counts)
    if not rows:
        return Section("Pictures", "None: no design was built.")
    pictures = [
        caption(
            utilisation_bars(shares),
            "Utilisation: sites taken after packing, in per cent of what the device has; the seed "
            "in the bitstream.",
        ),
        caption(
            fmax_spread(reached, asked),
            "Spread over seeds: the clock that each seed of place and route reached (a dot a seed) "
            "and the one that was asked for (bar).",
        ),
    ]
    if times:
        pictures.append(
            caption(
                latencies(times),
                "Latency: how many images of the whole test set took how long, free phase, at the "
                "clock that the PLL makes; heights are relative to each design's own peak.",
            )
        )
    text = "In the HTML page: utilisation, spread of the clock over seeds, distribution of latency."
    return Section("Pictures", text, pictures=tuple(pictures))


def _failures(failures: Sequence[Failure]) -> Section:
    lines = tuple((failure.name, failure.error) for failure in failures)
    return Section("What could not be built", table=Table(("design", "why"), lines))


def _comparison(rows: Sequence[Design]) -> Section:
    ours = {
        row.title: (
            row.synthesis.resources.lut4,
            row.workload.accuracy,
            row.workload.data,
        )
        for row in rows
    }
    others = {anchor.name: (*anchor.lut4, anchor.accuracy) for anchor in ANCHORS}
    header = ("published design", "device", "MNIST %", "LUTs", "as LUT4", "us an image", "source")
    text = (
        "Figures as published, not measured here. A LUT6 counts as "
        f"{LUT6.lut4[0]:g} to {LUT6.lut4[1]:g} LUT4: logic cells a LUT6 in Xilinx' "
        "own tables (DS180), and the four LUT4 that any function of six inputs takes beside the "
        "multiplexers of an ECP5 slice; a logic cell as 1 to "
        f"{LOGIC_CELL.lut4[1]:g}, because not every author means a LUT4. All of these "
        "infer only; ours relax to an equilibrium and compute both nudged phases of learning with "
        "the same logic."
    )
    picture = caption(
        accuracy_against_luts(ours, others),
        "Accuracy against LUT4: our designs (full dots on MNIST, empty ones on digits, an easier "
        "set) and published ones on MNIST (bars from the low to the high count of LUT4).",
    )
    table = Table(header, tuple(_anchor(anchor) for anchor in ANCHORS))
    return Section("Beside others", text, table, (picture,))


def _anchor(anchor: Anchor) -> tuple[str, ...]:
    low, high = anchor.lut4
    return (
        anchor.name,
        anchor.device,
        f"{100 * anchor.accuracy:.1f}",
        f"{anchor.luts:,} {anchor.unit.name}",
        span(f"{low:,}", f"{high:,}"),
        "-" if anchor.latency_us is None else f"{anchor.latency_us:g}",
        anchor.source,
    )


def _made_of(rows: Sequence[Design]) -> Section:
    header = ("design", "network SHA-256", "bitstream SHA-256", "seeds", "tool seconds", "tools")
    lines = tuple(
        (
            row.title,
            row.synthesis.network_sha256[:16],
            row.synthesis.bitstream.sha256[:16],
            ", ".join(str(seed.seed) for seed in row.synthesis.placements),
            f"{sum(row.synthesis.seconds.values()):.0f}",
            _tools(row.synthesis.versions),
        )
        for row in rows
    )
    return Section("What they were made of", table=Table(header, lines))


def _tools(versions: Mapping[str, str]) -> str:
    """Those that made the bitstream, without the wheels' common prefix."""
    return ", ".join(
        f"{name.removeprefix('yowasp-')} {version}"
        for name, version in versions.items()
        if not name.startswith("amaranth")
    )
