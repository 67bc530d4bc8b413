"""What nextpnr reached: `--report` JSON, checked against the log of the same run."""

import re
from pathlib import Path

from toreq_hw.boards.tool_reports import report_file
from toreq_hw.errors import ReportError
from toreq_hw.reading import Fields, shown
from toreq_hw.records.design import Placement

_LOG_LINE = re.compile(
    r"Max frequency for clock '?[ \t]*([^':\n]{1,200}?)'?[ \t]*:[ \t]*"
    r"([0-9]{1,12}(?:\.[0-9]{1,12})?) (\S+) \(\w+ at"
)


def parse(report: Path, log: Path, seed: int, clock_hz: float) -> Placement:
    """Raises ReportError where a field is absent, the constraint is not `clock_hz`, or more is used
    than there is. It also raises where the log has another unit or number.
    """
    content = report_file.report(report)
    name = _clock(content, clock_hz, report)
    clock = content.part("fmax").part(name)
    fmax = clock.positive("achieved")
    _compare_with_log(log, name, fmax)
    path = _critical_path(content, name, report)
    if abs(path[2] * fmax - 1000) > 10:
        raise ReportError(
            f"{report}: critical path must last {1000 / fmax:.3f} ns at {fmax:.2f} MHz, found "
            f"{path[2]:g}"
        )
    utilization = content.part("utilization")
    used, available = {}, {}
    for kind in utilization.names():
        used[kind] = utilization.part(kind).count("used")
        available[kind] = utilization.part(kind).count("available")
    if not any(used.values()):
        raise ReportError(f"{report}: the design must use cells, found none")
    return Placement(
        seed=seed,
        fmax_mhz=fmax,
        constraint_mhz=clock.positive("constraint"),
        used=used,
        available=available,
        critical_path=path,
    )


def _clock(content: Fields, clock_hz: float, path: Path) -> str:
    """The one clock; a period is rounded to a picosecond, so its constraint is near `clock_hz`."""
    clocks = content.part("fmax")
    names = clocks.names()
    if len(names) != 1:
        raise ReportError(f"{path}: one clock must be reported, found {shown(names)}")
    constraint = clocks.part(names[0]).positive("constraint")
    if abs(constraint * 1e6 - clock_hz) > 1e-3 * clock_hz:
        raise ReportError(
            f"{path}: clock {shown(names[0])} must be constrained to {clock_hz / 1e6:g} MHz, found "
            f"{constraint:g}"
        )
    return names[0]


def _compare_with_log(log: Path, name: str, fmax: float) -> None:
    """The JSON names no unit; the log does, and must agree."""
    lines = _LOG_LINE.findall(report_file.log(log))
    found = [(number, unit) for clock, number, unit in lines if clock == name]
    if not found:
        raise ReportError(
            f"{log}: log must state the frequency of clock {shown(name)}, found nothing"
        )
    number, unit = found[-1]  # the first one is the estimate before routing
    if unit != "MHz":
        raise ReportError(f"{log}: frequencies must be in MHz, found {shown(unit)}")
    if abs(float(number) - fmax) > 0.006:
        raise ReportError(
            f"{log}: clock {shown(name)} must reach {fmax:.2f} MHz as reported, found {number}"
        )


def _critical_path(content: Fields, clock: str, path: Path) -> tuple[str, str, float]:
    """The path within the clock: where it starts, where it ends, and its delay in ns."""
    edge = f"posedge {clock}"
    for entry in content.parts("critical_paths"):
        steps = entry.parts("path")
        if steps and entry.text("from") == edge and entry.text("to") == edge:
            delay = sum(step.number("delay") for step in steps)
            ends = steps[0].part("from").text("cell"), steps[-1].part("to").text("cell")
            return *ends, round(delay, 3)
    raise ReportError(f"{path}: a critical path of clock {shown(clock)} must be there, found none")
