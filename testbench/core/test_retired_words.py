"""No identifier and no file is called by a word that the project has retired (docs/glossary.md)."""

import ast
import re
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RETIRED = {
    "accidents": "what happens: resets, faults",
    "befalls": "happens to",
    "conductor": "phase controller",
    "doctored": "tampered",
    "draw": "random word",
    "draws": "random words",
    "exam": "evaluation set",
    "fan": "projection",
    "fans": "projections",
    "fates": "what happens",
    "garbled": "message_xor_mask",
    "heal": "returns to the same equilibrium",
    "heals": "returns to the same equilibrium",
    "lamp": "led",
    "lessons": "training samples",
    "metronome": "external step controller",
    "misread": "apply_read_noise",
    "reach": "the quantity's own name",
    "refusals": "rejected words",
    "ruin": "full damage, chance level",
    "scene": "replay case",
    "strike": "apply",
    "strikes": "happens",
    "struck": "where it happened",
    "surroundings": "environment",
    "tally": "counters",
    "trice": "its length",
    "twin": "baseline, broken copy, equivalent",
    "twins": "baselines, broken copies, equivalents",
    "unruly": "faulty",
    "withheld": "unsent",
    "withholding": "delta threshold",
    "yardstick": "baseline",
    "yardsticks": "baselines",
}
"""Words that are not said, and what is said in their place."""

KEPT = {
    "fan_outs": "fan-out is the standard term for how many neurons one projects to",
    "initial_reach": "a field of published records",
    "ruin_accuracy": "a field of published records",
    "ruin_is_chance": "a field of published records",
    "ruin_level": "a field of published records",
    "twin_accuracy": "a field of published records",
    "twin_sha256": "a field of published records",
    "twins": "a field of published records",
}
"""Names that others have seen, and why they stay."""

KEPT_IN = {
    "toreq_hw/network/couplings/patterns.py": {"reach"},  # users write it in descriptions
    "toreq_hw/observatory/poster.py": {"draw"},  # names of Pillow
    "sim/learning/shared.py": {"draws"},  # which rows draw, in the words of numerics.md
    "sim/learning/shared_kernel.py": {"draws"},
}
"""Words that mean something else there."""

KEPT_IN_TESTS = {"draw", "draws"}
"""Words of hypothesis and of random tests."""


def _words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def _named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every identifier of a source with its line."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield line, name


def _retired(source: str, kept: Collection[str] = ()) -> list[tuple[int, str, str]]:
    return sorted(
        {
            (line, name, word)
            for line, name in _named(ast.parse(source))
            for part in name.split(".")
            if part not in KEPT
            for word in _words(part)
            if word in RETIRED and word not in kept
        }
    )


def _kept(name: str) -> set[str]:
    return KEPT_IN_TESTS if name.startswith("testbench/") else KEPT_IN.get(name, set())


def _sources() -> list[str]:
    listed = ["git", "ls-files", "*.py"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in found.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_identifier_is_retired() -> None:
    found = [
        f"{name}:{line}: {identifier}; say {RETIRED[word]}"
        for name in _sources()
        for line, identifier, word in _retired(
            (ROOT / name).read_text(encoding="utf-8"), _kept(name)
        )
    ]
    assert found == [], "\n".join(found)


def test_no_file_is_called_by_a_retired_word() -> None:
    found = [name for name in _sources() if set(_words(Path(name).stem)) & set(RETIRED)]
    assert found == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def strike(): pass", 1),
        ("class Exam: pass", 1),
        ("lamp_buffer = 1", 1),
        ("found.twin", 1),
        ("def f(tally): return f(tally=1)", 1),
        ("import toreq_hw.sim.learning.lessons", 1),
        ("level.twin_accuracy", 0),
        ("drawing = striker = 1", 0),
    ],
)
def test_retired_identifiers_are_found(source: str, count: int) -> None:
    assert len(_retired(source)) == count


SHOWN = re.compile(r"\b(?:twins?|heals?|healed|ruins?|yardsticks?)\b", re.IGNORECASE)
"""Words that texts for people no longer say."""


def _texts(source: str) -> Iterator[tuple[int, str]]:
    """Every string of a source that has a blank, with its line: what is shown, and docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def test_texts_for_people_say_no_retired_word() -> None:
    folders = ("toreq_hw/", "sim/", "rtl/", "quant/", "lava_backend/", "boards/", "reports/")
    found = [
        f"{name}:{line}: {text:.60}"
        for name in _sources()
        if name.startswith(folders)
        for line, text in _texts((ROOT / name).read_text(encoding="utf-8"))
        if SHOWN.search(text)
    ]
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    found += [page.name for page in pages if SHOWN.search(page.read_text(encoding="utf-8"))]
    assert found == []


def test_a_retired_word_in_a_text_is_found() -> None:
    ((line, text),) = _texts('x = "the twin heals"')
    assert line == 1
    assert SHOWN.search(text)
    assert not SHOWN.search("twin_accuracy is a name")
