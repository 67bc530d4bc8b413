"""No output of any command replaces a file that toreq-hw did not write."""

import json
from pathlib import Path

import pytest

from testbench.command_line import status_of, toreq_hw
from testbench.commands.test_files_of_commands import every_command
from toreq_hw.cli.paths import OutputFile
from toreq_hw.cli.replaced import check_replaced
from toreq_hw.destinations import destination
from toreq_hw.errors import InputError

THEIRS = (
    b"# Notes\n",
    b'{"name": "of somebody else"}',
    b'{"versions": {"npm": "9"}}',
    b"{",
    b"[]",
    b"PK\x03\x04",
    b"GIF89a",
    b"\x08\x07\x12\x07pytorch",
    b"[limits]\nsource = 1\n",
)


@pytest.mark.parametrize("content", THEIRS)
def test_a_file_of_somebody_else_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(content)
    get = ("models", "get", "digits-ternary", "--out", path)
    for arguments in (("boards", "--json", path), get):
        done = toreq_hw(*arguments)
        (line,) = done.error.splitlines()
        wanted = f"theirs: {arguments[-2]} must name a new file or a result of toreq-hw, found "
        assert (done.status, wanted in line, done.output) == (2, True, "")
        assert line.endswith("use --overwrite") == (arguments[0] == "models")
    assert path.read_bytes() == content
    assert status_of(*get, "--overwrite") == 0
    assert path.read_bytes() != content


def test_every_output_file_is_looked_at(tmp_path: Path) -> None:
    """Each option of each command that names a file; a few refuse another option first."""
    readme, other = tmp_path / "README.md", tmp_path / "new"
    readme.write_text("precious", encoding="utf-8")
    tried = 0
    for name, command in every_command().items():
        needed = [p for p in command.params if p.required]
        for option in (p for p in command.params if isinstance(p.type, OutputFile)):
            label = max(option.opts, key=len)
            if label == "--store":  # written on; its command reads it first
                continue
            words = [
                word
                for p in needed
                if p is not option
                for word in (*(p.opts[:1] if p.param_type_name == "option" else ()), str(other))
            ]
            done = toreq_hw(*name.split(), *words, label, readme)
            assert done.status == 2, (name, label)
            tried += f"{label} must name a new file or a result" in done.error
            assert readme.read_text(encoding="utf-8") == "precious", (name, label)
    assert tried > 25


def test_an_empty_file_and_records_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "record"
    older = b'{"lost": 1, "versions": {"toreq-hw": "0.0.1"}}'
    for content in (b"", older, b"\x08\x07\x12\x08toreq_hw"):
        path.write_bytes(content)
        assert status_of("boards", "--json", path) == 0
        assert "boards" in json.loads(path.read_text(encoding="utf-8"))
    assert status_of("boards", "--json", path) == 0  # its own
    for _ in range(2):
        assert status_of("deploy", "--list-targets", "--json", path) == 0
        assert status_of("info", tmp_path / "record", "--json", tmp_path / "info") == 2


def test_a_picture_replaces_one_of_its_format(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(b"GIF89a")
    check_replaced("--gif", destination(path), with_overwrite=False)
    with pytest.raises(InputError, match="film: --mp4 must name a new file"):
        check_replaced("--mp4", destination(path), with_overwrite=False)


def test_a_page_of_somebody_else_in_a_folder_stays(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><title>Theirs</title>", encoding="utf-8")
    before = page.read_bytes()
    commands = (
        ("deploy", "--target", "sim", "--samples", "2", "--out", tmp_path),
        ("demo", "--out", tmp_path),
    )
    for command in commands:
        done = toreq_hw(*command)
        assert done.status == 2, done
        assert "index.html must name a new file or a result of toreq-hw" in done.error
        assert page.read_bytes() == before
    page.unlink()
    for _ in range(2):
        done = toreq_hw(*commands[0])
        assert done.status == 0, done.error
