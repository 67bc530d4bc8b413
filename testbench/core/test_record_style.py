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


_ANYTHING = ("str, Any", "str, typing.Any")


def named_by_text(source: str) -> Iterator[int]:
    """Lines that subscript something with a text, or take a dict of anything for a record."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Subscript):
            continue
        text = isinstance(node.slice, ast.JoinedStr) or (
            isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        )
        if text or ast.unparse(node.slice).strip("()") in _ANYTHING:
            yield node.lineno


@pytest.mark.parametrize(
    "source",
    [
        'x = r["name"]',
        'x = r[f"p{n}"]',
        "r: dict[str, Any]",
        "r: Mapping[str, Any]",
        "r: dict[str, typing.Any]",
    ],
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


PACKAGES = ("toreq_hw", "sim", "rtl", "quant", "lava_backend", "boards", "reports")

FREE_FORM = {
    "toreq_hw/estimators/fitting.py": "what scikit-learn pickles: attributes by their names",
    "toreq_hw/json_values.py": "the one name for JSON of any form",
    "toreq_hw/reading/arrays.py": "files of somebody else, before they are checked",
    "toreq_hw/reading/fields.py": "files of somebody else, before they are checked",
    "toreq_hw/reading/structure.py": "files of somebody else, before they are checked",
    "toreq_hw/records/__init__.py": "a record on its way to a file",
    "toreq_hw/network/file.py": "the header of a network file, whose entries depend on kinds",
    "toreq_hw/network/network.py": "the header of a network file, whose entries depend on kinds",
    "toreq_hw/network/description/toml.py": "keyword arguments",
    "toreq_hw/training/offline.py": "keyword arguments",
    "toreq_hw/training/request.py": "keyword arguments",
    "toreq_hw/cli/checked.py": "what click parsed",
    "toreq_hw/cli/console.py": "keyword arguments",
    "toreq_hw/cli/options.py": "keyword arguments",
    "toreq_hw/cli/train_files.py": "notes of a checkpoint, before they are checked",
    "toreq_hw/cli/figures.py": "the table shows whatever figures a target's record has",
    "toreq_hw/cli/info_details.py": "what info says depends on the kind of file",
    "toreq_hw/commands/info.py": "what info says depends on the kind of file",
    "sim/campaign/setting.py": "what a ledger's runs share, of which only the hash is used",
    "sim/learning/checkpoint.py": "notes that whoever saved a checkpoint gets back",
    "sim/perturbation/layer.py": "settings of a layer, which depend on its kind",
    "sim/perturbation/reprogram.py": "keyword arguments",
    "rtl/interfaces.py": "signatures of Amaranth",
    "quant/onnx_nodes.py": "attributes of an ONNX node, which depend on its operator",
    "quant/parameters.py": "keyword arguments",
    "quant/starting.py": "keyword arguments",
    "lava_backend/lava_network.py": "keyword arguments",
    "lava_backend/nengo_loihi_run.py": "objects of Nengo, by population",
    "lava_backend/nir_nodes.py": "metadata of NIR nodes",
    "lava_backend/nengo_neurons.py": "as Nengo calls a neuron type",
    "lava_backend/replay_worker.py": "processes of Lava, and the rows of a fault map",
}
"""Files that may hold a dict of anything, and why it is no record."""


def dicts_of_anything(source: str) -> Iterator[int]:
    """Lines that name a dict of text to anything, also in quotes or by its other name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript | ast.Name | ast.alias | ast.Constant):
            named = ast.unparse(node).strip("'")
            if named in ("dict[str, Any]", "JsonObject"):
                yield node.lineno


@pytest.mark.parametrize(
    "source",
    [
        "r: dict[str, Any]",
        "r: list[dict[str, Any]]",
        "r: JsonObject",
        "r: 'JsonObject'",
        "def f() -> JsonObject: ...",
    ],
)
def test_a_dict_of_anything_is_seen(source: str) -> None:
    assert list(dicts_of_anything(source)) == [1]


def test_records_are_no_dicts() -> None:
    found = {
        path.resolve().relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if list(dicts_of_anything(path.read_text(encoding="utf-8")))
    }
    assert sorted(found - FREE_FORM.keys()) == [], "must be dataclasses in toreq_hw/records"
    assert sorted(FREE_FORM.keys() - found) == [], "hold none any more"
