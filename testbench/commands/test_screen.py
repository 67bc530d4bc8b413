"""What reaches the screen: whole lines, names as they are, and one line where nobody takes it."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbench.patience import GENEROUS_S
from toreq_hw import network
from toreq_hw.cli import console
from toreq_hw.network import WeightFormat, layered

ROOT = Path(__file__).parents[2]
LONG = "[v2] [/x] :smile: " + "word " * 60


def test_a_pipe_gets_whole_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console.output.print(LONG)
    console.output.print(console.table(LONG, ("[b]", LONG), [(LONG, "[/y]"), ("x", LONG)]))
    shown = [line.strip("\u2502\u2503| ") for line in capsys.readouterr().out.splitlines()]
    assert shown[0] == shown[1] == LONG.strip()
    rows = [[cell.strip() for cell in line.split("\u2502")] for line in shown if "\u2502" in line]
    assert rows == [[LONG.strip(), "[/y]"], ["x", LONG.strip()]]


def test_names_that_would_steer_a_terminal_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    console.output.print("a\x1b[31m\x9b2J\r\x07b\n\u00fc")
    console.output.print(console.table("\x1b[2J", ("x",), [("\x1b]0;t\x07",)]))
    shown = capsys.readouterr().out
    assert shown.startswith("a\\x1b[31m\\x9b2J\\r\\x07b\n\u00fc\n\\x1b[2J\n")
    assert "\\x1b]0;t\\x07" in shown
    assert not set(shown) & set("\x1b\x9b\r\x07")


def test_bars_show_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress_bar() as bar:
        bar.add_task("[red]a [/x]", total=1, note="[/note]")
    shown = capsys.readouterr().err
    assert "[red]a [/x]" in shown
    assert "[/note]" in shown


def test_only_the_console_makes_consoles_and_columns() -> None:
    """Whatever else would read a path as markup is not used anywhere."""
    for folder in ("toreq_hw", "sim", "quant", "rtl", "boards", "lava_backend", "reports"):
        for path in (ROOT / folder).glob("**/*.py"):
            if path == ROOT / "toreq_hw/cli/console.py" or path.is_symlink():
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rich"):
                    names = {alias.name for alias in node.names}
                    assert not names & {"Console", "TextColumn", "print", "Prompt"}, path
                assert getattr(node, "attr", "") not in ("from_markup", "secho"), path


@pytest.fixture
def net(tmp_path: Path) -> Path:
    blank = layered((64, 4, 10), WeightFormat.TERNARY, (3, 3))
    path = tmp_path / "net.safetensors"
    network.save(blank, path)
    return path


def run(
    arguments: list[str], output: int, errors: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toreq_hw", *arguments],
        stdout=output,
        stderr=errors,
        text=True,
        check=False,
        timeout=GENEROUS_S,
        cwd=ROOT,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
@pytest.mark.parametrize("how", [["--version"], ["train", "--help"], ["simulate"], ["json"]])
def test_a_full_disk_behind_standard_output_is_one_line(net: Path, how: list[str]) -> None:
    simulate = ["simulate", str(net), "--samples", "2"]
    arguments = {"simulate": simulate, "json": [*simulate, "--json", "-"]}.get(how[0], how)
    with open("/dev/full", "w") as full:
        done = run(arguments, full.fileno())
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last == "error: standard output: must be writable, found: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_closed_pipe_ends_quietly_with_the_status_of_sigpipe(net: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(["simulate", str(net), "--samples", "2"], writer)
    finally:
        os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert "error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


CLOSED = """
import os, sys
import click
from toreq_hw.commands import run
from toreq_hw.errors import OutputError
from toreq_hw.files import write_json

@click.command()
def command():
    from joblib import Parallel, delayed
    assert Parallel(n_jobs=2)(delayed(abs)(-k) for k in range(2)) == [0, 1]
    nowhere = os.stat(os.devnull)
    for number in map(int, sys.argv[1]):
        assert os.path.samestat(os.fstat(number), nowhere), number
    with open(os.devnull) as file:
        assert file.fileno() > 2
    try:
        write_json("/dev/stdout", {})
    except OutputError as error:
        assert "1" in sys.argv[1] and "found it closed" in str(error)
    else:
        assert "1" not in sys.argv[1]

run(command, [], "closed")
"""


@pytest.mark.parametrize("closed", ["0", "1", "2", "012"])
def test_closed_standard_streams_end_no_command(closed: str, tmp_path: Path) -> None:
    """Workers are started by a library that flushes `sys.stdout`, which is None where closed."""
    script = tmp_path / "closed.py"
    script.write_text(CLOSED)

    def close() -> None:
        for number in map(int, closed):
            os.close(number)

    done = subprocess.run(
        [sys.executable, str(script), closed],
        preexec_fn=close,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
        timeout=GENEROUS_S,
    )
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_work_goes_on_where_messages_cannot_be_written(net: Path) -> None:
    with open("/dev/full", "w") as full:
        done = run(["simulate", str(net), "--samples", "2"], subprocess.PIPE, full.fileno())
    assert done.returncode == 0
    assert "test accuracy" in done.stdout
