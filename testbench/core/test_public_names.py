"""What each part calls public is there, and asking for a part imports nothing heavy."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import toreq_hw
from toreq_hw.errors import MissingDependencyError
from toreq_hw.lazy_names import lazy_names
from toreq_hw.links import PARTS

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *PARTS,
    "contract",
    "data",
    "estimators",
    "models",
    "network",
    "records",
    "targets",
    "training",
)
HEAVY = ("amaranth", "brevitas", "lava", "matplotlib", "nengo", "onnx", "torch")


@pytest.mark.parametrize("part", PACKAGES)
def test_every_public_name_is_there(part: str) -> None:
    package = import_module(f"toreq_hw.{part}")
    names = getattr(package, "__all__", [])
    for name in names:
        try:
            assert getattr(package, name) is not None
        except MissingDependencyError as error:
            assert "run: " in str(error)  # noqa: PT017 - an extra may be absent


@pytest.mark.parametrize("part", PARTS)
def test_types_and_imports_name_the_same(part: str) -> None:
    """What a type checker sees, what is listed, and what is found lazily."""
    text = (ROOT / part / "__init__.py").read_text(encoding="utf-8")
    listed = import_module(f"toreq_hw.{part}").__all__
    assert list(listed) == sorted(listed, key=lambda n: (n != n.upper(), not n[0].isupper(), n))
    if "lazy_names(" not in text:
        return
    seen = re.search(r"if TYPE_CHECKING:\n(.*?)\n\n", text, re.DOTALL)
    assert seen
    typed = {n for line in re.findall(r" import (.+)", seen[1]) for n in line.split(", ")}
    table = text[text.index("lazy_names(\n") : text.index("extra=") if "extra=" in text else None]
    lazy = set(re.findall(r'"(\w+)"[,)]', table))
    assert typed == set(listed) == lazy


def test_parts_are_attributes_and_import_nothing_heavy() -> None:
    parts = ", ".join(f"toreq_hw.{part}" for part in PACKAGES if part not in ("models", "training"))
    program = f"import toreq_hw, sys; {parts}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    program = program.replace("toreq_hw.estimators, ", "")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("module", [toreq_hw, import_module("toreq_hw.rtl")])
def test_an_unknown_name_is_an_attribute_error(module: ModuleType) -> None:
    assert not hasattr(module, "nowhere")


def test_an_absent_package_names_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lazy_toy").mkdir()
    (tmp_path / "lazy_toy/__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "lazy_toy/part.py").write_text("import not_installed_here", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match=r"not_installed_here.*run: .*rtl"):
        lazy_names("lazy_toy", {"part": ("thing",)}, extra="rtl")("thing")
    with pytest.raises(ModuleNotFoundError):
        lazy_names("lazy_toy", {"part": ("thing",)})("thing")


def test_every_example_is_run_by_a_test() -> None:
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "testbench").rglob("test_*.py")
        if path != Path(__file__)
    )
    examples = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
    assert len(examples) >= 6
    assert [name for name in examples if f"from examples.{name} import" not in tests] == []
