"""A written file is whole or was never there."""

from pathlib import Path

import pytest

from toreq_hw.errors import OutputError
from toreq_hw.files import replacing, write_json


def interrupted(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_interrupted_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert list(path.parent.iterdir()) == [path]


def test_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="must be writable"):
        write_json(tmp_path, {})
