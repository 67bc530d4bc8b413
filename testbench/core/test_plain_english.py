"""Pages and docstrings: short sentences, and no word that only this project would understand."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MOST_WORDS = 25
"""Of a sentence; a colon or a semicolon ends one too."""

PRIVATE = {
    "babbling": "sending garbage",
    "befall": "happen to",
    "befalls": "happens to",
    "trice": "its length",
    "unruly": "faulty",
    "yardstick": "baseline",
    "yardsticks": "baselines",
}
"""Words that are not said, and what is said in their place (docs/glossary.md has the rest)."""

_CODE = re.compile(r"`[^`]*`")
_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_ITEM = re.compile(r"\n\s*(?:[-*]|\d+\.)\s")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z*`\[(]|CODE)|(?<=[;:])\s")


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


PAGES = _tracked("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "changes/*.md", "docs/*.md")


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a text; tables, headings, code and indented lines are none."""
    for paragraph in re.split(r"\n\s*\n", _BLOCK.sub("", text)):
        lines = [s for s in paragraph.split("\n") if not s.startswith(("|", "#", "    "))]
        for item in _ITEM.split("\n" + "\n".join(lines)):
            plain = " ".join(_CODE.sub("CODE", item).split())
            yield from (sentence for sentence in _END.split(plain) if sentence)


def _long(text: str) -> list[str]:
    return [s for s in _sentences(text) if len(s.split()) > MOST_WORDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_of_pages_are_short(page: Path) -> None:
    assert _long(page.read_text(encoding="utf-8")) == []


def test_sentences_of_docstrings_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.body[0].lineno}: {sentence}"
        for path in _tracked("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        for sentence in _long(ast.get_docstring(node) or "")
    ]
    assert long == [], "\n".join(long)


def test_no_word_is_private() -> None:
    word = re.compile(rf"\b({'|'.join(PRIVATE)})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}; say {PRIVATE[match[0].lower()]}"
        for path in [*PAGES, *_tracked("*.py")]
        if path.name not in (Path(__file__).name, "test_retired_words.py")
        for match in word.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("word " * 25 + "end.", 1),
        ("word " * 24 + "end.", 0),
        ("word " * 20 + "end: " + "word " * 20, 0),
        ("word " * 20 + "\n- " + "word " * 20, 0),
        ("word " * 20 + "`" + "code " * 20 + "` end.", 0),
        ("| " + "word " * 40, 0),
    ],
)
def test_long_sentences_are_found(text: str, long: int) -> None:
    assert len(_long(text)) == long
