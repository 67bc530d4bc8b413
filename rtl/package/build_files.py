"""Files for tools around a core: FuseSoC, constraints, Vivado, views of waveforms."""

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.named_ports import NAMED_TOP
from toreq_hw.rtl.bus.wrapper import wrapper_top
from toreq_hw.rtl.package.devices import Device, Devices
from toreq_hw.rtl.package.harness import HARNESS

PERIOD_NS = 20.0
"""Of the clock that constraints ask for; edit it there."""

_VECTORS = ("inputs.hex", "labels.hex", "states.hex", "masks.hex", "results.hex")
_LINT = ("-Wno-DECLFILENAME", "-Wno-PROCASSINIT", "-Wno-UNUSEDSIGNAL", "-Wno-UNUSEDPARAM")
_SIMULATED = ("-Wno-fatal", "-Wno-lint", "-Wno-PROCASSINIT", "-CFLAGS", "-fcoroutines")


def sources(bus: Bus) -> list[str]:
    """The Verilog of a core and its wrappers."""
    return ["core.v", "ports.v", *([] if bus is Bus.NONE else [f"{bus.value}.v"])]


def design_top(bus: Bus) -> str:
    """The module that a design instantiates."""
    return NAMED_TOP if bus is Bus.NONE else wrapper_top(bus)


def core_file(template: str, bus: Bus, version: str, devices: Devices) -> str:
    """FuseSoC's description (CAPI2): lint, simulation twice, synthesis for three families."""
    values = {
        "VERSION": version,
        "FILES": "".join(f"      - {name}\n" for name in sources(bus)),
        "VECTORS": "".join(
            f"      - bench/{v}: {{file_type: user, copyto: {v}}}\n" for v in _VECTORS
        ),
        "TOP": design_top(bus),
        "HARNESS": HARNESS,
        "LINT": ", ".join(("-Wall", *_LINT)),
        "SIMULATED": ", ".join(("--timing", *_SIMULATED)),
    }
    return _filled(template, values | _of_devices(devices))


def constraints(bus: Bus) -> dict[str, str]:
    """Files of the folder `constraints` by name: one clock, and the pins of the harness."""
    clock = {Bus.NONE: "clk", Bus.AXI: "aclk", Bus.WISHBONE: "wb_clk_i"}[bus]
    create = f"create_clock -name {clock} -period {PERIOD_NS} [get_ports {clock}]\n"
    return {
        "clock.sdc": create,
        "clock.xdc": create,
        "harness.pcf": "set_io clk 35\nset_io in 2\nset_io out 3\n",
        "harness.lpf": (
            'LOCATE COMP "clk" SITE "G2";\nLOCATE COMP "in" SITE "D6";\n'
            'LOCATE COMP "out" SITE "B2";\n'
            f'FREQUENCY PORT "clk" {1000 / PERIOD_NS} MHZ;\n'
        ),
    }


def synth_makefile(template: str, devices: Devices) -> str:
    """synth/Makefile: Yosys and nextpnr by themselves, without FuseSoC."""
    values = {"HARNESS": HARNESS, "MHZ": f"{1000 / PERIOD_NS:g}"}
    return _filled(template, values | _of_devices(devices))


def readme(template: str, bus: Bus, devices: Devices) -> str:
    """README.md: what there is, where tools come from, which devices the targets are for."""
    return _filled(template, {"TOP": design_top(bus)} | _of_devices(devices))


def _of_devices(devices: Devices) -> dict[str, str]:
    values: dict[str, str] = {}
    for family, device in (("ICE40", devices.ice40), ("ECP5", devices.ecp5)):
        values |= {
            f"{family}_TITLE": device.title,
            f"{family}_OPTION": device.option,
            f"{family}_VERDICT": device.verdict,
            f"{family}_CHECK": _check(device),
        }
    return values


def _check(device: Device) -> str:
    """A recipe that fails in one line where the core is known not to fit."""
    if device.fits:
        return ":"
    return f'test -n "$(ANYWAY)" || {{ echo "{device.verdict}" >&2; exit 1; }}'


def vivado_script(template: str, bus: Bus) -> str:
    """build.tcl for the design's top."""
    return _filled(template, {"SOURCES": " ".join(sources(bus)), "TOP": design_top(bus)})


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


_SHOWN = (
    ("", ("clk", "rst", "idle", "faults[5:0]")),
    ("inputs", ("inputs_valid", "inputs_ready", "inputs_value", "inputs_last")),
    ("commands", ("commands_valid", "commands_ready", "commands_command", "commands_label")),
    ("states", ("states_valid", "states_ready", "states_slice", "states_row")),
    ("summary", ("summary_valid", "summary_ready", "summary_label", "summary_sweeps")),
    ("checks", ("answer_at", "row_at", "failures")),
)


def gtkwave_view(widths: dict[str, int]) -> str:
    """view.gtkw: streams in groups. widths: of signals of more than one bit."""
    lines = ['[dumpfile] "bench.fst"', "[timestart] 0"]
    for group, names in _SHOWN:
        if group:
            lines += ["@200", f"-{group}"]
        for name in names:
            width = widths.get(name, 1)
            lines.append("@22" if width > 1 or "[" in name else "@28")
            lines.append(f"bench.{name}" + (f"[{width - 1}:0]" if width > 1 else ""))
    return "\n".join(lines) + "\n"


def surfer_view() -> str:
    """view.sucl: commands that Surfer runs when it opens a waveform (`surfer -c view.sucl`)."""
    lines = []
    for group, names in _SHOWN:
        if group:
            lines.append(f"divider_add {group}")
        lines += [f"variable_add bench.{name.partition('[')[0]}" for name in names]
    return "\n".join([*lines, "zoom_fit"]) + "\n"
