"""What a screen can do must not decide what is said: narrow, without colour, without Unicode."""

import io
import os
import subprocess
import sys

import pytest

from toreq_hw.cli import console

LONG = "/a/path/without/any/space/that/is/longer/than/a/narrow/terminal.safetensors"
ROWS = [("test accuracy", "98.61 % of 359"), ("file", LONG), ("did not settle", "0")]
PROGRAM = f"""
import click
from toreq_hw.commands import run
from toreq_hw.cli.console import output, progress_bar, table
@click.command
def show():
    with progress_bar() as bar:
        bar.advance(bar.add_task("\\u00e4rger", total=1, note="\\u00e9"))
    output.print(table("n\\u00e9t, {LONG}", ("figure", "value"), {ROWS!r}))
run(show, [], "show")
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [24, 40, 80, 400])
def test_a_table_on_a_narrow_terminal_loses_nothing(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    narrow = console.PlainConsole()
    narrow.file, narrow.size = screen, (columns, 25)
    monkeypatch.setattr(console, "output", narrow)
    narrow.print(console.table(LONG, ("figure", "value"), ROWS))
    lines = screen.getvalue().splitlines()
    assert max(len(line) for line in lines) <= columns
    shown = "".join("".join(part) for part in zip(*(cells(line) for line in lines), strict=True))
    for text in (LONG, *(cell for row in ROWS for cell in row)):
        assert text.replace(" ", "") in shown


def cells(line: str) -> tuple[str, str, str]:
    """A line's two cells, or what stands outside the table, without blanks and borders."""
    parts = line.translate(str.maketrans("┃│", "││")).split("│")
    found = [part.replace(" ", "") for part in parts]
    return ("", found[1], found[2]) if len(found) == 4 else (found[0], "", "")


@pytest.mark.parametrize(
    "places",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_a_locale_without_unicode_is_no_error(places: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **places},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.isascii()
    assert b"98.61 % of 359" in done.stdout
    assert LONG.encode() in done.stdout


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Terminal()
    plain = console.PlainConsole()
    plain.file = screen
    plain.print("words", style="red on blue")
    assert "\x1b[3" not in screen.getvalue()
    assert "\x1b[4" not in screen.getvalue()
