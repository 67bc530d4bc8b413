"""Every mutant of the source campaigns still finds its text: a stale list would stop them."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from testbench.source_mutants import ROOT, Mutant

LISTS = sorted(path.stem for path in (ROOT / "testbench").glob("*_mutants.py"))


def mutants(value: object) -> Iterator[Mutant]:
    """Mutants at any depth of tuples, lists and dictionaries."""
    if isinstance(value, Mutant):
        yield value
    elif isinstance(value, dict):
        yield from mutants(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from mutants(part)


@pytest.mark.parametrize("name", [name for name in LISTS if name != "source_mutants"])
def test_every_mutant_finds_its_text_once(name: str) -> None:
    found = list(mutants(list(vars(import_module(f"testbench.{name}")).values())))
    assert len(found) > 10
    stale = [
        f"{mutant.file}: {mutant.before!r}"
        for mutant in found
        if (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.before) != 1
    ]
    assert not stale, "\n".join(stale)
