"""The exported bench of a wrapper: it passes, and one flipped bit of any of its vectors fails."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from testbench.rtl.test_package import ICARUS, ran, small_network
from toreq_hw.commands.rtl import command
from toreq_hw.network import save

PASSED = "PASS: 30 phases of 10 images over the bus"
FLIPPED = {"image_words.hex": (-2, 0x80), "labels.hex": (-2, 1), "bus.vh": (0, 0)}
"""A line and its bit, of vectors that must matter."""

STATE, SWEEPS = ("packets.hex", (-10, 1)), ("packets.hex", (-7, 1))
"""In the last packet: a word of the output's states, and the count of sweeps."""


def exported(folder: Path, *more: str) -> Path:
    """The bench's folder."""
    save(small_network(), folder / "network.safetensors")
    words = [str(folder / "network.safetensors"), "--package", "--out", str(folder / "core")]
    done = CliRunner().invoke(command, [*words, *more])
    assert done.exit_code == 0, done.output
    return folder / "core" / "bench"


def broken(bench: Path, folder: Path, file: str, at: tuple[int, int]) -> Path:
    """A copy in which one bit of a vector is flipped; in bus.vh the last of the hash."""
    copy = folder / f"{file}{at[0]}"
    shutil.copytree(bench.parent, copy)
    path, (line, bit) = copy / "bench" / file, at
    if file == "bus.vh":
        text = path.read_text()
        before, _, after = text.partition("NETWORK_VALUE = 32'h")
        path.write_text(f"{before}NETWORK_VALUE = 32'h{int(after[:8], 16) ^ 1:08x}{after[8:]}")
        return copy / "bench"
    lines = path.read_text().splitlines()
    lines[line] = f"{int(lines[line], 16) ^ bit:0{len(lines[line])}x}"
    path.write_text("\n".join(lines) + "\n")
    return copy / "bench"


@ICARUS
@pytest.mark.parametrize(
    ("bus", "shape"),
    [
        ("axi", "--lanes 8"),
        ("axi", "--lanes 2"),
        ("wishbone", "--lanes 8"),
        ("wishbone", "--learning --learn-lanes 2 --lanes 4"),
    ],
)
def test_the_bench_of_a_bus_in_icarus(tmp_path: Path, bus: str, shape: str) -> None:
    bench = exported(tmp_path, "--bus", bus, "--name", "mine", *shape.split())
    done = ran(["make", "bus-icarus"], bench)
    assert PASSED in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    for file, at in (*FLIPPED.items(), STATE, SWEEPS) if shape == "--lanes 8" else ():
        failed = ran(["make", "bus-icarus"], broken(bench, tmp_path, file, at))
        assert "FAIL image " in failed.stdout, (file, at)
        assert failed.returncode != 0


def test_the_bench_of_a_bus_in_verilator(tmp_path: Path) -> None:
    """One build; then the same program with other vectors."""
    bench = exported(tmp_path, "--bus", "axi", "--lanes", "4")
    done = ran(["make", "bus-verilator"], bench)
    assert PASSED in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    for file, at in (STATE, SWEEPS):
        failed = ran(["verilated_bus/Vbus_bench"], broken(bench, tmp_path, file, at))
        assert "FAIL image " in failed.stdout
        assert failed.returncode != 0
