"""Every record says what its campaign must show, and a record that does not is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbench.rtl import verdict
from testbench.rtl.verdict import ALWAYS, FIELDS, finish

CASES = [(name, field) for name, fields in FIELDS.items() for field in (*ALWAYS, *fields)]


def full(name: str) -> dict[str, Any]:
    return dict.fromkeys((*ALWAYS, *FIELDS[name]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(verdict, "FOLDER", tmp_path)
    monkeypatch.setattr(verdict, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "field"), CASES)
def test_a_record_without_a_field_is_refused(name: str, field: str, folder: Path) -> None:
    record = full(name)
    del record[field]
    with pytest.raises(KeyError, match=f"must name '{field}'"):
        finish(name, record, passed=True, verdict="fine")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("passed", "status"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("name", FIELDS)
def test_a_full_record_is_written(name: str, passed: bool, status: int, folder: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        finish(f"{name}-part", full(name), passed=passed, verdict="as it went")
    assert ended.value.code == status
    written = json.loads((folder / f"{name}-part.json").read_text())
    assert set(written) == {"passed", "verdict", *full(name)}
