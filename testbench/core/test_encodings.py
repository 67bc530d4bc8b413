"""Text has a named encoding wherever it is read or written: a locale must not change a file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("toreq_hw", "boards", "lava_backend", "quant", "reports", "rtl", "sim", "examples")
TEXT_FILES = {"read_text", "write_text"}
OPENERS = {"open", "fdopen", "NamedTemporaryFile"}


def unnamed_encodings(source: str) -> Iterator[int]:
    """Lines of calls that read or write text and leave its encoding to the locale."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        method = isinstance(node.func, ast.Attribute)
        if ast.unparse(node.func) == "os.open":
            continue  # a number, and bytes
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        modes = [*node.args, *named.values()]
        binary = name == "NamedTemporaryFile" and "mode" not in named and not node.args
        for mode in modes:
            text = mode.value if isinstance(mode, ast.Constant) else None
            binary |= isinstance(text, str) and set(text) <= set("rwxab+") and "b" in text
        pipes = isinstance(named.get("text"), ast.Constant) and "check" in named
        if "encoding" in named or binary:
            continue
        if (method and name in TEXT_FILES) or name in OPENERS or pipes:
            yield node.lineno


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_file_names_its_encoding(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in unnamed_encodings(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    ("call", "noticed"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(text)", True),
        ("write_text(path, text)", False),
        ("open(path)", True),
        ("path.open('a')", True),
        ("os.open(path, flags)", False),
        ("path.open('rb')", False),
        ("open(path, mode='w+b')", False),
        ("subprocess.run(command, text=True, check=False)", True),
        ("subprocess.run(command, text=True, check=False, encoding='utf-8')", False),
    ],
)
def test_what_is_noticed(call: str, noticed: bool) -> None:
    assert bool(list(unnamed_encodings(call))) == noticed
