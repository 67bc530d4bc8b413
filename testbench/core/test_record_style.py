"""Pages read fields of dataclasses: no name of a field is a text in reports/."""

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import toreq_hw.records

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "reports").rglob("*.py"))
RECORDS = [f"toreq_hw.records.{module.name}" for module in iter_modules(toreq_hw.records.__path__)]


def named_by_text(source: str) -> Iterator[int]:
    """Lines that subscript something with a text, or take a dict of anything for a record."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Subscript):
            continue
        text = isinstance(node.slice, ast.JoinedStr) or (
            isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        )
        if text or ast.unparse(node.slice) in ("str, Any", "(str, Any)"):
            yield node.lineno


@pytest.mark.parametrize(
    "source", ['x = r["name"]', 'x = r[f"p{n}"]', "r: dict[str, Any]", "r: Mapping[str, Any]"]
)
def test_a_text_for_a_field_is_seen(source: str) -> None:
    assert list(named_by_text(source)) == [1]


@pytest.mark.parametrize("source", ["x = r[0]", "x = r[name]", "r: dict[str, int]", 'x = ["name"]'])
def test_other_subscripts_are_no_fields(source: str) -> None:
    assert not list(named_by_text(source))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_read_fields_of_dataclasses(path: Path) -> None:
    assert not list(named_by_text(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", RECORDS)
def test_records_are_frozen_dataclasses_of_stated_types(module: str) -> None:
    loaded = import_module(module)
    classes = [c for _, c in inspect.getmembers(loaded, inspect.isclass) if c.__module__ == module]
    assert classes
    for one in classes:
        assert dataclasses.is_dataclass(one), one
        assert one.__dataclass_params__.frozen, one  # type: ignore[attr-defined]
        assert not [f.name for f in dataclasses.fields(one) if "Any" in str(f.type)], one
